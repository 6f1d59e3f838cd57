//! `profile`: the accounts that a person has, at one service or at several.

use clap::Subcommand;
use secrets_client::{Config, Endpoint, Profile, ProfileName, TokenLocation};
use serde_json::{Value, json};

use crate::app::App;
use crate::command::logout::{self, Ended};
use crate::ui::error::CliError;
use crate::ui::output::table::Table;
use crate::ui::output::text;
use crate::ui::prompt;

#[derive(Subcommand, Debug)]
pub(crate) enum ProfileCommand {
    /// List your profiles; `secrets login --profile NAME` creates one
    #[command(visible_alias = "ls")]
    List,
    /// Use a profile wherever none is named
    Use {
        /// Its name
        #[arg(value_name = "PROFILE")]
        name: ProfileName,
    },
    /// Remove a profile, and end its token
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        #[arg(value_name = "PROFILE")]
        name: ProfileName,
        /// Do not ask
        #[arg(long, short = 'y')]
        yes: bool,
    },
}

pub(crate) async fn run(app: &App, command: ProfileCommand) -> Result<(), CliError> {
    match command {
        ProfileCommand::List => list(app),
        ProfileCommand::Use { name } => use_from_now_on(app, name),
        ProfileCommand::Remove { name, yes } => remove(app, &name, yes).await,
    }
}

fn list(app: &App) -> Result<(), CliError> {
    let config = &app.settings.config;
    let mut table = Table::new(["NAME", "ENDPOINT", "SIGNED IN AS", "ORGANIZATION", "TOKEN", "IN USE"]);
    for (name, profile) in &config.profiles {
        table.row([
            name.to_string(),
            endpoint(profile).map(ToString::to_string).unwrap_or_default(),
            principal(profile).map(text::principal).unwrap_or_default(),
            profile.organization.clone().unwrap_or_default(),
            token_location(profile).unwrap_or_default().to_owned(),
            if *name == app.settings.profile { "*" } else { "" }.to_owned(),
        ]);
    }
    let profiles = config.profiles.iter().map(|(name, profile)| as_json(app, name, profile));
    app.output.list(&table, Value::Array(profiles.collect()), "No profiles; `secrets login` creates one.")
}

fn as_json(app: &App, name: &ProfileName, profile: &Profile) -> Value {
    json!({
        "profile": name.as_str(),
        "endpoint": endpoint(profile),
        "signed_in_at": profile.token.as_ref().map(|stored| &stored.endpoint),
        "principal": principal(profile).unwrap_or_default(),
        "organization": profile.organization.clone().unwrap_or_default(),
        "token_location": token_location(profile),
        "in_use": *name == app.settings.profile,
    })
}

fn use_from_now_on(app: &App, name: ProfileName) -> Result<(), CliError> {
    let mut config = app.settings.config.clone();
    let endpoint = find(&config, &name)?.endpoint.clone();
    config.profile = name.clone();
    config.save(app.config_path()?)?;
    let at = endpoint.map(|endpoint| format!(", at {endpoint}")).unwrap_or_default();
    let json = json!({ "profile": name.as_str() });
    app.output.done(&format!("Profile {name} is used from now on{at}."), &json)?;
    for variable in ["SECRETS_PROFILE", "SECRETS_ENDPOINT", "SECRETS_TOKEN", "SECRETS_TOKEN_FILE"] {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            app.output.warn(&format!("{variable} is set, and overrides it"));
        }
    }
    Ok(())
}

async fn remove(app: &App, name: &ProfileName, yes: bool) -> Result<(), CliError> {
    let profile = find(&app.settings.config, name)?.clone();
    let question = match &profile.token {
        Some(stored) => format!("Remove profile {name}, and end its token at {}?", stored.endpoint),
        None => format!("Remove profile {name}?"),
    };
    if !yes {
        prompt::confirm_or_decline(&question, false, "Nothing was removed.")?;
    }
    let ended = match &profile.token {
        Some(stored) => logout::end(app, name, stored).await?,
        None => Ended::NoToken,
    };
    let path = app.config_path()?;
    let mut config = Config::load(path)?;
    config.profiles.remove(name);
    if config.profile == *name {
        config.profile = ProfileName::default();
    }
    config.save(path)?;
    if let Some(stored) = &profile.token {
        app.forget(stored).await;
    }
    app.output.done(&format!("Profile {name} removed: {}.", ended.describe()), &ended.json())
}

/// The profile of that name; the default one may say nothing yet.
fn find<'a>(config: &'a Config, name: &ProfileName) -> Result<&'a Profile, CliError> {
    static NOTHING: Profile =
        Profile { endpoint: None, organization: None, project: None, workspace: None, token: None };
    match config.profiles.get(name) {
        Some(profile) => Ok(profile),
        None if name.is_default() => Ok(&NOTHING),
        None => Err(secrets_client::ConfigError::NoSuchProfile { name: name.clone() }.into()),
    }
}

/// Where it leads: an endpoint of its own, or that of its token.
fn endpoint(profile: &Profile) -> Option<&Endpoint> {
    profile.endpoint.as_ref().or_else(|| profile.token.as_ref().map(|stored| &stored.endpoint))
}

/// Where its token is: in the configuration file, or in the desktop's keyring.
fn token_location(profile: &Profile) -> Option<&'static str> {
    profile.token.as_ref().map(|stored| match stored.token {
        TokenLocation::File(_) => "file",
        TokenLocation::Keyring(_) => "keyring",
    })
}

fn principal(profile: &Profile) -> Option<&str> {
    profile.token.as_ref()?.principal.as_deref()
}
