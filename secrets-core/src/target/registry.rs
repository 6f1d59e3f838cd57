//! Registries of container images and packages, and who signs in there.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::text::{Shown, is_invisible};

/// A registry: `host` or `host:port`, in one canonical form.
///
/// The host is a DNS name in lower case (RFC 1123 labels), an IPv4 address, or an IPv6 address in brackets as RFC 5952
/// writes it. Docker Hub has several names, among them the key under which Docker keeps its credential; here all of
/// them are `docker.io`. A port is part of the form even if it is 443: tools look a credential up by the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryHost(Box<str>);

/// The user name of a registry credential: 1–256 bytes without `:`, invisible characters or spaces at its ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryUsername(Box<str>);

/// Why a text is not a valid registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistryHost {
    /// It has no characters before its port.
    #[error("registry host must not be empty; expected a host such as `ghcr.io` or `registry.example.com:5000`")]
    Empty,
    /// The host is longer than 253 bytes.
    #[error("registry host must be at most {MAX_HOST_BYTES} bytes (got {length})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It is a URL, or has a path or a user.
    #[error(
        "registry must be a host alone, without scheme, path or user; expected a host such as `ghcr.io` or `ghcr.io:443`"
    )]
    NotBare,
    /// It is not ASCII.
    #[error("invalid {} in registry host; write international names in their `xn--` form", Shown(*found))]
    NotAscii {
        /// The first character that is not.
        found: char,
    },
    /// The host is no DNS name.
    #[error("registry host must be a DNS name: labels of 1 to 63 letters, digits and inner `-`, separated by `.`")]
    Name,
    /// The host is made of numbers and is no IPv4 address, or has brackets or colons and is no IPv6 address.
    #[error(
        "registry host must be a valid IP address, such as `192.0.2.1` or `[2001:db8::1]`, with `:port` if need be"
    )]
    Address,
    /// An IPv6 address without brackets.
    #[error("IPv6 address must be in brackets, such as `[2001:db8::1]:5000`")]
    Brackets,
    /// The port is not between 1 and 65535, or has leading zeros.
    #[error("port must be from 1 to 65535, without leading zeros")]
    Port,
}

/// Why a text is not a valid user name of a registry credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistryUsername {
    /// It has no characters.
    #[error("registry user name must not be empty")]
    Empty,
    /// It is longer than 256 bytes.
    #[error("registry user name must be at most {MAX_USERNAME_BYTES} bytes (got {length})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A character is not allowed, or not at its position.
    #[error(
        "invalid {} in registry user name; expected visible characters without `:`, and spaces only inside",
        Shown(*found)
    )]
    Character {
        /// The first invalid character.
        found: char,
    },
}

const DOCKER_HUB: &str = "docker.io";
/// The other names of Docker Hub; the last two are how Docker's own configuration file names it.
const DOCKER_HUB_ALIASES: [&str; 4] =
    ["index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/", "https://index.docker.io/v1"];
const MAX_HOST_BYTES: usize = 253;
const MAX_USERNAME_BYTES: usize = 256;

impl RegistryHost {
    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of this registry under `auths` in Docker's `config.json`: the canonical form, but for Docker Hub
    /// `https://index.docker.io/v1/`.
    pub fn docker_config_key(&self) -> &str {
        if &*self.0 == DOCKER_HUB { "https://index.docker.io/v1/" } else { &self.0 }
    }
}

impl FromStr for RegistryHost {
    type Err = InvalidRegistryHost;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.to_ascii_lowercase();
        if text == DOCKER_HUB || DOCKER_HUB_ALIASES.contains(&text.as_str()) {
            return Ok(Self(DOCKER_HUB.into()));
        }
        if let Some(found) = text.chars().find(|c| !c.is_ascii()) {
            return Err(InvalidRegistryHost::NotAscii { found });
        }
        if text.contains(['/', '@', '?', '#']) {
            return Err(InvalidRegistryHost::NotBare);
        }
        let (host, port) = split_port(&text)?;
        if host.len() > MAX_HOST_BYTES {
            return Err(InvalidRegistryHost::TooLong { length: host.len() });
        }
        let host = canonical_host(host)?;
        match port {
            None => Ok(Self(host.into())),
            Some(port) => Ok(Self(format!("{host}:{}", check_port(port)?).into())),
        }
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Splits `host`, `host:port`, `[address]` or `[address]:port`; the brackets stay with the address.
fn split_port(text: &str) -> Result<(&str, Option<&str>), InvalidRegistryHost> {
    if text.starts_with('[') {
        let (address, rest) =
            text.find(']').and_then(|end| text.split_at_checked(end + 1)).ok_or(InvalidRegistryHost::Address)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, Some(port))),
            None if rest.is_empty() => Ok((address, None)),
            None => Err(InvalidRegistryHost::Address),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Err(match text.parse::<Ipv6Addr>() {
            Ok(_) => InvalidRegistryHost::Brackets,
            Err(_) => InvalidRegistryHost::Address,
        }),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

fn canonical_host(host: &str) -> Result<String, InvalidRegistryHost> {
    if host.is_empty() {
        return Err(InvalidRegistryHost::Empty);
    }
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| InvalidRegistryHost::Address)?;
        return Ok(format!("[{address}]"));
    }
    // What URL parsers would take for a number is an address or nothing: `0x7f.1` and `2130706433` are 127.0.0.1.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|c: char| c.is_ascii_digit()) && last.bytes().all(|b| b.is_ascii_hexdigit() || b == b'x') {
        let address: Ipv4Addr = host.parse().map_err(|_| InvalidRegistryHost::Address)?;
        return Ok(address.to_string());
    }
    if host.split('.').all(is_label) { Ok(host.to_owned()) } else { Err(InvalidRegistryHost::Name) }
}

