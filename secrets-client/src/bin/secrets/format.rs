//! Names and values in the formats of other programs, each of which reads every value back as it is, or it is refused or,
//! on request, left out.
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

/// A document, and what is not in it.
pub(crate) struct Document {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Names with their targets, which have no place in it.
    pub(crate) left_out: Vec<String>,
    /// How many values the format can't carry, and whose, with the reasons; none if that was refused.
    pub(crate) skipped: Option<(usize, String)>,
}

/// What becomes of a value that a format can't carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnfitPolicy {
    Refuse,
    Skip,
}

/// Why a value has no form in a format.
type Unfit = String;

/// How a format writes one secret.
type WriteSecret = fn(&SecretId, &[u8], &mut Vec<u8>) -> Result<(), Unfit>;

/// `A (it has a carriage return); B, C (not UTF-8)`: each reason once, in the order in which they come.
fn by_reason(unfit: &[(&ResolvedSecret, Unfit)]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for (_, why) in unfit {
        if !reasons.contains(&why.as_str()) {
            reasons.push(why);
        }
    }
    let each = reasons.into_iter().map(|reason| {
        let names: Vec<&str> =
            unfit.iter().filter(|(_, why)| why == reason).map(|(secret, _)| secret.secret_id().as_str()).collect();
        format!("{} ({reason})", names.join(", "))
    });
    each.collect::<Vec<_>>().join("; ")
}

impl Format {
    /// Writes the secrets that fit into this format. What it can't carry is refused together.
    pub(crate) fn write(self, secrets: &[ResolvedSecret], unfit: UnfitPolicy) -> Result<Document, CliError> {
        let (fitting, others): (Vec<_>, Vec<_>) = secrets.iter().partition(|secret| self.takes(secret));
        let left_out = others.iter().map(|secret| {
            let target = text::checked_target(&secret.target);
            format!("{} ({target})", secret.secret_id())
        });
        let left_out = left_out.collect();
        let mut skipped = Vec::new();
        let text = match self.writer() {
            Some(writer) => self.enclose(each(&fitting, writer, &mut skipped)),
            None => Zeroizing::new(
                Plan::new(fitting.iter().copied(), None, &ExecutableArgs::default())?
                    .docker_config()
                    .as_bytes()
                    .to_vec(),
            ),
        };
        if unfit == UnfitPolicy::Refuse && !skipped.is_empty() {
            return Err(self.refusal(&skipped));
        }
        let skipped = (!skipped.is_empty()).then(|| (skipped.len(), by_reason(&skipped)));
        Ok(Document { text, left_out, skipped })
    }

    /// How it writes one secret; nothing where it holds only what was made for it.
    fn writer(self) -> Option<WriteSecret> {
        match self {
            Self::Shell => Some(shell::write),
            Self::Dotenv => Some(dotenv::write),
            Self::Docker => Some(docker::write),
            Self::Json => Some(json::write),
            Self::Yaml => Some(yaml::write),
            Self::Dockerconfigjson => None,
        }
    }

    /// The document of what was written.
    fn enclose(self, text: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Json => json::enclose(&text),
            Self::Yaml if text.is_empty() => Zeroizing::new(b"{}\n".to_vec()),
            _ => text,
        }
    }

    /// Names what it can't carry, with each reason, and what can.
    fn refusal(self, unfit: &[(&ResolvedSecret, Unfit)]) -> CliError {
        let is_one = unfit.len() == 1;
        let (it, value) = if is_one { ("it", "the value") } else { ("them", "values") };
        let carriers: Vec<String> = Self::value_variants()
            .iter()
            .filter(|format| **format != self && unfit.iter().all(|(secret, _)| format.carries(secret)))
            .map(|format| format!("--format {}", format.name()))
            .collect();
        CliError::new(ExitCode::Failed, format!("can't be written as {}: {}", self.name(), by_reason(unfit))).hint(format!(
            "{value} can be carried by {}, and printed by `secrets resolve NAME --raw`; --skip-unrepresentable leaves {it} out",
            carriers.join(", ")
        ))
    }

    /// Whether it can carry the value of this secret.
    fn carries(self, secret: &ResolvedSecret) -> bool {
        let mut text = Zeroizing::new(Vec::with_capacity(room_for(&[secret])));
        self.takes(secret)
            && self.writer().is_some_and(|write| write(secret.secret_id(), secret.expose(), &mut text).is_ok())
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
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

const fn is_variable(secret: &ResolvedSecret) -> bool {
    matches!(secret.target, Target::EnvironmentVariable)
}

/// Writes one secret after the other, but for those that are `unfit`.
fn each<'a>(
    secrets: &[&'a ResolvedSecret],
    write: WriteSecret,
    unfit: &mut Vec<(&'a ResolvedSecret, Unfit)>,
) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(room_for(secrets)));
    for secret in secrets {
        if let Err(why) = write(secret.secret_id(), secret.expose(), &mut text) {
            unfit.push((*secret, why));
        }
    }
    text
}

