use super::*;
use crate::config::StoredToken;

fn defaults(organization: &str, project: &str, workspace: &str) -> Defaults {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Defaults { organization: some(organization), project: some(project), workspace: some(workspace) }
}

fn settings(directory: &Path, pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let home = directory.display().to_string();
    let variable = |name: &str| match name {
        "XDG_CONFIG_HOME" => Some(home.clone()),
        name => pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()),
    };
    Settings::load(Choice::default(), variable, directory)
}

fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// A profile that is signed in.
fn profile(endpoint: &str, token: &str) -> Profile {
    let token = StoredToken { token: token.into(), endpoint: at(endpoint), principal: None };
    Profile { endpoint: Some(at(endpoint)), token: Some(token), ..Profile::default() }
}

fn save(directory: &Path, profiles: impl IntoIterator<Item = (&'static str, Profile)>) {
    let profiles = profiles.into_iter().map(|(name, profile)| (name.parse().unwrap(), profile)).collect();
    let config = Config { profiles, ..Config::default() };
    config.save(&directory.join("secrets/config.toml")).unwrap();
}

#[test]
fn defaults_to_this_machine_without_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path(), &[("SECRETS_TOKEN", ""), ("SECRETS_ENDPOINT", "")]).unwrap();
    assert_eq!(settings.endpoint, Endpoint::default());
    assert!(settings.credential.is_none() && !settings.signed_in);
}

#[test]
fn prefers_the_environment_to_the_users_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let own = Profile { organization: Some("acme".into()), ..profile("http://config:1", "sper_config") };
    save(directory.path(), [("default", own)]);
    let token = |settings: &Settings| settings.credential.as_ref().unwrap().expose().to_owned();

    let own = settings(directory.path(), &[]).unwrap();
    assert_eq!((own.endpoint.as_str(), token(&own).as_str(), own.signed_in), ("http://config:1", "sper_config", true));

    let file = directory.path().join("token");
    std::fs::write(&file, "sopr_file\n").unwrap();
    let file = file.display().to_string();
    let given = settings(directory.path(), &[("SECRETS_TOKEN_FILE", &file), ("SECRETS_ENDPOINT", "http://env:1")]);
    let given = given.unwrap();
    assert_eq!(
        (given.endpoint.as_str(), token(&given).as_str(), given.signed_in),
        ("http://env:1", "sopr_file", false)
    );

    let both = settings(directory.path(), &[("SECRETS_TOKEN_FILE", &file), ("SECRETS_TOKEN", "sses_env")]).unwrap();
    assert_eq!(token(&both), "sses_env");
}

#[test]
fn a_stored_token_goes_to_its_own_endpoint_alone() {
    let directory = tempfile::tempdir().unwrap();
    save(directory.path(), [("default", profile("https://a.example", "sper_a"))]);
    let is_sent = |pairs: &[(&str, &str)]| settings(directory.path(), pairs).unwrap().credential.is_some();
    assert!(is_sent(&[]) && is_sent(&[("SECRETS_ENDPOINT", "https://A.example:443/")]));
    for other in ["http://a.example", "https://a.example:8443", "https://b.example", "http://127.0.0.1:50051"] {
        assert!(!is_sent(&[("SECRETS_ENDPOINT", other)]), "{other}");
        let choice = Choice { endpoint: Some(at(other)), ..Choice::default() };
        let home = directory.path().display().to_string();
        let variable = |name: &str| (name == "XDG_CONFIG_HOME").then(|| home.clone());
        let chosen = Settings::load(choice, variable, directory.path()).unwrap();
        assert!(chosen.credential.is_none() && !chosen.signed_in && chosen.endpoint == at(other), "{other}");
    }
    assert!(is_sent(&[("SECRETS_ENDPOINT", "https://b.example"), ("SECRETS_TOKEN", "sses_b")]));
}

