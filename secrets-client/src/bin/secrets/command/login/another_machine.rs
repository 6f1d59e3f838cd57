//! `login --another-machine`: a code for a second machine, which the first one waits for.

use std::io::IsTerminal as _;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use secrets_client::{Client, v1};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::app::{self, App};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{json, text};

/// Between two questions whether somebody came.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The service's ten minutes, and what the last question may take.
const MAX_WAIT: Duration = Duration::from_secs(10 * 60 + 10);

pub(super) async fn sign_in(app: &App) -> Result<(), CliError> {
    if !std::io::stdout().is_terminal() {
        return Err(CliError::usage("the code is for a person, and shown on a terminal alone; stdout is none")
            .hint("a script signs in with a token of its own: `secrets token create`"));
    }
    // Before there is a code that they would leave behind.
    let mut interruption = Interruption::listen()?;
    let client = app.client()?;
    let created = client.create_sign_in_code(v1::CreateSignInCodeRequest::default()).await?;
    let (code, details) = (created.secret.expose_secret(), &created.details);
    let until = text::moment(details.expire_time.as_ref());
    let sentence = format!(
        "On the other machine, `{}` asks for this code. It works once, until {until}. Waiting; Ctrl-C ends the code.",
        app.sign_in_command()
    );
    let shown = app.output.credential(&sentence, code, &json::with(json::sign_in_code(details), "code", code));
    let revoke = v1::RevokeSignInCodeRequest { name: details.name.clone(), ..Default::default() };
    app::or_take_back(shown, "the code", async { Ok(client.revoke_sign_in_code(revoke.clone()).await?) }).await?;
    let came = tokio::select! {
        came = wait(client, &details.name) => came?,
        () = interruption.wait() => match client.revoke_sign_in_code(revoke).await {
            Ok(ended) => ended.sign_in_code.and_then(|code| code.token).ok_or_else(|| {
                CliError::new(ExitCode::Interrupted, "interrupted; the code has ended")
            })?,
            Err(error) => {
                let error = CliError::from(error);
                let text = format!("interrupted, and the code works until {until} all the same: {}", error.message());
                return Err(CliError::new(ExitCode::Interrupted, text));
            }
        },
    };
    say_who_came(app, &came);
    Ok(())
}

/// Waits until the code was redeemed; returns the token. While the service is unavailable, it may be redeemed later.
async fn wait(client: &Client, name: &str) -> Result<v1::Token, CliError> {
    let end = Instant::now() + MAX_WAIT;
    while Instant::now() < end {
        tokio::time::sleep(POLL_INTERVAL).await;
        let code = match client.get_sign_in_code(v1::GetSignInCodeRequest { name: name.to_owned() }).await {
            Ok(answer) => answer.sign_in_code.unwrap_or_default(),
            Err(error) => {
                let error = CliError::from(error);
                if error.exit == ExitCode::Unavailable {
                    continue;
                }
                return Err(error);
            }
        };
        if let Some(token) = code.token {
            return Ok(token);
        }
        if code.revoke_time.is_some() {
            return Err(CliError::new(ExitCode::Failed, "the code was revoked before anybody came"));
        }
    }
    Err(CliError::new(ExitCode::Failed, "nobody came within ten minutes, and the code has expired")
        .hint("`secrets login --another-machine` shows another one"))
}

fn say_who_came(app: &App, token: &v1::Token) {
    let name = if token.display_name.is_empty() { "A machine without a name" } else { &token.display_name };
    let from = if token.address.is_empty() { "an unknown address" } else { &token.address };
    let id = text::token_id(&token.name);
    app.output.note(&format!(
        "{name} at {from} has signed in as you. If that was not you, `secrets token revoke {id}` ends that."
    ));
}

/// What would end this program, and with it the wait.
struct Interruption([Signal; 3]);

impl Interruption {
    fn listen() -> Result<Self, CliError> {
        let listen = |kind| signal(kind).map_err(|error| CliError::new(ExitCode::Failed, format!("signals: {error}")));
        Ok(Self([listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?]))
    }

    async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
