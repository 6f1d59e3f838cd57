//! `logout`: ends the stored token, there and here.

use secrets_client::{Choice, ClientError, Config, ProfileName, Reason, Settings, StoredToken, v1};
use secrets_core::CredentialKind;
use serde_json::json;

use crate::app::{self, App};
use crate::keyring::Unlocking;
use crate::ui::error::CliError;
use crate::ui::output::text;

/// What becomes of a token that is no longer stored.
pub(crate) enum Ended {
    /// There was none.
    NoToken,
    /// It was revoked, and so many sessions with it; others go on with a token that was created with it.
    Revoked { sessions: i32, moved: i32 },
    /// It had expired, or was revoked before.
    Before,
    /// It is the operator's, which the server's own file holds too.
    Operator,
    /// The service does not let it revoke itself.
    NotAllowed,
}

pub(crate) async fn logout(app: &App) -> Result<(), CliError> {
    let (settings, path) = (&app.settings, app.config_path()?);
    let name = &settings.profile;
    let Some(stored) = settings.own().and_then(|own| own.token.as_ref()) else {
        return app.output.done("You were not signed in.", &Ended::NoToken.json());
    };
    if stored.endpoint != settings.endpoint {
        return Err(app::not_signed_in(settings));
    }
    let ended = end(app, name, stored).await?;
    let mut config = Config::load(path)?;
    if let Some(own) = config.profiles.get_mut(name) {
        own.token = None;
    }
    config.save(path)?;
    app.forget(stored).await;
    let sentence = format!("Signed out at {}: {}.", stored.endpoint, ended.describe());
    app.output.done(&sentence, &ended.json())?;
    if settings.credential.is_some() && !settings.signed_in {
        app.output.warn("SECRETS_TOKEN or SECRETS_TOKEN_FILE is set, and is used all the same");
    }
    Ok(())
}

/// Ends a profile's token at the service that it was made at, as far as the service allows that.
pub(crate) async fn end(app: &App, name: &ProfileName, stored: &StoredToken) -> Result<Ended, CliError> {
    let token = app.stored_token(stored, Unlocking::on_terminal()).await?;
    let kind = token.kind();
    if kind == Some(CredentialKind::Operator) {
        return Ok(Ended::Operator);
    }
    let choice = Choice {
        profile: Some(name.clone()),
        endpoint: Some(stored.endpoint.clone()),
        insecure: app.settings.given_insecure,
        new_profile: false,
    };
    let mut settings = Settings::from_environment_with(choice)?;
    settings.given_ca_file.clone_from(&app.settings.given_ca_file);
    let client = app.patient(settings.connection()?.credential(token)).build()?;
    let revoked = match kind {
        Some(CredentialKind::Session) => client
            .revoke_session(v1::RevokeSessionRequest::default())
            .await
            .map(|answer| Ended::Revoked { sessions: answer.revoked_sessions.saturating_sub(1), moved: 0 }),
        _ => revoke_own_token(&client).await,
    };
    match revoked {
        Ok(ended) => Ok(ended),
        Err(error) => match error.reason() {
            Some(Reason::Unauthenticated) => Ok(Ended::Before),
            Some(Reason::PermissionDenied) => Ok(Ended::NotAllowed),
            _ => Err(still_valid(error)),
        },
    }
}

/// Whoever leaves one machine goes on at another one: what was created with the token does not end with it.
async fn revoke_own_token(client: &secrets_client::Client) -> Result<Ended, ClientError> {
    let name = client.who_am_i(v1::WhoAmIRequest {}).await?.credential;
    let request = v1::RevokeTokenRequest { name, alone: true, ..Default::default() };
    let answer = client.revoke_token(request).await?;
    Ok(Ended::Revoked { sessions: answer.revoked_sessions, moved: answer.moved_sessions })
}

fn still_valid(error: ClientError) -> CliError {
    let error = CliError::from(error);
    CliError::new(error.exit, format!("the token is still valid, and still stored: {}", error.message())).hint(
        "try again when the service can be reached; `secrets config unset token` removes the token from this machine alone, and \
         `secrets token revoke` ends it from another one",
    )
}

impl Ended {
    /// What became of the token: `the token was revoked, and 2 sessions with it`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::NoToken => "it had no token".to_owned(),
            Self::Revoked { sessions: 0, moved: 0 } => "the token was revoked".to_owned(),
            Self::Revoked { sessions, moved: 0 } => {
                format!("the token was revoked, and {} with it", text::count(number(*sessions), "session"))
            }
            Self::Revoked { moved, .. } => {
                let sessions = text::count(number(*moved), "session");
                format!(
                    "the token was revoked; its sessions go on with the next one, which was created with it ({sessions})"
                )
            }
            Self::Before => "the token had expired, or was revoked before".to_owned(),
            Self::Operator => {
                "the operator's token was removed from this machine's configuration, and stays valid".to_owned()
            }
            Self::NotAllowed => {
                "the token was removed from this machine, and stays valid, since the service does not let it \
                                 revoke itself: an administrator can"
                    .to_owned()
            }
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let (sessions, moved) = match self {
            Self::Revoked { sessions, moved } => (*sessions, *moved),
            _ => (0, 0),
        };
        let revoked = matches!(self, Self::Revoked { .. });
        json!({ "revoked": revoked, "revoked_sessions": sessions, "moved_sessions": moved })
    }
}

fn number(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0)
}