/// The most that secrets become: a document is made at once in that size, so that no part of it stays behind in memory when
/// it grows.
fn room_for(secrets: &[&ResolvedSecret]) -> usize {
    let most = |secret: &&ResolvedSecret| {
        secret.secret_id().as_str().len() + MAX_BYTES_PER_VALUE_BYTE * secret.expose().len() + 32
    };
    secrets.iter().map(most).sum()
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
        String::from_utf8(
            format.write(secrets, UnfitPolicy::Refuse).unwrap_or_else(|error| panic!("{error:?}")).text.to_vec(),
        )
        .unwrap()
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
            assert_eq!(format.write(&set(), UnfitPolicy::Refuse).unwrap().left_out.len(), left_out, "{format:?}");
        }
        let config = Format::Dockerconfigjson.write(&set(), UnfitPolicy::Refuse).unwrap();
        assert_eq!(config.left_out, ["NO (variable)", "KEY (file ~/key (0600))"]);
        assert!(written(Format::Dockerconfigjson, &set()).contains(r#""auth": "Ym9iOnQ=""#));
    }

    #[test]
    fn names_all_that_does_not_fit_and_shows_none_of_it() {
        let set =
            [secret("A", b"canary\n", &VARIABLE), secret("B", b"x", &VARIABLE), secret("C", b"canary\r", &VARIABLE)];
        let error = format!("{:?}", Format::Docker.write(&set, UnfitPolicy::Refuse).err().unwrap());
        assert!(error.contains("A (it has a newline); C (") && !error.contains("canary"), "{error}");
        assert!(Format::Json.write(&self::set(), UnfitPolicy::Refuse).is_err());
    }

    #[test]
    fn names_the_formats_that_can() {
        let refusal = |format: Format, value: &[u8], target: &Target| {
            format!("{:?}", format.write(&[secret("A", value, target)], UnfitPolicy::Refuse).err().unwrap())
        };
        for (format, value, carriers) in [
            (Format::Dotenv, &b"a\r\nb"[..], "--format shell, --format json, --format yaml,"),
            (Format::Dotenv, b"${A}", "--format shell, --format docker, --format json, --format yaml,"),
            (Format::Docker, b"a\nb", "--format shell, --format dotenv, --format json, --format yaml,"),
        ] {
            let error = refusal(format, value, &VARIABLE);
            assert!(error.contains(carriers), "{format:?} {value:?}: {error}");
        }
        let error = refusal(Format::Json, b"\xff", &file("~/key", 0o600));
        assert!(error.contains("carried by --format yaml,"), "{error}");
    }

    #[test]
    fn leaves_out_on_request_what_it_cannot_carry() {
        let set = [secret("A", b"a\r", &VARIABLE), secret("B", b"x", &VARIABLE), secret("C", b"${A}", &VARIABLE)];
        let document = Format::Dotenv.write(&set, UnfitPolicy::Skip).unwrap();
        assert_eq!(document.text.as_slice(), b"B=x\n");
        let (count, whose) = document.skipped.unwrap();
        assert!(count == 2 && whose.starts_with("A (it has a carriage return") && whose.contains("; C ("), "{whose}");
        let set = [secret("A", b"${A}", &VARIABLE), secret("B", b"a\r", &VARIABLE), secret("C", b"${A}", &VARIABLE)];
        let (count, whose) = Format::Dotenv.write(&set, UnfitPolicy::Skip).unwrap().skipped.unwrap();
        assert!(count == 3 && whose.starts_with("A, C (") && whose.contains("; B ("), "{whose}");
        let (one, two) = (file("~/one", 0o600), file("~/two", 0o600));
        let set = [secret("A", b"\xff", &one), secret("B", b"x", &VARIABLE), secret("C", b"\xff", &two)];
        assert_eq!(Format::Json.write(&set, UnfitPolicy::Skip).unwrap().text.as_slice(), b"{\n  \"B\": \"x\"\n}\n");
        assert_eq!(Format::Json.write(&set[..1], UnfitPolicy::Skip).unwrap().text.as_slice(), b"{}\n");
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
