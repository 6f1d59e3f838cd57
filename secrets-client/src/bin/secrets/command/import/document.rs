//! The file of an import, as the service takes it.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use clap::ValueEnum;
use secrets_client::v1::import_secrets_request::Source;
use secrets_client::{ClientError, Reason, v1};
use secrets_core::Limits;
use zeroize::Zeroizing;

use super::yaml::{self, Kind, Member};
use crate::ui::error::{CliError, ExitCode};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Dotenv,
    Json,
    Yaml,
}

/// What is sent, and where its entries stand.
pub(super) struct Document {
    /// What a person calls the file.
    name: String,
    source: Source,
    /// The line of each entry; none where the service counts them itself.
    lines: Vec<usize>,
}

impl Format {
    /// The format that the file's name ends in.
    pub(super) fn of_file(file: &Path) -> Self {
        let extension = file.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("json") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Dotenv,
        }
    }
}

impl Document {
    /// Reads a file, or stdin for `-`, and not more of it than shows that it is too large.
    pub(super) fn read(file: &Path, format: Format, stringify: bool) -> Result<Self, CliError> {
        let most = Limits::default().import_bytes;
        let is_stdin = file.as_os_str() == "-";
        let name = if is_stdin { "stdin".to_owned() } else { format!("`{}`", file.display()) };
        let failed = |error: std::io::Error| {
            let exit = if error.kind() == ErrorKind::NotFound { ExitCode::NotFound } else { ExitCode::Failed };
            CliError::new(exit, format!("{name}: {error}"))
        };
        let mut bytes = Zeroizing::new(Vec::new());
        if is_stdin {
            std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
        } else {
            let file = std::fs::File::open(file).map_err(failed)?;
            file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
        }
        if bytes.len() as u64 > most {
            let error = format!("{name} must be at most {most} bytes; nothing was imported");
            return Err(CliError::new(ExitCode::Failed, error));
        }
        let source = match format {
            Format::Dotenv => Source::Dotenv(bytes.to_vec()),
            Format::Json => Source::Json(bytes.to_vec()),
            Format::Yaml => {
                let members = yaml::parse(&bytes).map_err(|error| {
                    CliError::new(ExitCode::Failed, format!("{name}: {error}; nothing was imported"))
                })?;
                refuse_others(&name, &members, stringify)?;
                let lines = members.iter().map(|member| member.line).collect();
                return Ok(Self { name, source: Source::Json(json(&members)?), lines });
            }
        };
        Ok(Self { name, source, lines: Vec::new() })
    }

    pub(super) fn source(&self) -> Source {
        self.source.clone()
    }

    /// A refusal by the service: of what can't be read, by the name of the file.
    pub(super) fn refused(&self, error: ClientError) -> CliError {
        let unreadable = error.answer().filter(|answer| answer.reason == Some(Reason::ImportSyntax));
        match unreadable.and_then(|answer| answer.violations.first()) {
            Some(violation) => {
                let error = format!("{}: {}; nothing was imported", self.name, violation.description);
                CliError::new(ExitCode::Failed, error)
            }
            None => error.into(),
        }
    }

    /// Gives the entries the lines on which they stand in the file.
    pub(super) fn number(&self, entries: &mut [v1::ImportedEntry]) {
        for entry in entries {
            let place = usize::try_from(entry.line).ok().and_then(|place| place.checked_sub(1));
            if let Some(line) = place.and_then(|place| self.lines.get(place)) {
                entry.line = i32::try_from(*line).unwrap_or(i32::MAX);
            }
        }
    }
}

/// Refuses what is not a text by its line and name, unless it is to be taken as it is spelled.
fn refuse_others(file: &str, members: &[Member], stringify: bool) -> Result<(), CliError> {
    const MAX_SHOWN: usize = 20;
    let is_other = |member: &&Member| !matches!(member.kind, Kind::Text | Kind::Nothing);
    let others: Vec<&Member> = members.iter().filter(is_other).filter(|_| !stringify).collect();
    if others.is_empty() {
        return Ok(());
    }
    let is_presentable =
        |name: &str| name.len() <= 127 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let describe = |member: &&Member| {
        let name = if is_presentable(&member.name) { format!(" `{}`", member.name) } else { String::new() };
        format!("line {}{name} is {}", member.line, member.kind.describe())
    };
    let mut list: Vec<String> = others.iter().take(MAX_SHOWN).map(describe).collect();
    list.extend(others.len().checked_sub(MAX_SHOWN + 1).map(|more| format!("and {} more", more + 1)));
    let error = format!("{file}: {}, not a text; nothing was imported", list.join(", "));
    let them = if others.len() == 1 { ("it", "it is") } else { ("them", "they are") };
    let hint = format!("put quotes around {0}, or take {0} as {1} spelled: --stringify", them.0, them.1);
    Err(CliError::new(ExitCode::Failed, error).hint(hint))
}

/// The same as a JSON object of strings.
fn json(members: &[Member]) -> Result<Vec<u8>, CliError> {
    /// As many bytes as one of a value becomes at most: `\u0000` of a control character.
    const MAX_BYTES_PER_VALUE_BYTE: usize = 6;
    let internal = |error: serde_json::Error| CliError::new(ExitCode::Failed, error.to_string());
    // Made at once in its full size, so that no part of it stays behind in memory when it grows.
    let size =
        members.iter().map(|member| (member.name.len() + member.value.len()) * MAX_BYTES_PER_VALUE_BYTE + 8).sum();
    let mut text: Vec<u8> = Vec::with_capacity(size);
    text.push(b'{');
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &member.name).map_err(internal)?;
        text.push(b':');
        let value = if member.kind == Kind::Nothing { "" } else { member.value.as_str() };
        serde_json::to_writer(&mut text, value).map_err(internal)?;
    }
    text.push(b'}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_format_by_the_files_name() {
        for (file, format) in [
            (".env", Format::Dotenv),
            ("secrets.json", Format::Json),
            ("secrets.yaml", Format::Yaml),
            ("a/b.YML", Format::Yaml),
            ("-", Format::Dotenv),
            (".json", Format::Dotenv),
        ] {
            assert_eq!(Format::of_file(Path::new(file)), format, "{file}");
        }
    }

    #[test]
    fn sends_yaml_as_an_object_of_strings_with_its_lines() {
        let members = yaml::parse(b"# c\nA: |\n  one\n  two\nB: ~\n\nPORT: 0x1F\n").unwrap();
        assert_eq!(json(&members).unwrap(), br#"{"A":"one\ntwo\n","B":"","PORT":"0x1F"}"#);
        let lines = members.iter().map(|member| member.line).collect();
        let document = Document { name: "stdin".into(), source: Source::Json(Vec::new()), lines };
        let mut entries: Vec<_> = [3, 1, 4, 0, -1].map(|line| v1::ImportedEntry { line, ..Default::default() }).into();
        document.number(&mut entries);
        assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [7, 2, 4, 0, -1]);
    }

    #[test]
    fn names_what_is_not_a_text_and_does_not_show_it() {
        let members = yaml::parse(b"A: text\nPORT: 421337\nDEBUG: yes\nDAY: 2026-01-31\nNONE:\n").unwrap();
        let error = format!("{:?}", refuse_others("stdin", &members, false).unwrap_err());
        let words = "line 2 `PORT` is a number, line 3 `DEBUG` is a boolean, line 4 `DAY` is a date, not a text";
        assert!(error.contains(words) && error.contains("--stringify") && !error.contains("421337"), "{error}");
        assert!(refuse_others("stdin", &members, true).is_ok());
    }
}
