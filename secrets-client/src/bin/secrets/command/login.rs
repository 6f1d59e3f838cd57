//! `login` and `whoami`.

mod another_machine;
mod code;
mod recovery;
mod renew;

use std::path::PathBuf;

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use secrets_client::private_file::Draft;
use secrets_client::{Client, Created, Credential, KeyringItem, Profile, Reason, StoredToken, TokenLocation, v1};
use secrets_core::{CredentialKind, OrganizationName, PrincipalName};

use crate::app::{self, App};
use crate::args::time;
use crate::keyring::{self, Unlocking};
use crate::ui::error::CliError;
use crate::ui::output::{json, text};

#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// For scripts: redeem this invitation code, or `-` for one on stdin [default: ask for a code or a token]
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    invite: Option<String>,
    /// With a code: name of the new token in your list of tokens [default: this machine's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// With a code: lifetime of the new token, for instance 30d [default: 90d]
    #[arg(long, value_parser = time::duration)]
    ttl: Option<std::time::Duration>,
    /// Replace the stored token by a new one, whose sign-in goes on; asks for a code where only that prolongs it
    #[arg(long)]
    renew: bool,
    /// Sign in with one of your recovery codes: your other tokens and sessions end
    #[arg(long, conflicts_with_all = ["renew", "invite"])]
    recovery: bool,
    /// With a recovery code: leave your other tokens and sessions as they are
    #[arg(long)]
    keep_others: bool,
    /// Create recovery codes in place of those you have, and show them this once: within ten minutes of entering a code
    #[arg(long, conflicts_with_all = ["renew", "invite", "recovery", "keep_others", "name", "ttl"])]
    recovery_codes: bool,
    /// Show a code with which you sign in on another machine within ten minutes, and wait until it is used
    #[arg(long, conflicts_with_all = ["renew", "invite", "recovery", "keep_others", "name", "ttl", "recovery_codes"])]
    another_machine: bool,
    /// Store the token in your desktop's keyring (Secret Service), and not in a file; --renew leaves it there
    #[arg(long, conflicts_with_all = ["recovery_codes", "another_machine"])]
    keyring: bool,
    /// Trust this certificate authority in addition to the system's, and remember it for this endpoint
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where a token is about to be stored.
struct Place {
    /// The configuration, which names the token's item or has the token itself.
    file: Draft,
    item: Option<KeyringItem>,
}

impl Place {
    /// Makes sure that a token can be stored there.
    async fn reserve(app: &App, in_keyring: bool) -> Result<Self, CliError> {
        if in_keyring {
            keyring::prepare(Unlocking::on_terminal()).await?;
        }
        let file = app.settings.config.reserve(app.config_path()?)?;
        Ok(Self { file, item: in_keyring.then(KeyringItem::random) })
    }
}

impl LoginArgs {
    /// Whether it is a command of somebody who is signed in.
    pub(crate) fn uses_stored_token(&self) -> bool {
        self.recovery_codes || self.another_machine
    }
}

pub(crate) async fn login(app: &App, args: LoginArgs) -> Result<(), CliError> {
    if args.renew {
        return renew::renew(app, &args).await;
    }
    if args.recovery_codes {
        return recovery::create(app).await;
    }
    if args.another_machine {
        return another_machine::sign_in(app).await;
    }
    let entered = code::entered(&args)?;
    let place = Place::reserve(app, args.keyring).await?; // before a code is used up
    let before = Before::read(app).await;
    match entered.kind() {
        Some(kind) if kind.is_code() => {
            let created = code::redeem(app, kind, entered, &args).await?;
            keep(app, place, &created, code::used_up(kind)).await?;
            before.mention(app, &created.secret).await;
            let client = connect(app, parse(created.secret.expose_secret())?).await?;
            if kind == CredentialKind::Invitation {
                recovery::offer(app, &client).await;
            }
            print(app, &client.who_am_i(v1::WhoAmIRequest {}).await?)
        }
        _ => {
            let me = connect(app, entered.clone()).await?.who_am_i(v1::WhoAmIRequest {}).await?;
            store(app, place, entered.expose().into(), &me.principal).await?;
            before.mention(app, &entered.expose().into()).await;
            print(app, &me)
        }
    }
}

