//! `login --renew`: another token in place of the stored one, which then ends.

use secrecy::ExposeSecret as _;
use secrets_client::{Client, Created, Credential, Reason, v1};
use secrets_core::CredentialKind;

use super::{LoginArgs, Place, code, connect, keep, machine, parse, print, recovery};
use crate::app::{self, App};
use crate::args::time;
use crate::keyring::Unlocking;
use crate::ui::error::CliError;
use crate::ui::output::text;

/// Sooner than this before its end, a sign-in needs another code to go on.
const CODE_SECONDS: i64 = 14 * 24 * 60 * 60;

pub(super) async fn renew(app: &App, args: &LoginArgs) -> Result<(), CliError> {
    let settings = &app.settings;
    let stored = settings.own().and_then(|own| own.token.as_ref());
    let stored = stored.filter(|stored| stored.endpoint == settings.endpoint);
    let Some(stored) = stored else { return Err(app::not_signed_in(settings)) };
    let old = connect(app, app.stored_token(stored, Unlocking::on_terminal()).await?).await?;
    let me = match old.who_am_i(v1::WhoAmIRequest {}).await {
        Ok(me) => Some(me),
        Err(error) if error.reason() == Some(Reason::Unauthenticated) => None,
        Err(error) => return Err(error.into()),
    };
    let goes_on = me.as_ref().is_some_and(goes_on_without_code) && args.invite.is_none();
    let entered = if goes_on { None } else { Some(code::entered_to_go_on(app, args)?) };
    // Before a code is used up; and the token stays where the one before is.
    let place = Place::reserve(app, args.keyring || stored.keyring_item().is_some()).await?;
    let kind = entered.as_ref().and_then(Credential::kind);
    let (created, hint) = match entered.zip(kind) {
        None => (successor(&old, args).await?, "the stored token is valid as before".to_owned()),
        Some((entered, kind)) => (code::redeem(app, kind, entered, args).await?, code::used_up(kind)),
    };
    keep(app, place, &created, hint).await?;
    if let Some(me) = me {
        end(app, &old, me.credential).await;
    }
    let new = connect(app, parse(created.secret.expose_secret())?).await?;
    if kind == Some(CredentialKind::Invitation) {
        recovery::offer(app, &new).await;
    }
    print(app, &new.who_am_i(v1::WhoAmIRequest {}).await?)
}

/// Whether a token that is made with this one lives for longer than this one. A person's does as the same sign-in, until a year
/// after they entered a code.
fn goes_on_without_code(me: &v1::WhoAmIResponse) -> bool {
    match (me.kind(), me.sign_in_end_time, me.server_time) {
        (v1::PrincipalKind::User, Some(end), Some(now)) => end.seconds.saturating_sub(now.seconds) > CODE_SECONDS,
        (v1::PrincipalKind::User, ..) => false,
        _ => true,
    }
}

async fn successor(old: &Client, args: &LoginArgs) -> Result<Created<v1::Token>, CliError> {
    let request = v1::CreateTokenRequest {
        display_name: args.name.clone().unwrap_or_else(machine),
        ttl: time::ttl(args.ttl),
        successor: true,
        ..Default::default()
    };
    Ok(old.create_token(request).await?)
}

/// Ends the token before. The new one is stored already, so that nothing is lost when this fails.
async fn end(app: &App, old: &Client, name: String) {
    let id = text::token_id(&name);
    match old.revoke_token(v1::RevokeTokenRequest { name, alone: true, ..Default::default() }).await {
        Ok(ended) if ended.moved_sessions > 0 => {
            let sessions = text::count(usize::try_from(ended.moved_sessions).unwrap_or(0), "session");
            app.output.note(&format!("The token before has ended; {sessions} go on with the new one."));
        }
        Ok(_) => app.output.note("The token before has ended."),
        Err(error) if error.reason() == Some(Reason::Unauthenticated) => {} // the code's invitation had ended it
        Err(error) => {
            let error = CliError::from(error);
            app.output.warn(&format!(
                "the token before is still valid: {}; `secrets token revoke {id}` ends it",
                error.message()
            ));
        }
    }
}
