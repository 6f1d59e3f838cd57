//! `login` and `whoami`.

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use secrets_client::{Client, Config, Credential, v1};
use secrets_core::{CredentialKind, OrganizationName};

use crate::app::{self, App};
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{json, text};
use crate::ui::prompt;

#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// Redeem this invitation code [default: read a token from a hidden prompt or stdin]
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    invite: Option<String>,
    /// Name of the new token in your list of tokens [default: this machine's name]
    #[arg(long, value_name = "NAME", requires = "invite")]
    name: Option<String>,
    /// Lifetime of the new token, for instance 30d [default: 90d]
    #[arg(long, value_parser = time::duration, requires = "invite")]
    ttl: Option<std::time::Duration>,
    /// Trust this certificate authority in addition to the system's, and remember it for this endpoint
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
}

pub(crate) async fn login(app: &App, args: LoginArgs) -> Result<(), CliError> {
    let path = app.config_path()?; // before a code is used up
    let token = match &args.invite {
        Some(code) => redeem(app, code, &args).await?,
        None => read_token()?,
    };
    let credential = credential(token.expose_secret())?;
    let me = connect(app, credential).await?.who_am_i(v1::WhoAmIRequest {}).await?;
    let mut config = Config {
        endpoint: Some(app.settings.endpoint.clone()),
        ca_file: app.settings.config.ca_file.clone(),
        ca_files: app.settings.config.ca_files.clone(),
        organization: Some(me.organization.clone()).filter(|organization| !organization.is_empty()),
        token: Some(token),
        principal: Some(me.principal.clone()),
        ..Config::default()
    };
    if let Some(file) = &app.settings.given_ca_file {
        let absolute =
            std::path::absolute(file).map_err(|error| CliError::usage(format!("`{}`: {error}", file.display())))?;
        config.remember_ca_file(&app.settings.endpoint, Some(absolute));
    }
    config.save(path)?;
    app.output.note(&format!("Signed in at {}; the token is stored in {}.", app.settings.endpoint, path.display()));
    if app.settings.credential.is_some() && !app.settings.signed_in {
        app.output.warn("SECRETS_TOKEN or SECRETS_TOKEN_FILE is set and overrides this token");
    }
    if app.output.is_json() { app.output.json(&json::who_am_i(&me)) } else { app.output.sentence(&parts(&me)) }
}

async fn redeem(app: &App, code: &str, args: &LoginArgs) -> Result<SecretString, CliError> {
    // A token goes to nobody in place of a code.
    let code = credential(code)?;
    if code.kind() != Some(CredentialKind::Invitation) {
        let prefix = CredentialKind::Invitation.prefix();
        return Err(CliError::usage(format!("this is not an invitation code: those begin with `{prefix}`"))
            .hint("`secrets login` without --invite asks for a token, hidden"));
    }
    let builder = app.settings.connection()?.credential(code);
    let request = v1::RedeemInvitationRequest {
        display_name: args.name.clone().unwrap_or_else(machine),
        ttl: time::ttl(args.ttl),
    };
    let created = app::patient(builder).build()?.redeem_invitation(request).await.map_err(|error| {
        let error = CliError::from(error);
        if error.exit == ExitCode::NotAllowed || error.exit == ExitCode::NotFound {
            error.hint("a code works once and for a limited time; ask whoever invited you for another")
        } else {
            error
        }
    })?;
    Ok(created.secret)
}

fn read_token() -> Result<SecretString, CliError> {
    let bytes = if prompt::stdin_is_terminal() {
        prompt::line("Token (hidden): ", false)?
    } else {
        let mut text = zeroize::Zeroizing::new(Vec::new());
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text)
            .map_err(|error| CliError::new(ExitCode::Failed, format!("stdin: {error}")))?;
        text
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| CliError::usage("the token is not text"))?;
    let credential = credential(text)?;
    if credential.kind() == Some(CredentialKind::Invitation) {
        return Err(
            CliError::usage("this is an invitation code, not a token").hint("`secrets login --invite CODE` redeems it")
        );
    }
    Ok(credential.expose().into())
}

