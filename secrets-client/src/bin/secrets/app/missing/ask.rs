//! Asks the person on the terminal for what `secrets.toml` requires and nobody has set.
//!
//! Nothing is asked for in vain: only where all that is missing could be the person's own, and only after the service has
//! said that it would take each, which it does not for a reserved name, and that no lock stands above. What was written by
//! whoever wrote the file is told from what this program says.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use secrets_client::{Client, secret_value, v1};
use secrets_core::{Description, OrganizationId, ScopeName};

use super::{RequestedSecret, missing_error};
use crate::app::App;
use crate::args::scope::ContextArgs;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::prompt;

/// What is sent to find out whether a value would be taken.
const REHEARSED_VALUE: &[u8] = b"rehearsed";
/// What is shown of a description.
const MAX_DESCRIPTION_CHARACTERS: usize = 400;

/// A secret that the person may set as their own.
struct Offer<'a> {
    secret: &'a RequestedSecret,
    /// The person's scope.
    parent: String,
}

impl App {
    /// Asks for what is missing, and stores it among the person's own secrets; otherwise ends with `refusal`, or with what is
    /// still missing. Says nothing where there is nobody to ask.
    pub(crate) async fn ask_for_missing(&self, context: &ContextArgs, refusal: CliError) -> Result<(), CliError> {
        let Some(path) = self.settings.repository_path.as_deref().filter(|_| somebody_is_there()) else {
            return Err(refusal);
        };
        // Whatever fails meanwhile, the refusal says what is wrong.
        let Ok(availability) = self.availability(context, &self.required(&[])).await else { return Err(refusal) };
        let missing: Vec<&RequestedSecret> = availability.names.iter().filter(|name| name.is_missing()).collect();
        let Some(own) = availability.context.as_ref().and_then(own_scope) else { return Err(refusal) };
        let offers = missing.iter().map(|secret| Offer { secret, parent: own.to_string() }).collect::<Vec<_>>();
        let client = self.client()?;
        for offer in &offers {
            if !offer.is_possible(client).await {
                return Err(refusal);
            }
        }
        let asked = self.ask(client, path, &offers).await;
        prompt::leave_signals(); // what runs a program takes them from now on
        asked
    }

    async fn ask(&self, client: &Client, path: &Path, offers: &[Offer<'_>]) -> Result<(), CliError> {
        if offers.len() > 1 {
            let missing: Vec<&RequestedSecret> = offers.iter().map(|offer| offer.secret).collect();
            self.output.note(missing_error(&missing).message());
        }
        for (index, offer) in offers.iter().enumerate() {
            let name = &offer.secret.secret_id;
            self.output.note(&offer.sentence(path));
            // The file may have it mistyped.
            if let Some(meant) = self.similar_in_context(name).await {
                self.output.note(&meant);
            }
            if index == 0 {
                self.output
                    .note(&format!("{name} will be a secret of your own, for nobody else. Enter alone leaves it."));
            }
            let value = match prompt::value(&format!("Value of {name}"), false) {
                Err(error) if error.exit != ExitCode::Interrupted => return Err(error),
                Ok(value) if !value.is_empty() => value,
                Ok(_) | Err(_) => {
                    let left: Vec<&RequestedSecret> = offers.iter().skip(index).map(|offer| offer.secret).collect();
                    return Err(missing_error(&left).hint(self.every_way(&left)));
                }
            };
            let created = client.create_secret(offer.request(&value, false)).await?;
            self.output.note(&format!("secrets: {name} created among your own secrets"));
            self.output.warnings(&created.warnings);
        }
        Ok(())
    }
}

impl Offer<'_> {
    /// Whether the person may set it, and would then get it.
    async fn is_possible(&self, client: &Client) -> bool {
        let may = self.secret.remedies.iter().any(|remedy| remedy.scope == self.parent && remedy.allowed);
        let is_locked = |other: &v1::NotChosen| {
            other.secret.as_ref().is_none_or(|secret| secret.override_policy() == v1::OverridePolicy::Locked)
        };
        if !may || self.secret.explanation.not_chosen.iter().any(is_locked) {
            return false;
        }
        let rehearsed = self.request(REHEARSED_VALUE, true);
        let blocked = |warning: &v1::Warning| warning.code() == v1::WarningCode::BlockedByLock;
        client.create_secret(rehearsed).await.is_ok_and(|answer| !answer.warnings.iter().any(blocked))
    }

    fn request(&self, value: &[u8], validate_only: bool) -> v1::CreateSecretRequest {
        // One that no secret may have is shown, and left out of the secret.
        let description = self.secret.description.as_ref().filter(|text| text.parse::<Description>().is_ok());
        v1::CreateSecretRequest {
            parent: self.parent.clone(),
            secret_id: self.secret.secret_id.clone(),
            secret: Some(v1::Secret { description: description.cloned().unwrap_or_default(), ..Default::default() }),
            value: Some(secret_value(value)),
            validate_only,
            ..Default::default()
        }
    }

    /// Who asks, and in which words.
    fn sentence(&self, path: &Path) -> String {
        let asks = format!("`{}` asks for {}", path.display(), self.secret.secret_id);
        match &self.secret.description {
            Some(description) => format!("{asks}, in its words: {}", quoted(description)),
            None => asks,
        }
    }
}

/// Somebody else's words: their end is seen, whatever quotes they have in them.
fn quoted(words: &str) -> String {
    let mut characters = words.chars();
    let shown: String = characters.by_ref().take(MAX_DESCRIPTION_CHARACTERS).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("\"{}{rest}\"", shown.replace('\\', r"\\").replace('"', "\\\""))
}

/// Whether a person can be asked and is in the foreground: in the background, asking would stop this program.
fn somebody_is_there() -> bool {
    let stdin = io::stdin();
    prompt::stdin_is_terminal() && io::stderr().is_terminal() && tcgetpgrp(&stdin).is_ok_and(|group| group == getpgrp())
}

/// The scope of the person whose context it is; none for a service account.
fn own_scope(context: &v1::Context) -> Option<ScopeName> {
    let organization: OrganizationId = context.organization.parse().ok()?;
    Some(ScopeName::User(organization, context.user.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_files_words_from_its_own() {
        for (words, shown) in [
            ("your own key", r#""your own key""#),
            (r#"a key". Enter your password: \"#, r#""a key\". Enter your password: \\""#),
        ] {
            assert_eq!(quoted(words), shown);
        }
        assert_eq!(quoted(&"é".repeat(1_000)).chars().count(), MAX_DESCRIPTION_CHARACTERS + 3);
    }

    #[test]
    fn has_no_own_scope_for_a_service_account() {
        let context = |user: &str| v1::Context { organization: "acme".into(), user: user.into(), ..Default::default() };
        assert_eq!(own_scope(&context("bob")).unwrap().to_string(), "organizations/acme/users/bob");
        assert_eq!(own_scope(&context("")), None);
    }
}
