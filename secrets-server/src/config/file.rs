//! A TOML file as a source of configuration.

use std::path::Path;

use config::{ConfigError, File, FileFormat, Source};

use super::{InvalidConfig, keys};

/// The configuration in the file at `path`, every key of it known.
pub(super) fn source(path: &Path) -> Result<File<config::FileSourceString, FileFormat>, InvalidConfig> {
    let text = std::fs::read_to_string(path).map_err(|error| InvalidConfig::Unreadable {
        what: "the configuration file".to_owned(),
        path: path.to_owned(),
        error,
    })?;
    let source = File::from_str(&text, FileFormat::Toml);
    let table =
        source.collect().map_err(|error| InvalidConfig::Syntax { path: path.to_owned(), place: place(&error) })?;
    keys::check(&table, &format!("`{}`", path.display()))?;
    Ok(source)
}

/// Where the parser stopped. Of its message only the first line is shown: the rest quotes the file.
fn place(error: &ConfigError) -> String {
    let ConfigError::FileParse { cause, .. } = error else { return "it cannot be parsed".to_owned() };
    cause.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_tells_the_line_and_not_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, "[database]\nurl = \"postgres://app:hunter2@db\n").unwrap();
        let message = source(&path).err().unwrap().to_string();
        assert!(message.contains("line 2"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let message = source(Path::new("/nonexistent/server.toml")).err().unwrap().to_string();
        assert!(message.contains("`/nonexistent/server.toml`"), "{message}");
    }
}