fn print(app: &App, me: &v1::WhoAmIResponse) -> Result<(), CliError> {
    if app.output.is_json() { app.output.json(&json::who_am_i(me)) } else { app.output.sentence(&parts(me)) }
}

/// Stores a token that was just made, or ends it: it is known to nobody else.
async fn keep(app: &App, place: Place, created: &Created<v1::Token>, hint: impl Into<String>) -> Result<(), CliError> {
    let (token, details) = (created.secret.expose_secret(), &created.details);
    let stored = store(app, place, token.into(), &details.principal).await;
    let revoke = async {
        let request = v1::RevokeTokenRequest { name: details.name.clone(), ..Default::default() };
        connect(app, parse(token)?).await?.revoke_token(request).await.map_err(CliError::from)
    };
    app::or_take_back(stored, "the new token", revoke).await.map_err(|error| error.hint(hint))
}

/// Makes a token the one of the profile that is used, with what is known of its owner.
async fn store(app: &App, place: Place, token: SecretString, principal: &str) -> Result<(), CliError> {
    let (settings, path) = (&app.settings, app.config_path()?);
    let endpoint = &settings.endpoint;
    // None of a kind that this version does not know.
    let principal = principal.parse::<PrincipalName>().ok();
    let organization = principal.as_ref().and_then(PrincipalName::organization).map(ToString::to_string);
    let principal = principal.as_ref().map(ToString::to_string);
    let name = &settings.profile;
    let location = match &place.item {
        None => TokenLocation::File(token),
        Some(item) => {
            let label = format!("secrets: token of profile {name} at {endpoint}");
            keyring::write(item, &label, &parse(token.expose_secret())?, Unlocking::on_terminal()).await?;
            TokenLocation::Keyring(item.clone())
        }
    };
    let stored = StoredToken { token: location, endpoint: endpoint.clone(), principal };
    let (new, replaced) = (stored.clone(), settings.own().and_then(|own| own.token.as_ref()));
    let profile = Profile { endpoint: Some(endpoint.clone()), organization, token: Some(stored), ..Profile::default() };
    let mut config = settings.config.clone();
    config.profiles.insert(settings.profile.clone(), profile);
    if let Some(file) = &settings.given_ca_file {
        let absolute =
            std::path::absolute(file).map_err(|error| CliError::usage(format!("`{}`: {error}", file.display())))?;
        config.remember_ca_file(endpoint, Some(absolute));
    }
    if let Err(error) = config.save_as(place.file, path) {
        app.forget(&new).await;
        return Err(error.into());
    }
    if let Some(replaced) = replaced {
        app.forget(replaced).await;
    }
    let place = match new.keyring_item() {
        Some(_) => "your desktop's keyring".to_owned(),
        None => path.display().to_string(),
    };
    let under = if *name == config.profile { String::new() } else { format!(" as profile {name}") };
    app.output.note(&format!("Signed in at {endpoint}{under}; the token is stored in {place}."));
    if !under.is_empty() {
        app.output
            .note(&format!("`--profile {name}` uses it, and `secrets profile use {name}` makes it the usual one."));
    }
    Ok(())
}

/// The token that was stored before.
struct Before<'a> {
    stored: Option<&'a StoredToken>,
    /// None if the keyring does not give it.
    credential: Option<Credential>,
}

impl<'a> Before<'a> {
    /// Reads it while it is there. Nobody is asked for a password for its sake.
    async fn read(app: &'a App) -> Self {
        let stored = app.settings.own().and_then(|own| own.token.as_ref());
        let credential = match stored {
            Some(stored) => app.stored_token(stored, Unlocking::Never).await.ok(),
            None => None,
        };
        Self { stored, credential }
    }

