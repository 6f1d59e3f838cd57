//! What is on this machine: files, addresses, a proxy.

use secrets_client::{Config, Defaults, Settings};

use super::Check;

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
        Check::ok(NAME, format!("{shown}, readable by you alone"))
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

pub(super) fn endpoint(settings: &Settings) -> Check {
    const NAME: &str = "endpoint";
    let endpoint = &settings.endpoint;
    let host = endpoint.split_once("://").map_or("", |(_, rest)| rest);
    let is_here = ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here));
    if endpoint.starts_with("http://") && !is_here {
        return Check::warn(
            NAME,
            format!("{endpoint}, without TLS: others on the network can read tokens and values"),
            "give the service a certificate, and use https://",
        );
    }
    Check::ok(NAME, endpoint.clone())
}

/// The proxy, if one is named.
pub(super) fn proxy(settings: &Settings) -> Option<Check> {
    const NAME: &str = "proxy";
    let secure = settings.endpoint.starts_with("https://");
    match &settings.proxy {
        Err(error) if secure => {
            Some(Check::fail(NAME, error.to_string(), format!("correct or unset {}", error.variable)))
        }
        Err(error) => Some(Check::warn(NAME, error.to_string(), format!("correct or unset {}", error.variable))),
        Ok(None) => None,
        Ok(Some(proxy)) => Some(match proxy.address_for(&settings.endpoint) {
            Some(address) => Check::ok(NAME, format!("through {address}")),
            None => Check::ok(NAME, "configured, but not used for this endpoint"),
        }),
    }
}
