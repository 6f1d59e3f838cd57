//! The process's environment as a source of configuration.
//!
//! `SECRETS__DATABASE__URL` sets `database.url`; `SECRETS__DATABASE__URL_FILE` sets it from a file, less one
//! trailing newline. An empty variable counts as absent. Lists (`listeners`) come from a file alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{InvalidConfig, keys};

const PREFIX: &str = "SECRETS__";
const ORIGIN: &str = "the environment";

/// The variables that a configuration may depend on, and whether the process is root's.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
    root: bool,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect(), root: rustix::process::geteuid().is_root() }
    }

    /// One of the given variables.
    pub fn from_variables<K: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, root: false }
    }

    /// The same, as root.
    #[must_use]
    pub fn as_root(self) -> Self {
        Self { root: true, ..self }
    }

    /// Where everything is kept when nothing else is said: `/var/lib/secrets` as root, else
    /// `$XDG_DATA_HOME/secrets`, which is `~/.local/share/secrets` unless set.
    pub(super) fn default_data_dir(&self) -> Result<PathBuf, InvalidConfig> {
        if self.root {
            return Ok(PathBuf::from("/var/lib/secrets"));
        }
        // The XDG base directory specification: a relative path is to be ignored.
        let absolute = |name| self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("secrets"))
            .ok_or(InvalidConfig::NoHome)
    }

    /// The configuration that the variables give.
    pub(super) fn source(&self) -> Result<config::Environment, InvalidConfig> {
        let mut given = config::Map::new();
        for (name, value) in &self.variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            let Some((key, from_file)) = key_of(name) else { return Err(unknown(name)) };
            if value.is_empty() {
                continue;
            }
            let value = if from_file { read(name, Path::new(value))? } else { text(name, value)? };
            if given.insert(variable_of(key), value).is_some() {
                return Err(InvalidConfig::refused(
                    variable_of(key),
                    "given twice, by itself and with `_FILE`; keep one",
                ));
            }
        }
        Ok(config::Environment::with_prefix("SECRETS").prefix_separator("__").separator("__").source(Some(given)))
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.variables.iter().find(|(each, _)| each == name).map(|(_, value)| value)
    }
}

/// The key that the variable `name` gives, and whether it names a file that holds the value.
fn key_of(name: &str) -> Option<(&'static str, bool)> {
    let key_named = |name: &str| keys::scalars().find(|key| variable_of(key) == name);
    // `SECRETS__ROOT_KEY__FILE` is a key of its own: the plain reading comes first.
    key_named(name)
        .map(|key| (key, false))
        .or_else(|| name.strip_suffix("_FILE").and_then(key_named).map(|key| (key, true)))
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

fn unknown(name: &str) -> InvalidConfig {
    let known = keys::scalars().map(|key| format!("`{}`", variable_of(key))).collect::<Vec<_>>().join(", ");
    let known = format!("{known}, each also with `_FILE`");
    InvalidConfig::UnknownKey { key: name.to_owned(), origin: ORIGIN.to_owned(), known }
}

fn text(name: &str, value: &OsString) -> Result<String, InvalidConfig> {
    value.to_str().map(str::to_owned).ok_or_else(|| InvalidConfig::refused(name, "its value is not UTF-8"))
}

fn read(name: &str, path: &Path) -> Result<String, InvalidConfig> {
    let mut text = std::fs::read_to_string(path).map_err(|error| InvalidConfig::Unreadable {
        what: format!("the file that `{name}` names"),
        path: path.to_owned(),
        error,
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use config::Source;

    use super::*;

    fn collected(variables: &[(&str, &str)]) -> Result<Vec<(String, String)>, InvalidConfig> {
        let source = Environment::from_variables(variables.iter().copied()).source()?;
        let mut pairs: Vec<_> =
            source.collect().unwrap().into_iter().map(|(key, value)| (key, value.into_string().unwrap())).collect();
        pairs.sort();
        Ok(pairs)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn variables_become_keys() {
        let collected = collected(&[
            ("SECRETS__DATABASE__URL", "postgres://db/x"),
            ("SECRETS__ROOT_KEY__FILE", "/etc/root-key"),
            ("SECRETS__LOG__LEVEL", ""),
            ("SECRETS_TOKEN", "belongs to the client"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(
            collected.unwrap(),
            pairs(&[("database.url", "postgres://db/x"), ("root_key.file", "/etc/root-key")])
        );
    }

    #[test]
    fn a_file_variable_reads_its_value_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgres://db/x\n").unwrap();
        let path = file.to_str().unwrap();
        let collected = |variables: &[(&str, &str)]| collected(variables);

        let read = collected(&[("SECRETS__DATABASE__URL_FILE", path)]).unwrap();
        assert_eq!(read, pairs(&[("database.url", "postgres://db/x")]));

        let twice = collected(&[("SECRETS__DATABASE__URL_FILE", path), ("SECRETS__DATABASE__URL", "postgres://db/y")]);
        assert!(matches!(twice, Err(InvalidConfig::Refused { key, .. }) if key == "SECRETS__DATABASE__URL"));

        let absent = collected(&[("SECRETS__DATABASE__URL_FILE", "/nonexistent/url")]);
        assert!(absent.unwrap_err().to_string().contains("SECRETS__DATABASE__URL_FILE"));
    }

    #[test]
    fn an_unknown_variable_is_named() {
        for name in ["SECRETS__DATABASE__URI", "SECRETS__LISTENERS", "SECRETS__", "SECRETS__log__level"] {
            let message = collected(&[(name, "hunter2")]).unwrap_err().to_string();
            assert!(message.contains(&format!("`{name}` in the environment")), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn the_data_directory_follows_the_base_directory_specification() {
        for (variables, expected) in [
            (vec![("XDG_DATA_HOME", "/data"), ("HOME", "/home/ann")], "/data/secrets"),
            (vec![("XDG_DATA_HOME", "relative"), ("HOME", "/home/ann")], "/home/ann/.local/share/secrets"),
            (vec![("HOME", "/home/ann")], "/home/ann/.local/share/secrets"),
        ] {
            assert_eq!(Environment::from_variables(variables).default_data_dir().unwrap(), Path::new(expected));
        }
        assert!(matches!(Environment::default().default_data_dir(), Err(InvalidConfig::NoHome)));
        let root = Environment::from_variables([("HOME", "/root")]).as_root();
        assert_eq!(root.default_data_dir().unwrap(), Path::new("/var/lib/secrets"));
    }
}
