//! Proxies: for `https://` services, a tunnel (HTTP `CONNECT`, RFC 9110 section 9.3.6) that TLS goes through, so that the proxy
//! sees the service's name and nothing else. The client never uses a proxy for a service without TLS, nor for one on this
//! machine.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::{Service, ServiceExt as _, service_fn};

use crate::endpoint::Endpoint;

/// How much of an answer to `CONNECT` is read, in bytes.
const MAX_ANSWER_HEAD_BYTES: usize = 8 * 1024;

/// Which proxy to use for which service, from `HTTPS_PROXY` (or `ALL_PROXY`) and `NO_PROXY`.
#[derive(Clone)]
pub struct Proxy(Arc<Matcher>);

/// A variable names a proxy that can't be used. Never shows its value, which may hold a password.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "invalid proxy in `{variable}`: expected an address such as `http://proxy.example.com:3128`; in a user name or password, \
     `@ / # ? %` must be escaped, as `%40 %2F %23 %3F %25`"
)]
pub struct InvalidProxy {
    /// The variable.
    pub variable: &'static str,
}

/// Why a proxy did not connect to a service.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The proxy can't be reached.
    #[error("the proxy {proxy} can't be reached: {error}")]
    Unreachable {
        /// Host and port of the proxy.
        proxy: String,
        /// Why.
        error: String,
    },
    /// It asks for credentials (status 407).
    #[error("the proxy {proxy} requires a user name and password, or refuses the given ones")]
    AuthenticationRequired {
        /// Host and port of the proxy.
        proxy: String,
    },
    /// It refuses to connect to the service.
    #[error("the proxy {proxy} refuses to connect to {target}: {answer}")]
    Refused {
        /// Host and port of the proxy.
        proxy: String,
        /// Host and port of the service.
        target: String,
        /// Its status line, or what was wrong with its answer.
        answer: String,
    },
}

impl Proxy {
    /// Reads the proxy that an environment names, if it names one: as in curl, in upper or lower case.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, InvalidProxy> {
        let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let Some((name, value)) = names.into_iter().find_map(|name| Some((name, given(name)?))) else {
            return Ok(None);
        };
        if !is_unambiguous(&value) {
            return Err(InvalidProxy { variable: name });
        }
        let except = given("NO_PROXY").or_else(|| given("no_proxy")).unwrap_or_default();
        let matcher = |except: &str| Matcher::builder().https(value.clone()).no(except).build();
        let any = matcher("").intercept(&Uri::from_static("https://service.example"));
        match any.as_ref().and_then(|any| any.uri().scheme_str()) {
            Some("http") => Ok(Some(Self(Arc::new(matcher(&except))))),
            _ => Err(InvalidProxy { variable: name }),
        }
    }

    /// Returns host and port of the proxy that is used for a service; none if it is reached directly.
    pub fn address_for(&self, endpoint: &str) -> Option<String> {
        self.intercept(&endpoint.parse().ok()?).map(|intercept| authority(intercept.uri(), 80))
    }

    fn intercept(&self, endpoint: &Uri) -> Option<Intercept> {
        let secure = endpoint.scheme_str() == Some("https");
        if secure && !endpoint.host().is_some_and(is_loopback_host) { self.0.intercept(endpoint) } else { None }
    }

    /// Returns a connector to `endpoint` through the proxy; none if it is reached directly.
    pub(super) fn connector(&self, endpoint: &Uri, tcp: HttpConnector) -> Option<impl Connector + use<>> {
        let intercept = self.intercept(endpoint)?;
        Some(service_fn(move |target: Uri| {
            let (intercept, tcp) = (intercept.clone(), tcp.clone());
            async move { tunnel(&intercept, tcp, &target).await.map(TokioIo::new) }
        }))
    }
}

/// A connector as tonic takes it.
pub(super) trait Connector:
    Service<Uri, Response = TokioIo<TcpStream>, Error = ProxyError, Future: Send> + Send + 'static
{
}

impl<T> Connector for T where
    T: Service<Uri, Response = TokioIo<TcpStream>, Error = ProxyError, Future: Send> + Send + 'static
{
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").finish_non_exhaustive()
    }
}

/// Whether a host is this machine.
fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether it is clear where user name and password end and the host begins: a part of a password is not to be looked up.
fn is_unambiguous(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (authority, more) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_host = format!("http://{host}").parse::<Endpoint>().is_ok();
    is_host && !user.contains('@') && !more.contains('@') && is_escaped(user)
}

