//! What is on this machine: files, addresses, a proxy.

use secrets_client::{Config, ConnectError, Defaults, Settings};

use super::Check;
use crate::keyring::{self, Unlocking};

pub(super) fn configuration(settings: &Settings) -> Check {
    const NAME: &str = "configuration";
    let Some(path) = settings.config_path.as_deref() else {
        return Check::ok(NAME, "none: neither XDG_CONFIG_HOME nor HOME is set");
    };
    let shown = path.display();
    if !path.exists() {
        Check::ok(NAME, format!("{shown} does not exist yet"))
    } else if Config::is_exposed(path) {
        Check::warn(NAME, format!("{shown} can be read by others"), format!("chmod 600 {shown}"))
    } else {
        let profile = match settings.profile.is_default() {
            true => String::new(),
            false => format!(", profile {}", settings.profile),
        };
        let has_token = settings.signed_in && settings.keyring_item.is_none();
        let token = if has_token { ", with your token in it" } else { "" };
        Check::ok(NAME, format!("{shown}, readable by you alone{profile}{token}"))
    }
}

/// What is meant when nothing is named, if anything is.
pub(super) fn context(settings: &Settings) -> Option<Check> {
    let Defaults { organization, project, workspace } = Defaults::merged(&settings.layers);
    let parts = [("organization", organization), ("project", project), ("workspace", workspace)];
    let parts: Vec<String> = parts.into_iter().filter_map(|(noun, id)| Some(format!("{noun} {}", id?))).collect();
    (!parts.is_empty()).then(|| Check::ok("context", parts.join(", ")))
}

pub(super) fn token_file(settings: &Settings) -> Option<Check> {
    let path = settings.credential_file.as_deref()?;
    let shown = path.display();
    Some(if secrets_client::credentials::is_world_readable(path) {
        Check::warn("token file", format!("{shown} can be read by everybody here"), format!("chmod 600 {shown}"))
    } else {
        Check::ok("token file", shown.to_string())
    })
}

/// The keyring, if the token is there. What it gives is used from then on.
pub(super) async fn keyring(settings: &mut Settings) -> Option<Check> {
    const NAME: &str = "keyring";
    let item = settings.keyring_item.as_ref()?;
    Some(match keyring::read(item, Unlocking::on_terminal()).await {
        Ok(credential) => {
            settings.credential = Some(credential);
            Check::ok(NAME, "your desktop's keyring has your token, and gives it")
        }
        Err(error) => Check::fail(NAME, format!("your token is there, and {error}"), error.remedy()),
    })
}

pub(super) fn endpoint(settings: &Settings) -> Check {
    const NAME: &str = "endpoint";
    let endpoint = &settings.endpoint;
    if !endpoint.is_exposed() {
        return Check::ok(NAME, endpoint.as_str());
    }
    let finding = format!("{endpoint}, without TLS: others on the network can read tokens and values");
    let remedy = "give the service a certificate, and use https://";
    if settings.is_insecure() {
        return Check::warn(NAME, finding, remedy);
    }
    let refused = ConnectError::Insecure { endpoint: endpoint.clone() };
    Check::fail(NAME, refused.to_string(), remedy)
}

/// The proxy, if one is named.
pub(super) fn proxy(settings: &Settings) -> Option<Check> {
    const NAME: &str = "proxy";
    let secure = settings.endpoint.is_tls();
    match &settings.proxy {
        Err(error) if secure => {
            Some(Check::fail(NAME, error.to_string(), format!("correct or unset {}", error.variable)))
        }
        Err(error) => Some(Check::warn(NAME, error.to_string(), format!("correct or unset {}", error.variable))),
        Ok(None) => None,
        Ok(Some(proxy)) => Some(match proxy.address_for(settings.endpoint.as_str()) {
            Some(address) => Check::ok(NAME, format!("through {address}")),
            None => Check::ok(NAME, "configured, but not used for this endpoint"),
        }),
    }
}