fn credential(token: &str) -> Result<Credential, CliError> {
    Credential::parse(token).map_err(|error| CliError::usage(error.to_string()))
}

async fn connect(app: &App, credential: Credential) -> Result<Client, CliError> {
    Ok(app::patient(app.settings.client()?.credential(credential)).build()?)
}

pub(crate) async fn whoami(app: &App) -> Result<(), CliError> {
    let me = app.me().await?;
    if app.output.is_json() { app.output.json(&json::who_am_i(me)) } else { app.output.sentence(&parts(me)) }
}

/// `user ann, organization acme, admin, member of project api, token expires 2027-02-19 05:41Z`
pub(crate) fn line(me: &v1::WhoAmIResponse) -> String {
    parts(me).join(", ")
}

fn parts(me: &v1::WhoAmIResponse) -> Vec<String> {
    let mut parts = Vec::new();
    match me.kind() {
        v1::PrincipalKind::Operator => parts.push("operator".to_owned()),
        v1::PrincipalKind::User => parts.push(format!("user {}", text::principal(&me.principal))),
        v1::PrincipalKind::ServiceAccount => {
            let account = text::principal(&me.principal);
            parts.push(format!("service account {}", account.strip_prefix("service:").unwrap_or(&account)));
        }
        v1::PrincipalKind::Session => parts.push("session".to_owned()),
        v1::PrincipalKind::Unspecified => parts.push(me.principal.clone()),
    }
    let context = me.context.clone().unwrap_or_default();
    if !context.user.is_empty() {
        parts.push(format!("for user {}", context.user));
    }
    if !me.organization.is_empty() {
        parts.push(format!("organization {}", me.organization));
    }
    for (noun, id) in [("project", &context.project), ("workspace", &context.workspace)] {
        if !id.is_empty() {
            parts.push(format!("{noun} {id}"));
        }
    }
    let (here, below): (Vec<_>, Vec<_>) = me.bindings.iter().partition(|binding| {
        let resource = binding.resource.parse::<OrganizationName>();
        resource.is_ok_and(|name| name.organization.as_str() == me.organization)
    });
    parts.extend(here.iter().map(|binding| text::role(binding.role())));
    parts.extend(
        below.iter().map(|binding| format!("{} of {}", text::role(binding.role()), text::resource(&binding.resource))),
    );
    let what = if me.kind() == v1::PrincipalKind::Session { "session" } else { "token" };
    parts.push(match me.expire_time.as_ref() {
        Some(time) => format!("{what} expires {}", text::moment(Some(time))),
        None => format!("{what} never expires"),
    });
    parts
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn says_who_calls_in_a_line() {
        let binding = |resource: &str, role: v1::Role| v1::Binding {
            resource: resource.into(),
            role: role.into(),
            ..Default::default()
        };
        let me = v1::WhoAmIResponse {
            principal: "organizations/acme/users/ann".into(),
            kind: v1::PrincipalKind::User.into(),
            organization: "acme".into(),
            bindings: vec![
                binding("organizations/acme/projects/api", v1::Role::Member),
                binding("organizations/acme", v1::Role::Admin),
            ],
            expire_time: Some(Timestamp { seconds: 1_769_851_800, nanos: 0 }),
            ..Default::default()
        };
        assert_eq!(
            line(&me),
            "user ann, organization acme, admin, member of project api, token expires 2026-01-31 09:30Z"
        );
    }

    #[test]
    fn says_whose_session_it_is() {
        let me = v1::WhoAmIResponse {
            kind: v1::PrincipalKind::Session.into(),
            organization: "acme".into(),
            context: Some(v1::Context {
                organization: "acme".into(),
                workspace: "ws1".into(),
                user: "bob".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(line(&me), "session, for user bob, organization acme, workspace ws1, session never expires");
    }
}
