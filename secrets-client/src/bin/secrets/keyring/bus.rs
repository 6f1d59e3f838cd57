//! The session bus: where it is, and whether it is this person's own.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use tokio::net::UnixStream;
use zbus::Connection;
use zbus::connection::Builder;

use super::KeyringError;

/// Connects to the session bus. A socket of this machine is taken alone: a token is sent in plain text.
pub(super) async fn connect() -> Result<Connection, KeyringError> {
    let path = socket(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    let failed = |error: std::io::Error| KeyringError::NoBus(format!("session bus: {error}"));
    let stream = UnixStream::connect(&path).await.map_err(failed)?;
    let (theirs, own) = (stream.peer_cred().map_err(failed)?.uid(), rustix::process::getuid().as_raw());
    if theirs != own && theirs != 0 {
        return Err(KeyringError::NoBus("the session bus belongs to another user".to_owned()));
    }
    let stream = stream.into_std().map_err(failed)?;
    let connected = Builder::unix_stream(stream).build().await;
    connected.map_err(|_| KeyringError::NoBus("what answers there is not a session bus".to_owned()))
}

/// Returns the path of the bus's socket; that of an abstract one begins with a zero byte.
fn socket(variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, KeyringError> {
    const NAME: &str = "DBUS_SESSION_BUS_ADDRESS";
    if let Some(addresses) = variable(NAME) {
        let found = addresses.split(';').filter_map(|address| address.strip_prefix("unix:")).find_map(path);
        return found.ok_or_else(|| {
            KeyringError::NoBus(format!(
                "{NAME} must name a socket of this machine, for instance `unix:path=/run/user/1000/bus`"
            ))
        });
    }
    let usual = variable("XDG_RUNTIME_DIR").map(|directory| PathBuf::from(directory).join("bus"));
    usual
        .filter(|path| path.is_absolute() && path.exists())
        .ok_or_else(|| KeyringError::NoBus(format!("there is no session bus ({NAME} is not set)")))
}

/// The path in `path=/run/bus,guid=…` or `abstract=name`.
fn path(keys: &str) -> Option<PathBuf> {
    keys.split(',').find_map(|pair| match pair.split_once('=')? {
        ("path", value) => unescape(value).map(|bytes| PathBuf::from(OsString::from_vec(bytes))),
        ("abstract", value) => {
            let name = unescape(value)?;
            Some(PathBuf::from(OsString::from_vec([b"\0", name.as_slice()].concat())))
        }
        _ => None,
    })
}

/// Undoes the `%2c` of an address; none if it is not valid.
fn unescape(value: &str) -> Option<Vec<u8>> {
    let mut pieces = value.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(address: &str) -> Option<String> {
        let variable = |name: &str| (name == "DBUS_SESSION_BUS_ADDRESS").then(|| address.to_owned());
        socket(variable).ok().map(|path| path.to_str().unwrap().to_owned())
    }

    #[test]
    fn takes_a_socket_of_this_machine_alone() {
        for (address, path) in [
            ("unix:path=/run/user/1000/bus", Some("/run/user/1000/bus")),
            ("unix:guid=1,path=/tmp/a%2cb", Some("/tmp/a,b")),
            ("unix:abstract=/tmp/dbus-x,guid=2", Some("\0/tmp/dbus-x")),
            ("tcp:host=evil.example,port=1;unix:path=/x", Some("/x")),
            ("tcp:host=127.0.0.1,port=1", None),
            ("unixexec:path=/bin/sh", None),
            ("autolaunch:", None),
            ("unix:path=%2", None),
            ("unix:tmpdir=/tmp", None),
        ] {
            assert_eq!(found(address).as_deref(), path, "{address}");
        }
        assert!(matches!(socket(|_| None), Err(KeyringError::NoBus(_))));
    }
}
