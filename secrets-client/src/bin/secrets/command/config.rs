//! `config`: the user's own configuration.

use clap::{Subcommand, ValueEnum};
use secrets_client::{Config, Endpoint, InvalidEndpoint, ProfileName};
use secrets_core::{MASK, OrganizationId, ProjectId, WorkspaceId};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::args::scope;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Print a setting
    Get {
        /// The setting
        key: Key,
    },
    /// Change a setting
    Set {
        /// The setting
        key: Key,
        /// Its new value
        value: String,
    },
    /// Remove a setting; `secrets logout` ends a token before it is removed
    Unset {
        /// The setting
        key: Key,
    },
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
    /// `true` if this endpoint may be reached without TLS although it is on another machine
    Insecure,
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

pub(crate) async fn run(app: &App, command: ConfigCommand) -> Result<(), CliError> {
    let path = app.config_path()?;
    let mut config = app.settings.config.clone();
    let (profile, endpoint) = (&app.settings.profile, &app.settings.endpoint);
    match command {
        ConfigCommand::Path => self::path(app.output),
        ConfigCommand::List => {
            let set =
                Key::value_variants().iter().filter_map(|key| Some((*key, get(&config, profile, endpoint, *key)?)));
            // `ca_file` and `insecure` are the ones for the endpoint that is meant now; others have their own.
            let others = config.endpoints.iter().filter(|(other, _)| *other != endpoint);
            if app.output.is_json() {
                let mut map: Map<String, Value> = set.map(|(key, value)| (name(key), Value::String(value))).collect();
                if !config.endpoints.is_empty() {
                    map.insert("endpoints".to_owned(), json!(config.endpoints));
                }
                return app.output.json(&Value::Object(map));
            }
            let others = others.flat_map(|(other, known)| {
                let file = known.ca_file.as_ref().map(|file| format!("ca_file of {other} = {}\n", file.display()));
                file.into_iter().chain(known.insecure.then(|| format!("insecure of {other} = true\n")))
            });
            let lines = set.map(|(key, value)| format!("{} = {value}\n", name(key))).chain(others);
            app.output.text(&lines.collect::<String>())
        }
        ConfigCommand::Get { key } => match get(&config, profile, endpoint, key) {
            Some(value) if app.output.is_json() => app.output.json(&Value::String(value)),
            Some(value) => app.output.text(&format!("{value}\n")),
            None => Err(CliError::new(ExitCode::NotFound, format!("`{}` is not set", name(key)))),
        },
        ConfigCommand::Set { key: Key::Token, .. } => {
            Err(scope::value_as_argument("NAME").hint("`secrets login` asks for a code or a token, hidden"))
        }
        ConfigCommand::Set { key, value } => {
            set(&mut config, profile, endpoint, key, value)?;
            config.save(path)?;
            print_setting(app, &config, key)
        }
        ConfigCommand::Unset { key } => {
            let stored = config.profiles.get(profile).and_then(|own| own.token.clone());
            unset(&mut config, profile, endpoint, key);
            config.save(path)?;
            if let Some(stored) = stored.filter(|_| key == Key::Token) {
                app.forget(&stored).await;
            }
            print_setting(app, &config, key)
        }
    }
}

/// Prints what a setting is now, for a program: a person knows.
fn print_setting(app: &App, config: &Config, key: Key) -> Result<(), CliError> {
    match app.output.is_json() {
        true => app.output.json(&json!({ name(key): get(config, &app.settings.profile, &app.settings.endpoint, key) })),
        false => Ok(()),
    }
}

fn get(config: &Config, profile: &ProfileName, endpoint: &Endpoint, key: Key) -> Option<String> {
    let own = config.profiles.get(profile);
    match key {
        Key::Endpoint => own?.endpoint.as_ref().map(ToString::to_string),
        Key::CaFile => config.ca_file_of(endpoint).map(|path| path.display().to_string()),
        Key::Insecure => config.allows_insecure(endpoint).then(|| true.to_string()),
        Key::Organization => own?.organization.clone(),
        Key::Project => own?.project.clone(),
        Key::Workspace => own?.workspace.clone(),
        Key::Token => own?.token.as_ref().map(|_| MASK.to_owned()),
    }
}

