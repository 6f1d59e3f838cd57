//! Recovery codes: created and shown on a terminal alone, so that they are in no file and no log.

use std::io::IsTerminal as _;

use secrecy::ExposeSecret as _;
use secrets_client::{Client, CreatedSet, v1};
use serde_json::json;
use zeroize::Zeroizing;

use crate::app::App;
use crate::ui::error::CliError;
use crate::ui::output::{self, text};

/// `login --recovery-codes`.
pub(super) async fn create(app: &App) -> Result<(), CliError> {
    // Before those that there are end.
    if !std::io::stdout().is_terminal() {
        let text =
            "recovery codes are shown on a terminal alone, so that they are in no file and no log; stdout is none";
        return Err(CliError::usage(text)
            .hint("`secrets login --recovery-codes` at a terminal, without a pipe or a redirection, shows them"));
    }
    show(app, app.client()?.create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await?)
}

/// Creates recovery codes for whoever has just signed in with an invitation, where they can be shown. The sign-in is done all the
/// same.
pub(super) async fn offer(app: &App, client: &Client) {
    if app.output.is_json() || !std::io::stdout().is_terminal() {
        return;
    }
    let shown = match client.create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await {
        Ok(created) => show(app, created),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = shown {
        app.output.warn(&format!(
            "you have no recovery codes: {}; `secrets login --recovery-codes` creates them within ten minutes",
            error.message()
        ));
    }
}

fn show(app: &App, created: CreatedSet<v1::CreateRecoveryCodesResponse>) -> Result<(), CliError> {
    let codes: Vec<_> = created.secrets.iter().map(|code| code.expose_secret()).collect();
    let sentence = "Recovery codes: where your token is lost, each signs you in once, and ends what you had signed in with. They \
                    are shown only this once: keep them apart from this machine.";
    let details = created.details.recovery_codes.unwrap_or_default();
    let json = json!({ "recovery_codes": output::json::recovery_codes(&details), "codes": codes });
    let lines = Zeroizing::new(codes.join("\n"));
    app.output
        .credential(sentence, &lines, &json)
        .map_err(|error| error.hint("nobody has these codes; `secrets login --recovery-codes` creates others"))?;
    if created.details.revoked_recovery_codes > 0 {
        let before = usize::try_from(created.details.revoked_recovery_codes).unwrap_or(0);
        app.output.note(&format!("The {} from before end with it.", text::count(before, "recovery code")));
    }
    Ok(())
}
