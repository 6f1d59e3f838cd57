//! What to type next, for whoever has started a server by hand.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::config::{ListenerConfig, OfferedService};

/// Where a client looks for a service by itself.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

/// Prints the lines that make the first organization: the server was started for the first time, and `token` is the file of
/// the operator's token. They go to standard output, the words around them to standard error. Nothing, if they would work with
/// none of its listeners.
pub(super) fn announce(addresses: &[SocketAddr], listeners: &[ListenerConfig], token: &Path) -> io::Result<()> {
    let Some((address, listener)) = addresses.iter().zip(listeners).find(|(_, listener)| offers_first_steps(listener))
    else {
        return Ok(());
    };
    eprintln!(
        "This was the first start. In another terminal, create an organization, and sign in with the code that this prints:"
    );
    let mut stdout = io::stdout();
    for line in lines(*address, listener.tls.is_some(), token) {
        writeln!(stdout, "{line}")?;
    }
    stdout.flush()
}

/// Creating an organization and signing in to it.
fn offers_first_steps(listener: &ListenerConfig) -> bool {
    [OfferedService::Directory, OfferedService::Access].into_iter().all(|service| listener.offered.contains(service))
}

fn lines(address: SocketAddr, is_tls: bool, token: &Path) -> Vec<String> {
    let token = std::path::absolute(token).unwrap_or_else(|_| token.to_owned());
    let endpoint = endpoint(address, is_tls);
    let mut lines = Vec::new();
    if endpoint != DEFAULT_ENDPOINT {
        lines.push(format!("export SECRETS_ENDPOINT={endpoint}"));
    }
    lines.push(format!("SECRETS_TOKEN_FILE={} secrets org create acme --admin ann", quoted(&token)));
    lines.push("secrets login".to_owned());
    lines
}

/// The address as a client on this machine reaches it. Under TLS, only who made the certificate knows its name.
fn endpoint(address: SocketAddr, is_tls: bool) -> String {
    if is_tls {
        return format!("https://HOST:{}", address.port());
    }
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// A path as a shell takes it for one word.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if is_plain { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        for (path, word) in
            [("/tmp/secrets-dev-x", "/tmp/secrets-dev-x"), ("/a b/it's", r"'/a b/it'\''s'"), ("/a$b", "'/a$b'")]
        {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }

    #[test]
    fn names_the_endpoint_unless_it_is_the_usual_one() {
        for (address, is_tls, first) in [
            ("127.0.0.1:50051", false, "SECRETS_TOKEN_FILE=/d/operator-token secrets org create acme --admin ann"),
            ("0.0.0.0:8000", false, "export SECRETS_ENDPOINT=http://127.0.0.1:8000"),
            ("[::]:8000", false, "export SECRETS_ENDPOINT=http://[::1]:8000"),
            ("0.0.0.0:8000", true, "export SECRETS_ENDPOINT=https://HOST:8000"),
        ] {
            let lines = lines(address.parse().unwrap(), is_tls, Path::new("/d/operator-token"));
            assert_eq!(lines.first().unwrap(), first);
            assert_eq!(lines.last().unwrap(), "secrets login");
        }
    }
}