fn set(
    config: &mut Config,
    profile: &ProfileName,
    endpoint: &Endpoint,
    key: Key,
    value: String,
) -> Result<(), CliError> {
    let refused = |error: secrets_core::InvalidIdentifier| CliError::usage(error.to_string());
    match key {
        Key::CaFile => {
            let path = std::path::absolute(&value).map_err(|error| CliError::usage(format!("`{value}`: {error}")))?;
            config.remember_ca_file(endpoint, Some(path));
            return Ok(());
        }
        Key::Insecure => {
            let insecure = value.parse().map_err(|_| CliError::usage("`insecure` must be `true` or `false`"))?;
            config.remember_insecure(endpoint, insecure);
            return Ok(());
        }
        _ => {}
    }
    let own = config.profiles.entry(profile.clone()).or_default();
    match key {
        Key::Endpoint => {
            let invalid = |error: InvalidEndpoint| CliError::usage(format!("invalid endpoint: {error}"));
            own.endpoint = Some(value.parse().map_err(invalid)?);
        }
        Key::Organization => own.organization = Some(value.parse::<OrganizationId>().map_err(refused)?.to_string()),
        Key::Project => own.project = Some(value.parse::<ProjectId>().map_err(refused)?.to_string()),
        Key::Workspace => own.workspace = Some(value.parse::<WorkspaceId>().map_err(refused)?.to_string()),
        Key::Token | Key::CaFile | Key::Insecure => {}
    }
    Ok(())
}

fn unset(config: &mut Config, profile: &ProfileName, endpoint: &Endpoint, key: Key) {
    match key {
        Key::CaFile => {
            config.remember_ca_file(endpoint, None);
            config.ca_file = None;
        }
        Key::Insecure => config.remember_insecure(endpoint, false),
        _ => {}
    }
    let Some(own) = config.profiles.get_mut(profile) else { return };
    match key {
        Key::Endpoint => own.endpoint = None,
        Key::Organization => own.organization = None,
        Key::Project => own.project = None,
        Key::Workspace => own.workspace = None,
        Key::Token => own.token = None,
        Key::CaFile | Key::Insecure => {}
    }
}

fn name(key: Key) -> String {
    key.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use secrets_client::{Profile, StoredToken};

    use super::*;

    fn at(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn keeps_valid_values_and_refuses_the_rest() {
        let (mut config, own, e) = (Config::default(), ProfileName::default(), at("https://e"));
        set(&mut config, &own, &e, Key::Organization, "acme".into()).unwrap();
        assert_eq!(get(&config, &own, &e, Key::Organization).as_deref(), Some("acme"));
        assert!(set(&mut config, &own, &e, Key::Project, "No Project".into()).is_err());
        for invalid in ["127.0.0.1:50051", "https://bob:canary@e", "https://e/canary"] {
            let error = set(&mut config, &own, &e, Key::Endpoint, invalid.into()).unwrap_err();
            assert!(!error.message().contains("canary"), "{}", error.message());
        }
    }

    #[test]
    fn keeps_what_holds_for_the_endpoint() {
        let (mut config, own, e) = (Config::default(), ProfileName::default(), at("http://e"));
        set(&mut config, &own, &e, Key::CaFile, "/ca.pem".into()).unwrap();
        set(&mut config, &own, &e, Key::Insecure, "true".into()).unwrap();
        assert!(set(&mut config, &own, &e, Key::Insecure, "yes".into()).is_err());
        for (key, value) in [(Key::CaFile, "/ca.pem"), (Key::Insecure, "true")] {
            assert_eq!(get(&config, &own, &e, key).as_deref(), Some(value));
            assert_eq!(get(&config, &own, &at("http://other"), key), None);
            unset(&mut config, &own, &e, key);
            assert_eq!(get(&config, &own, &e, key), None);
        }
    }

    #[test]
    fn never_prints_the_token() {
        let stored = StoredToken { token: "sper_canary".into(), endpoint: at("https://e"), principal: None };
        let profile = Profile { token: Some(stored), ..Profile::default() };
        let own = ProfileName::default();
        let config = Config { profiles: [(own.clone(), profile)].into(), ..Config::default() };
        assert_eq!(get(&config, &own, &at("https://e"), Key::Token).as_deref(), Some(MASK));
    }
}