    /// Says which other tokens there still are: the one that was replaced, unless that has ended with the sign-in, and the
    /// environment's.
    async fn mention(&self, app: &App, stored: &SecretString) {
        let settings = &app.settings;
        if let Some(before) = self.stored
            && self.credential.as_ref().is_none_or(|credential| credential.expose() != stored.expose_secret())
            && !self.has_ended(app, before).await
        {
            let whose = before.principal.as_deref().map(|path| format!(" of {}", text::principal(path)));
            app.output.warn(&format!(
                "the token{} at {} that was stored here before is valid until it expires or is revoked; `secrets logout` before a \
                 login ends it",
                whose.unwrap_or_default(),
                before.endpoint
            ));
        }
        if settings.credential.is_some() && !settings.signed_in {
            app.output.warn("SECRETS_TOKEN or SECRETS_TOKEN_FILE is set and overrides this token");
        }
    }

    /// Whether the service says that it has ended; one of another service is not shown to this one.
    async fn has_ended(&self, app: &App, stored: &StoredToken) -> bool {
        let Some(credential) = self.credential.clone().filter(|_| stored.endpoint == app.settings.endpoint) else {
            return false;
        };
        let Ok(client) = connect(app, credential).await else { return false };
        let answer = client.who_am_i(v1::WhoAmIRequest {}).await;
        answer.is_err_and(|error| error.reason() == Some(Reason::Unauthenticated))
    }
}

fn parse(text: &str) -> Result<Credential, CliError> {
    Credential::parse(text).map_err(|error| CliError::usage(error.to_string()))
}

async fn connect(app: &App, credential: Credential) -> Result<Client, CliError> {
    Ok(app.patient(app.settings.client()?.credential(credential)).build()?)
}

pub(crate) async fn whoami(app: &App) -> Result<(), CliError> {
    let me = app.me().await?;
    print(app, me)?;
    if app.output.is_json() {
        return Ok(());
    }
    if let Some(limits) = &me.limits {
        app.output.sentence(&limit_parts(limits))?;
    }
    for resolver in &me.resolvers {
        app.output.note(&text::resolver(resolver, "workspaces of yours get"));
    }
    for invitation in &me.admin_invitations {
        app.output.warn(&text::admin_invitation(invitation, me.server_time.as_ref()));
    }
    Ok(())
}

/// `limits: 64 calls at a time, 20 changes or lists a second, 200 of them at once, 1024 watches, 1000 sessions`
fn limit_parts(limits: &v1::CallerLimits) -> Vec<String> {
    let v1::CallerLimits { calls, calls_per_second, burst, watches, sessions } = limits;
    vec![
        format!("limits: {calls} calls at a time"),
        format!("{calls_per_second} changes or lists a second"),
        format!("{burst} of them at once"),
        format!("{watches} watches"),
        format!("{sessions} sessions"),
    ]
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
        v1::PrincipalKind::Unspecified if me.principal.is_empty() => {
            parts.push("a principal of a kind that this version does not know".to_owned());
        }
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
    if let Some(codes) = me.recovery_codes.as_ref().filter(|_| me.kind() == v1::PrincipalKind::User) {
        let count = text::count(usize::try_from(codes.remaining).unwrap_or(0), "recovery code");
        let made = text::moment(codes.create_time.as_ref());
        parts.push(format!("{count} made {made} with token {}", text::token_id(&codes.creator)));
    }
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
    fn says_in_a_line_how_much_the_caller_may_take() {
        let limits = v1::CallerLimits { calls: 64, calls_per_second: 20, burst: 200, watches: 1024, sessions: 1000 };
        assert_eq!(
            limit_parts(&limits).join(", "),
            "limits: 64 calls at a time, 20 changes or lists a second, 200 of them at once, 1024 watches, 1000 sessions"
        );
    }

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