/// RFC 1123 §2.1 in lower case: 1–63 letters, digits and hyphens, no hyphen at an end.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn check_port(text: &str) -> Result<u16, InvalidRegistryHost> {
    if text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidRegistryHost::Port);
    }
    text.parse().map_err(|_| InvalidRegistryHost::Port)
}

impl RegistryUsername {
    /// The user name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegistryUsername {
    type Err = InvalidRegistryUsername;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidRegistryUsername::Empty);
        }
        if text.len() > MAX_USERNAME_BYTES {
            return Err(InvalidRegistryUsername::TooLong { length: text.len() });
        }
        // A colon ends the user name of HTTP basic authentication (RFC 7617 §2).
        let inside = text.chars().find(|&c| c == ':' || is_invisible(c));
        let at_an_end = || text.starts_with(' ').then_some(' ').or_else(|| text.ends_with(' ').then_some(' '));
        match inside.or_else(at_an_end) {
            Some(found) => Err(InvalidRegistryUsername::Character { found }),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for RegistryUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brings_every_host_to_its_canonical_form() {
        for (text, canonical) in [
            ("ghcr.io", "ghcr.io"),
            ("GHCR.io", "ghcr.io"),
            ("ghcr.io:443", "ghcr.io:443"),
            ("localhost:5000", "localhost:5000"),
            ("registry", "registry"),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("3.example", "3.example"),
            ("docker.io", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("registry-1.docker.io", "docker.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("https://index.docker.io/v1", "docker.io"),
            ("https://Index.Docker.IO/v1/", "docker.io"),
            ("192.0.2.1:65535", "192.0.2.1:65535"),
            ("[::1]", "[::1]"),
            ("[2001:DB8:0:0:0:0:0:1]:5000", "[2001:db8::1]:5000"),
            ("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"),
        ] {
            assert_eq!(text.parse::<RegistryHost>().map(|host| host.to_string()), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_registry() {
        use InvalidRegistryHost::*;
        for (text, error) in [
            ("", Empty),
            (":5000", Empty),
            ("https://ghcr.io", NotBare),
            ("ghcr.io/", NotBare),
            ("ghcr.io/acme", NotBare),
            ("https://index.docker.io/v2/", NotBare),
            ("bob@ghcr.io", NotBare),
            ("ghcr.io?x", NotBare),
            ("ghcr..io", Name),
            ("ghcr.io.", Name),
            (".ghcr.io", Name),
            ("-ghcr.io", Name),
            ("ghcr-.io", Name),
            ("ghcr_x.io", Name),
            ("ghcr io", Name),
            ("ghcr.io\n", Name),
            ("ghcr.io\0", Name),
            ("ghcr%2eio", Name),
            ("..", Name),
            ("*.ghcr.io", Name),
            ("ghcr.\u{0456}o", NotAscii { found: '\u{0456}' }), // CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I
            ("b\u{00FC}cher.example", NotAscii { found: '\u{00FC}' }),
            (&*format!("{}.example", "a".repeat(64)), Name),
            (&*vec!["a".repeat(63); 4].join("."), TooLong { length: 255 }),
            ("ghcr.io:", Port),
            ("ghcr.io:0", Port),
            ("ghcr.io:080", Port),
            ("ghcr.io:65536", Port),
            ("ghcr.io:+80", Port),
            ("ghcr.io:80x", Port),
            ("::1", Brackets),
            ("2001:db8::1", Brackets),
            ("a:b:c", Address),
            ("[::1", Address),
            ("[::1]x", Address),
            ("[fe80::1%eth0]", Address),
            ("[192.0.2.1]", Address),
            ("[]", Address),
            ("256.0.0.1", Address),
            ("127.1", Address),
            ("127.0.0.01", Address),
            ("0x7f.1", Address),
            ("0x7f000001", Address),
            ("2130706433", Address),
            ("[::1]:0", Port),
        ] {
            assert_eq!(text.parse::<RegistryHost>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn knows_the_key_that_docker_uses() {
        let key = |text: &str| text.parse::<RegistryHost>().unwrap().docker_config_key().to_owned();
        assert_eq!(key("docker.io"), "https://index.docker.io/v1/");
        assert_eq!(key("ghcr.io"), "ghcr.io");
    }

    #[test]
    fn accepts_user_names() {
        for text in ["bob", "_json_key", "AWS", "robot$ci+x", "<token>", "J. Doe", "jürgen", &"u".repeat(256)] {
            assert_eq!(text.parse::<RegistryUsername>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_other_user_names() {
        use InvalidRegistryUsername::*;
        for (text, error) in [
            ("", Empty),
            (&*"u".repeat(257), TooLong { length: 257 }),
            ("bob:x", Character { found: ':' }),
            ("bob\n", Character { found: '\n' }),
            ("bob\0", Character { found: '\0' }),
            ("bo\u{200B}b", Character { found: '\u{200B}' }),
            (" bob", Character { found: ' ' }),
            ("bob ", Character { found: ' ' }),
        ] {
            assert_eq!(text.parse::<RegistryUsername>(), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_its_canonical_form_as_itself(text in "(https://)?([a-zA-Z0-9-]{1,5}\\.){0,3}[a-zA-Z0-9]{1,5}(:[0-9]{1,5})?|\\[[0-9a-fA-F:]{2,12}\\]|\\PC{0,9}") {
            if let Ok(host) = text.parse::<RegistryHost>() {
                prop_assert_eq!(host.as_str().parse::<RegistryHost>(), Ok(host));
            }
        }
    }
}
