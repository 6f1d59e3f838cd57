//! `org invite-admin` and `org refuse-admin`: the operator's way in where no administrator is left.

use std::time::Duration;

use clap::Args;
use secrecy::ExposeSecret as _;
use secrets_client::v1;
use secrets_core::{AdminInvitationName, OrganizationId, OrganizationName, Uid, UserId};

use crate::app::{self, App};
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{json, text};

#[derive(Args, Debug)]
pub(crate) struct InviteAdminArgs {
    /// Identifier of the organization
    organization_id: OrganizationId,
    /// Identifier of the person
    user_id: UserId,
    /// How long the code can be redeemed once it works [default: 7d]
    #[arg(long, value_parser = time::duration)]
    ttl: Option<Duration>,
    /// Invite somebody who has secrets, which redeeming the code destroys
    #[arg(long)]
    destroy_secrets: bool,
}

pub(super) async fn invite(app: &App, args: InviteAdminArgs) -> Result<(), CliError> {
    let request = v1::InviteAdminRequest {
        parent: OrganizationName::new(args.organization_id.clone()).to_string(),
        user_id: args.user_id.to_string(),
        ttl: time::ttl(args.ttl),
        destroy_secrets: args.destroy_secrets,
        ..Default::default()
    };
    let client = app.client()?;
    let (details, invitation) = client.invite_admin(request).await?;
    let code = invitation.secret.expose_secret();
    let until = text::moment(details.expire_time.as_ref());
    let when = match &details.start_time {
        Some(start) => format!("from {} on, and until {until}", text::moment(Some(start))),
        None => format!("until {until}"),
    };
    if details.start_time.is_some() {
        app.output.note(&format!(
            "An administrator of {} can sign in: each of them can revoke this until then, and every member is told.",
            args.organization_id
        ));
    }
    let sentence =
        format!("{} becomes an administrator with this code {when}: {}", args.user_id, app.sign_in_command());
    let json = json::with(json::admin_invitation(&details), "code", code);
    let printed = app.output.credential(&sentence, code, &json);
    let refuse = v1::RefuseAdminRequest { name: details.name.clone(), ..Default::default() };
    app::or_take_back(printed, "the code", async { Ok(client.refuse_admin(refuse).await?) }).await
}

pub(super) async fn refuse(app: &App, typed: &str) -> Result<(), CliError> {
    let name = match typed.parse::<Uid>() {
        Ok(uid) => AdminInvitationName { organization: app.organization().await?, uid }.to_string(),
        Err(_) if typed.contains('/') => typed.to_owned(),
        Err(_) => {
            return Err(CliError::new(ExitCode::NotFound, format!("there is no invitation `{typed}`"))
                .hint("`secrets org show` prints the identifiers"));
        }
    };
    let answer = app.client()?.refuse_admin(v1::RefuseAdminRequest { name, ..Default::default() }).await?;
    let invitation = answer.admin_invitation.unwrap_or_default();
    let user = text::principal(&invitation.user);
    if let Some(time) = &invitation.redeem_time {
        let time = text::moment(Some(time));
        return Err(CliError::new(ExitCode::Failed, format!("too late: {user} came at {time}"))
            .hint(format!("`secrets user delete {user}`, or `secrets member remove {user} --role admin`")));
    }
    app.output.done(&format!("The invitation of {user} is revoked."), &json::admin_invitation(&invitation))
}
