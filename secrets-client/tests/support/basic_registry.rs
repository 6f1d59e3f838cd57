//! A registry on loopback that asks for Basic, and holds one image: `team/app:latest`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,
"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

/// A registry that lets in whoever signs in with `pair`. It serves until the test ends.
pub(crate) struct BasicRegistry {
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    /// `user:password`
    pair: String,
}

impl BasicRegistry {
    pub(crate) fn start(pair: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self { host: listener.local_addr().unwrap().to_string(), pair: pair.to_owned() };
        let wanted = format!("Basic {}", registry.auth());
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, wanted) = (connection.unwrap(), wanted.clone());
                thread::spawn(move || serve(&connection, &wanted));
            }
        });
        registry
    }

    /// The credential as `auths` has it.
    pub(crate) fn auth(&self) -> String {
        BASE64_STANDARD.encode(&self.pair)
    }

    /// The image, as skopeo names it.
    pub(crate) fn image(&self) -> String {
        format!("docker://{}/team/app:latest", self.host)
    }
}

/// Answers one request after the other, none of which has a body.
fn serve(connection: &TcpStream, wanted: &str) {
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let given = headers.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("authorization").then_some(value)
        });
        let content_type = format!("Content-Type: {MANIFEST_TYPE}");
        let (status, header, body) = match request.split(' ').nth(1) {
            _ if given != Some(wanted) => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"test\"", "{}"),
            Some("/v2/") => ("200 OK", "Docker-Distribution-Api-Version: registry/2.0", "{}"),
            Some("/v2/team/app/manifests/latest") => ("200 OK", content_type.as_str(), MANIFEST),
            _ => ("404 Not Found", "Content-Type: application/json", "{}"),
        };
        let body = if request.starts_with("HEAD") { "" } else { body };
        let answer = format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if (&mut &*connection).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
