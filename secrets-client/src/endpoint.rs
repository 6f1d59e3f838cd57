//! The address of a service: a scheme, a host and a port, and nothing else.
//!
//! A stored token belongs to an endpoint, so that two ways of writing the same one are equal here: letters are lower case, the
//! scheme's own port is left out, and an address of IPv6 is in its short form.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The default address: a service on this machine.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";
/// How long it may take to connect.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a service, `http://host[:port]` or `https://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    text: String,
    is_tls: bool,
    is_loopback: bool,
}

/// Why a text is not the address of a service. Never holds more of it than scheme, host and port: the rest may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// It does not begin with `http://` or `https://`.
    #[error("expected an address such as `https://secrets.example.com`")]
    Scheme,
    /// There is a space before or after it.
    #[error("must not have a space before or after it")]
    Space,
    /// It holds a user name, or a user name and a password.
    #[error("must not have a user name or password: a token says who calls")]
    User,
    /// Its host is empty, or no name or address.
    #[error("invalid host: expected a name, an IPv4 address, or an IPv6 address in brackets")]
    Host,
    /// Its port is not a number.
    #[error("invalid port: must be a number from 1 to 65535")]
    Port,
    /// It holds a path.
    #[error("must not have a path; did you mean `{endpoint}`?")]
    Path {
        /// The address without it.
        endpoint: Endpoint,
    },
    /// It holds a query.
    #[error("must not have a query; did you mean `{endpoint}`?")]
    Query {
        /// The address without it.
        endpoint: Endpoint,
    },
    /// It holds a fragment.
    #[error("must not have a fragment; did you mean `{endpoint}`?")]
    Fragment {
        /// The address without it.
        endpoint: Endpoint,
    },
}

impl Endpoint {
    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether what is sent leaves this machine unencrypted: without TLS, to another host than `localhost`, an address in
    /// 127.0.0.0/8 or `::1`.
    pub fn is_exposed(&self) -> bool {
        !self.is_tls && !self.is_loopback
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() != text {
            return Err(InvalidEndpoint::Space);
        }
        // Before anything else: a password may hold each of the characters that end a host.
        if text.contains('@') {
            return Err(InvalidEndpoint::User);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidEndpoint::Scheme)?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(InvalidEndpoint::Scheme),
        };
        let (authority, more) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
        let endpoint = Self::from_authority(is_tls, authority)?;
        let more = more.strip_prefix('/').unwrap_or(more);
        match more.chars().next() {
            None => Ok(endpoint),
            Some('?') => Err(InvalidEndpoint::Query { endpoint }),
            Some('#') => Err(InvalidEndpoint::Fragment { endpoint }),
            Some(_) => Err(InvalidEndpoint::Path { endpoint }),
        }
    }
}

impl Endpoint {
    fn from_authority(is_tls: bool, authority: &str) -> Result<Self, InvalidEndpoint> {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
            _ => (authority, None),
        };
        let (host, is_loopback) = parse_host(host).ok_or(InvalidEndpoint::Host)?;
        let (scheme, usual) = if is_tls { ("https", 443) } else { ("http", 80) };
        let text = match port {
            Some(port) if port != usual => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Ok(Self { text, is_tls, is_loopback })
    }
}

fn parse_port(text: &str) -> Result<u16, InvalidEndpoint> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port > 0);
    port.ok_or(InvalidEndpoint::Port)
}

/// Returns a host as it is written here, and whether it is this machine.
fn parse_host(text: &str) -> Option<(String, bool)> {
    if let Some(address) = text.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), address.is_loopback()));
    }
    let is_valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let host = is_valid.then(|| text.to_ascii_lowercase())?;
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback());
    Some((host, is_loopback))
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { text: DEFAULT_ENDPOINT.to_owned(), is_tls: false, is_loopback: true }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn the_default_is_an_endpoint_itself() {
        assert_eq!(parsed(DEFAULT_ENDPOINT), Endpoint::default());
    }

    #[test]
    fn writes_the_same_endpoint_in_one_way() {
        for (text, written) in [
            ("https://secrets.example.com", "https://secrets.example.com"),
            ("HTTPS://Secrets.Example.COM:443/", "https://secrets.example.com"),
            ("http://localhost:80", "http://localhost"),
            ("https://localhost:80", "https://localhost:80"),
            ("http://[0:0::1]:50051", "http://[::1]:50051"),
            ("http://[FE80::1]", "http://[fe80::1]"),
        ] {
            assert_eq!(parsed(text).as_str(), written);
            assert_eq!(parsed(text), parsed(written));
        }
        for (one, other) in [
            ("https://a.example", "http://a.example"),
            ("https://a.example", "https://a.example:8443"),
            ("https://a.example", "https://b.example"),
            ("http://127.0.0.1", "http://localhost"),
        ] {
            assert_ne!(parsed(one), parsed(other));
        }
    }

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        for text in
            ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]", "http://LOCALHOST:1", "https://a.example"]
        {
            assert!(!parsed(text).is_exposed(), "{text}");
        }
        for text in [
            "http://a.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://[::2]",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(parsed(text).is_exposed(), "{text}");
        }
    }

    #[test]
    fn names_the_part_that_does_not_belong_there() {
        for (text, part) in [
            ("https://a.example/v1", "path"),
            ("https://a.example//", "path"),
            ("https://a.example\\v1", "path"),
            ("https://a.example?x=1", "query"),
            ("https://a.example/?x=1", "query"),
            ("https://a.example#x", "fragment"),
            ("https://bob@a.example", "user name"),
            ("https://bob:pw@a.example", "password"),
            (" https://a.example", "space"),
            ("https://a.example\n", "space"),
            ("https://a.example:", "port"),
            ("https://a.example:+1", "port"),
            ("https://a.example:0", "port"),
            ("https://a.example:65536", "port"),
            ("https://", "host"),
            ("https://:1", "host"),
            ("https://a b", "host"),
            ("https://\u{e4}.example", "host"),
            ("https://::1", "host"),
            ("https://[::1", "host"),
            ("https://[fe80::1%eth0]", "host"),
            ("", "expected"),
            ("a.example:443", "expected"),
            ("ftp://a.example", "expected"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn never_shows_a_password_of_what_it_refuses() {
        for text in [
            "https://bob:canary@a.example",
            "https://bob:canary/x@a.example/",
            "https://canary?x@a.example",
            "https://canary#x@a.example",
            "https://bob:x@canary@a.example",
            "bob:canary@a.example",
            "https://a.example/canary",
            "https://a.example/?token=canary",
            "https://a.example:canary",
            "sper_canary",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{text}: {error}");
        }
    }
}
