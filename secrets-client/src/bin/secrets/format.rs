//! Names and values in the formats of other programs, each of which reads every value back as it is, or it is refused.
//!
//! To add a format: a variant of [`Format`], a file with a function that writes one secret, and its real reader in
//! `tests/cli/formats.rs`.

mod docker;
mod dotenv;
mod json;
mod shell;
mod yaml;

use clap::ValueEnum;
use secrets_client::ResolvedSecret;
use secrets_core::{SecretId, Target};
use zeroize::Zeroizing;

use crate::args::executable::ExecutableArgs;
use crate::delivery::Plan;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// `export` lines of the variables, for `eval` and `source`
    Shell,
    /// A .env file of the variables
    Dotenv,
    /// The variables, for `docker run --env-file`
    Docker,
    /// An object of all names and values
    Json,
    /// A mapping of all names and values
    Yaml,
    /// Docker's configuration of the registry credentials
    Dockerconfigjson,
}

/// A document, and what has no place in it.
pub(crate) struct Document {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Names with their targets.
    pub(crate) left_out: Vec<String>,
}

/// Why a value has no form in a format.
type Unfit = String;

impl Format {
    /// Writes the secrets that fit into this format.
    pub(crate) fn write(self, secrets: &[ResolvedSecret]) -> Result<Document, CliError> {
        let (fitting, others): (Vec<_>, Vec<_>) = secrets.iter().partition(|secret| self.takes(secret));
        let left_out = others.iter().map(|secret| {
            let target = text::checked_target(&secret.target);
            format!("{} ({target})", secret.secret_id())
        });
        let left_out = left_out.collect();
        let text = match self {
            Self::Shell => each(self, &fitting, shell::write)?,
            Self::Dotenv => each(self, &fitting, dotenv::write)?,
            Self::Docker => each(self, &fitting, docker::write)?,
            Self::Yaml if fitting.is_empty() => Zeroizing::new(b"{}\n".to_vec()),
            Self::Yaml => each(self, &fitting, yaml::write)?,
            Self::Json => json::enclose(&each(self, &fitting, json::write)?),
            Self::Dockerconfigjson => Zeroizing::new(
                Plan::new(fitting, None, &ExecutableArgs::default())?.docker_config().as_bytes().to_vec(),
            ),
        };
        Ok(Document { text, left_out })
    }

    /// What has its place in a document of this format.
    pub(crate) const fn contents(self) -> &'static str {
        match self {
            Self::Shell | Self::Dotenv | Self::Docker => "variables",
            Self::Json | Self::Yaml => "everything",
            Self::Dockerconfigjson => "registry credentials",
        }
    }

    /// Whether it has a place for this kind of secret.
    pub(crate) const fn takes(self, secret: &ResolvedSecret) -> bool {
        match self {
            Self::Shell | Self::Dotenv | Self::Docker => is_variable(secret),
            Self::Json | Self::Yaml => true,
            Self::Dockerconfigjson => matches!(secret.target, Target::Registry { .. }),
        }
    }

    /// The name by which the flag knows it.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

const fn is_variable(secret: &ResolvedSecret) -> bool {
    matches!(secret.target, Target::EnvironmentVariable)
}

/// Writes one secret after the other. What does not fit is refused together, each with its reason.
fn each(
    format: Format,
    secrets: &[&ResolvedSecret],
    write: impl Fn(&SecretId, &[u8], &mut Vec<u8>) -> Result<(), Unfit>,
) -> Result<Zeroizing<Vec<u8>>, CliError> {
    // Made at once in its full size, so that no part of it stays behind in memory when it grows.
    let most = secrets
        .iter()
        .map(|secret| secret.secret_id().as_str().len() + MAX_BYTES_PER_VALUE_BYTE * secret.expose().len() + 32)
        .sum();
    let mut text = Zeroizing::new(Vec::with_capacity(most));
    let mut unfit = Vec::new();
    for secret in secrets {
        if let Err(why) = write(secret.secret_id(), secret.expose(), &mut text) {
            unfit.push(format!("{} ({why})", secret.secret_id()));
        }
    }
    if unfit.is_empty() {
        return Ok(text);
    }
    let message = format!("can't be written as {}: {}", format.name(), unfit.join(", "));
    Err(CliError::new(ExitCode::Failed, message)
        .hint("`--format yaml` takes every value; `secrets resolve NAME --raw` prints one"))
}

/// As many bytes as one of a value becomes at most: `\u0000` of a control character.
const MAX_BYTES_PER_VALUE_BYTE: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::{file, registry, secret};

    const VARIABLE: Target = Target::EnvironmentVariable;

    fn set() -> Vec<ResolvedSecret> {
        vec![
            secret("NO", b"it's", &VARIABLE),
            secret("KEY", b"\xff", &file("~/key", 0o600)),
            secret("GH", b"t", &registry("ghcr.io")),
        ]
    }

    fn written(format: Format, secrets: &[ResolvedSecret]) -> String {
        String::from_utf8(format.write(secrets).unwrap_or_else(|error| panic!("{error:?}")).text.to_vec()).unwrap()
    }

    #[test]
    fn leaves_out_what_has_no_place() {
        for (format, text, left_out) in [
            (Format::Shell, "export NO='it'\\''s'\n", 2),
            (Format::Dotenv, "NO=\"it's\"\n", 2),
            (Format::Docker, "NO=it's\n", 2),
            (Format::Yaml, "\"NO\": \"it's\"\n\"KEY\": !!binary \"/w==\"\n\"GH\": \"t\"\n", 0),
        ] {
            assert_eq!(written(format, &set()), text);
            assert_eq!(format.write(&set()).unwrap().left_out.len(), left_out, "{format:?}");
        }
        let config = Format::Dockerconfigjson.write(&set()).unwrap();
        assert_eq!(config.left_out, ["NO (variable)", "KEY (file ~/key (0600))"]);
        assert!(written(Format::Dockerconfigjson, &set()).contains(r#""auth": "Ym9iOnQ=""#));
    }

    #[test]
    fn names_all_that_does_not_fit_and_shows_none_of_it() {
        let set =
            [secret("A", b"canary\n", &VARIABLE), secret("B", b"x", &VARIABLE), secret("C", b"canary\r", &VARIABLE)];
        let error = format!("{:?}", Format::Docker.write(&set).err().unwrap());
        assert!(error.contains("A (it has a newline), C (") && !error.contains("canary"), "{error}");
        assert!(Format::Json.write(&self::set()).is_err());
    }

    #[test]
    fn writes_a_document_of_nothing() {
        for (format, text) in [
            (Format::Shell, ""),
            (Format::Dotenv, ""),
            (Format::Docker, ""),
            (Format::Json, "{}\n"),
            (Format::Yaml, "{}\n"),
        ] {
            assert_eq!(written(format, &[]), text);
        }
    }
}