#[test]
fn uses_the_profile_that_was_chosen_before_the_environment_and_that_before_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let profiles = [
        ("default", profile("https://a.example", "sper_a")),
        ("lab", profile("https://b.example", "sper_b")),
        ("home", profile("https://c.example", "sper_c")),
    ];
    save(directory.path(), profiles);
    let home = directory.path().display().to_string();
    let used = |chosen: Option<&str>, pairs: &[(&str, &str)]| {
        let variable = |name: &str| match name {
            "XDG_CONFIG_HOME" => Some(home.clone()),
            name => pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()),
        };
        let choice = Choice { profile: chosen.map(|name| name.parse().unwrap()), ..Choice::default() };
        let settings = Settings::load(choice, variable, directory.path())?;
        let token = settings.credential.map(|credential| credential.expose().to_owned()).unwrap_or_default();
        Ok::<_, ConfigError>((settings.endpoint.to_string(), token))
    };
    let is = |endpoint: &str, token: &str| (endpoint.to_owned(), token.to_owned());
    let by_variable = ("SECRETS_PROFILE", "lab");
    assert_eq!(used(None, &[]).unwrap(), is("https://a.example", "sper_a"));
    assert_eq!(used(None, &[by_variable]).unwrap(), is("https://b.example", "sper_b"));
    assert_eq!(used(Some("home"), &[by_variable]).unwrap(), is("https://c.example", "sper_c"));
    let environment = [by_variable, ("SECRETS_ENDPOINT", "https://d.example"), ("SECRETS_TOKEN", "sses_d")];
    assert_eq!(used(None, &environment).unwrap(), is("https://d.example", "sses_d"));
    assert_eq!(used(Some("home"), &environment).unwrap(), is("https://c.example", "sper_c"));
    let unknown = used(None, &[("SECRETS_PROFILE", "nope")]).unwrap_err().to_string();
    assert!(unknown.contains("no profile `nope`") && unknown.contains("secrets login --profile nope"), "{unknown}");
    assert!(used(None, &[("SECRETS_PROFILE", "-x")]).unwrap_err().to_string().contains("SECRETS_PROFILE"));
}

#[test]
fn names_the_variable_with_an_invalid_endpoint_and_never_shows_it() {
    let directory = tempfile::tempdir().unwrap();
    let error = settings(directory.path(), &[("SECRETS_ENDPOINT", "https://bob:canary@a.example")]).err().unwrap();
    let error = error.to_string();
    assert!(error.contains("SECRETS_ENDPOINT") && error.contains("password") && !error.contains("canary"), "{error}");
}

#[test]
fn plain_text_to_another_machine_is_allowed_by_the_environment_or_for_its_endpoint() {
    let directory = tempfile::tempdir().unwrap();
    let exposed = ("SECRETS_ENDPOINT", "http://10.0.0.5:1");
    let is_allowed = |pairs: &[(&str, &str)]| settings(directory.path(), pairs).unwrap().is_insecure();
    assert!(!is_allowed(&[exposed]) && !is_allowed(&[exposed, ("SECRETS_INSECURE", "0")]));
    assert!(is_allowed(&[exposed, ("SECRETS_INSECURE", "1")]));
    let mut config = Config::default();
    config.remember_insecure(&at("http://10.0.0.5:1"), true);
    config.save(&directory.path().join("secrets/config.toml")).unwrap();
    assert!(is_allowed(&[exposed]) && !is_allowed(&[("SECRETS_ENDPOINT", "http://10.0.0.6:1")]));
}

#[test]
fn needs_no_home_directory_when_a_token_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings::load(
        Choice::default(),
        |name| (name == "SECRETS_TOKEN").then(|| "sses_x".to_owned()),
        directory.path(),
    );
    assert!(settings.unwrap().config_path.is_none());
    let below_a_file = |name: &str| match name {
        "SECRETS_TOKEN" => Some("sses_x".to_owned()),
        "HOME" => Some("/dev/null".to_owned()),
        _ => None,
    };
    let settings = Settings::load(Choice::default(), below_a_file, directory.path());
    assert!(settings.unwrap().credential.is_some());
}

#[test]
fn names_the_token_file_that_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let error = settings(directory.path(), &[("SECRETS_TOKEN_FILE", "/nonexistent/token")]).err().unwrap();
    assert!(error.to_string().contains("/nonexistent/token"), "{error}");
}

#[test]
fn takes_project_and_workspace_from_one_layer() {
    let layers = [defaults("", "api", ""), defaults("acme", "web", "ws1")];
    assert_eq!(Defaults::merged(&layers), defaults("acme", "api", ""));
    let layers = [defaults("acme", "", ""), defaults("", "", "ws1"), defaults("acme", "web", "")];
    assert_eq!(Defaults::merged(&layers), defaults("acme", "", "ws1"));
}

#[test]
fn takes_nothing_from_a_layer_of_another_organization() {
    let layers = [defaults("other", "", ""), defaults("acme", "api", "ws1"), defaults("other", "web", "")];
    assert_eq!(Defaults::merged(&layers), defaults("other", "web", ""));
}