/// Whether each `%` begins an escape.
fn is_escaped(text: &str) -> bool {
    let is_hex = |code: Option<&str>| code.is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
    text.split('%').skip(1).all(|rest| is_hex(rest.get(..2)))
}

/// `host:port`.
fn authority(uri: &Uri, port: u16) -> String {
    format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(port))
}

async fn tunnel(intercept: &Intercept, tcp: HttpConnector, target: &Uri) -> Result<TcpStream, ProxyError> {
    let proxy = authority(intercept.uri(), 80);
    let target = authority(target, 443);
    let unreachable = |error: &(dyn std::error::Error + 'static)| ProxyError::Unreachable {
        proxy: proxy.clone(),
        error: std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string(),
    };
    let mut stream = tcp.oneshot(intercept.uri().clone()).await.map_err(|error| unreachable(&error))?.into_inner();
    let request = connect_request(&target, intercept.basic_auth());
    stream.write_all(&request).await.map_err(|error| unreachable(&error))?;
    let head = read_head(&mut stream).await.map_err(|error| unreachable(&error))?;
    match status(&head) {
        Some(200..=299) => Ok(stream),
        Some(407) => Err(ProxyError::AuthenticationRequired { proxy }),
        Some(_) => {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            Err(ProxyError::Refused { proxy, target, answer: printable(line) })
        }
        None => Err(ProxyError::Refused { proxy, target, answer: "its answer is not HTTP".to_owned() }),
    }
}

fn connect_request(target: &str, authorization: Option<&HeaderValue>) -> zeroize::Zeroizing<Vec<u8>> {
    let mut request = zeroize::Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes());
    if let Some(authorization) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// Reads up to the empty line, and nothing after it.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_ANSWER_HEAD_BYTES {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// The status code of a whole answer.
fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?.lines().next()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

fn printable(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(pairs: &[(&str, &str)]) -> Result<Option<Proxy>, InvalidProxy> {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Proxy::from_variables(move |name| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn uses_the_proxy_that_the_environment_names() {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let proxy = proxy(&[(name, "http://bob:pw@proxy.corp:3128")]).unwrap().unwrap();
            assert_eq!(proxy.address_for("https://secrets.example.com").as_deref(), Some("proxy.corp:3128"), "{name}");
        }
        assert!(proxy(&[("HTTPS_PROXY", "")]).unwrap().is_none());
        assert!(proxy(&[("HTTP_PROXY", "http://proxy.corp:3128")]).unwrap().is_none());
    }

    #[test]
    fn uses_none_for_this_machine_for_exceptions_and_without_tls() {
        let except = ("NO_PROXY", "corp.example, 10.0.0.0/8");
        let proxy = proxy(&[("HTTPS_PROXY", "proxy.corp:3128"), except]).unwrap().unwrap();
        for (endpoint, through) in [
            ("https://secrets.example.com:8443", true),
            ("http://secrets.example.com", false),
            ("https://secrets.corp.example", false),
            ("https://10.1.2.3", false),
            ("https://localhost:50051", false),
            ("https://127.0.0.2", false),
            ("https://[::1]:50051", false),
        ] {
            assert_eq!(proxy.address_for(endpoint).is_some(), through, "{endpoint}");
        }
    }

    #[test]
    fn refuses_an_invalid_proxy_without_showing_it() {
        for value in [
            "https://bob:canary@proxy",
            "socks5://canary:1080",
            "canary proxy",
            "http://",
            "http://bob:canary",
            "http://bob:x/canary@proxy:3128",
            "http://bob:x?canary@proxy:3128",
            "http://bob:x#canary@proxy:3128",
            "http://bob:x@canary@proxy:3128",
            "bob:x/canary@proxy:3128",
            "http://bob:100%zcanary@proxy:3128",
        ] {
            let error = proxy(&[("https_proxy", value)]).unwrap_err();
            assert!(error.to_string().contains("https_proxy") && !format!("{error}{error:?}").contains("canary"));
        }
    }

    #[test]
    fn reads_the_status_of_a_whole_answer() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 Who?\r\n\r\n"), Some(407));
        for answer in [&b"HTTP/1.1 200 OK\r\n"[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"\xff\r\n\r\n", b""] {
            assert_eq!(status(answer), None);
        }
    }
}
