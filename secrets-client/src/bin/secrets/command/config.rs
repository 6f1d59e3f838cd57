//! `config`: the user's own configuration.

use clap::{Subcommand, ValueEnum};
use secrets_client::Config;
use secrets_core::{MASK, OrganizationId, ProjectId, WorkspaceId};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::args::scope;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Print a setting
    Get { key: Key },
    /// Change a setting
    Set { key: Key, value: String },
    /// Remove a setting; removing `token` signs out
    Unset { key: Key },
    /// Print all settings
    List,
    /// Print the path of the file
    Path,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Key {
    /// Address of the service
    Endpoint,
    /// File with a certificate authority to trust in addition to the system's, for this endpoint
    CaFile,
    /// Organization of commands that name none
    Organization,
    /// Project of commands that name no context
    Project,
    /// Workspace of commands that name no context
    Workspace,
    /// The token that `login` stored; never printed
    Token,
}

/// Where the file is, whatever is in it.
pub(crate) fn path(output: Output) -> Result<(), CliError> {
    let path = Config::path(|name| std::env::var(name).ok())?;
    match output.is_json() {
        true => output.json(&json!({ "path": path })),
        false => output.text(&format!("{}\n", path.display())),
    }
}

pub(crate) fn run(app: &App, command: ConfigCommand) -> Result<(), CliError> {
    let path = app.config_path()?;
    let mut config = app.settings.config.clone();
    let endpoint = &app.settings.endpoint;
    match command {
        ConfigCommand::Path => self::path(app.output),
        ConfigCommand::List => {
            let set = Key::value_variants().iter().filter_map(|key| Some((*key, get(&config, endpoint, *key)?)));
            // `ca_file` is the one for the endpoint that is meant now; others have their own.
            let others = config.ca_files.iter().filter(|(of, _)| *of != endpoint);
            if app.output.is_json() {
                let mut map: Map<String, Value> = set.map(|(key, value)| (name(key), Value::String(value))).collect();
                if !config.ca_files.is_empty() {
                    map.insert("ca_files".to_owned(), serde_json::json!(config.ca_files));
                }
                return app.output.json(&Value::Object(map));
            }
            let others = others.map(|(of, file)| format!("ca_file of {of} = {}\n", file.display()));
            let lines = set.map(|(key, value)| format!("{} = {value}\n", name(key))).chain(others);
            app.output.text(&lines.collect::<String>())
        }
        ConfigCommand::Get { key } => match get(&config, endpoint, key) {
            Some(value) if app.output.is_json() => app.output.json(&Value::String(value)),
            Some(value) => app.output.text(&format!("{value}\n")),
            None => Err(CliError::new(ExitCode::NotFound, format!("`{}` is not set", name(key)))),
        },
        ConfigCommand::Set { key: Key::Token, .. } => {
            Err(scope::value_as_argument("NAME").hint("`secrets login` asks for the token, hidden"))
        }
        ConfigCommand::Set { key, value } => {
            set(&mut config, endpoint, key, value)?;
            config.save(path)?;
            print_setting(app, &config, key)
        }
        ConfigCommand::Unset { key } => {
            match key {
                Key::Endpoint => config.endpoint = None,
                Key::CaFile => {
                    config.remember_ca_file(endpoint, None);
                    config.ca_file = None;
                }
                Key::Organization => config.organization = None,
                Key::Project => config.project = None,
                Key::Workspace => config.workspace = None,
                Key::Token => (config.token, config.principal) = (None, None),
            }
            config.save(path)?;
            print_setting(app, &config, key)
        }
    }
}

/// Prints what a setting is now, for a program: a person knows.
fn print_setting(app: &App, config: &Config, key: Key) -> Result<(), CliError> {
    match app.output.is_json() {
        true => app.output.json(&json!({ name(key): get(config, &app.settings.endpoint, key) })),
        false => Ok(()),
    }
}

fn get(config: &Config, endpoint: &str, key: Key) -> Option<String> {
    match key {
        Key::Endpoint => config.endpoint.clone(),
        Key::CaFile => config.ca_file_of(endpoint).map(|path| path.display().to_string()),
        Key::Organization => config.organization.clone(),
        Key::Project => config.project.clone(),
        Key::Workspace => config.workspace.clone(),
        Key::Token => config.token.as_ref().map(|_| MASK.to_owned()),
    }
}

fn set(config: &mut Config, endpoint: &str, key: Key, value: String) -> Result<(), CliError> {
    let refused = |error: secrets_core::InvalidIdentifier| CliError::usage(error.to_string());
    match key {
        Key::Endpoint => {
            if !value.starts_with("http://") && !value.starts_with("https://") {
                return Err(CliError::usage(format!("invalid endpoint `{value}`"))
                    .hint("expected a URL such as `http://127.0.0.1:50051` or `https://secrets.example.com`"));
            }
            config.endpoint = Some(value);
        }
        Key::CaFile => {
            let path = std::path::absolute(&value).map_err(|error| CliError::usage(format!("`{value}`: {error}")))?;
            config.remember_ca_file(endpoint, Some(path));
        }
        Key::Organization => {
            config.organization = Some(value.parse::<OrganizationId>().map_err(refused)?.to_string());
        }
        Key::Project => config.project = Some(value.parse::<ProjectId>().map_err(refused)?.to_string()),
        Key::Workspace => config.workspace = Some(value.parse::<WorkspaceId>().map_err(refused)?.to_string()),
        Key::Token => {}
    }
    Ok(())
}

fn name(key: Key) -> String {
    key.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_valid_values_and_refuses_the_rest() {
        let mut config = Config::default();
        set(&mut config, "https://e", Key::Organization, "acme".into()).unwrap();
        assert_eq!(get(&config, "https://e", Key::Organization).as_deref(), Some("acme"));
        assert!(set(&mut config, "https://e", Key::Project, "No Project".into()).is_err());
        assert!(set(&mut config, "https://e", Key::Endpoint, "127.0.0.1:50051".into()).is_err());
    }

    #[test]
    fn keeps_an_authority_for_the_endpoint() {
        let mut config = Config::default();
        set(&mut config, "https://e", Key::CaFile, "/ca.pem".into()).unwrap();
        assert_eq!(get(&config, "https://e", Key::CaFile).as_deref(), Some("/ca.pem"));
        assert_eq!(get(&config, "https://other", Key::CaFile), None);
    }

    #[test]
    fn never_prints_the_token() {
        let config = Config { token: Some("sper_canary".into()), ..Config::default() };
        assert_eq!(get(&config, "https://e", Key::Token).as_deref(), Some(MASK));
    }
}
