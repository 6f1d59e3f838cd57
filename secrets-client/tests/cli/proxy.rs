//! A small HTTP proxy that takes `CONNECT`, and a service with TLS that only it can find.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::support::TestServer;

/// A name that only the proxy knows: whatever goes there went through it.
const HOST: &str = "secrets.invalid";

/// How the proxy answers.
#[derive(Clone, Copy)]
enum Manner {
    /// Connects everybody to this port.
    Forwards(u16),
    /// The same for whoever says `bob:p@ss`.
    AsksWho(u16),
    /// Connects nobody.
    Refuses,
    /// Is a web server.
    IsNone,
}

struct Proxy {
    address: String,
    /// The requests it got.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let seeing = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let seeing = Arc::clone(&seeing);
                std::thread::spawn(move || serve(client, manner, &seeing));
            }
        });
        Self { address, seen }
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, manner: Manner, seen: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    // `bob:p@ss`
    let knows = head.contains("\r\nProxy-Authorization: Basic Ym9iOnBAc3M=\r\n");
    seen.lock().unwrap().push(head);
    match manner {
        Manner::Forwards(port) => forward(client, port),
        Manner::AsksWho(port) if knows => forward(client, port),
        Manner::AsksWho(_) => {
            let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        }
        Manner::Refuses => {
            let _ = client.write_all(b"HTTP/1.1 403 Not On This List\r\nContent-Length: 0\r\n\r\n");
        }
        Manner::IsNone => {
            let _ = client.write_all(b"220 mail.example ESMTP\r\n\r\n");
        }
    }
}

fn forward(mut client: TcpStream, port: u16) {
    let mut service = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: a test\r\n\r\n").unwrap();
    let (mut from_client, mut to_service) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_service);
        let _ = to_service.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut service, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}

/// A service with TLS for [`HOST`], its port, its authority's file, and the address by which it is known.
fn service() -> (TestServer, u16, PathBuf, String) {
    let certificate = rcgen::generate_simple_self_signed([HOST.to_owned(), "localhost".to_owned()]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, certificate.cert.pem()).unwrap();
    std::fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    let server = TestServer::start_with(&["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    let authority = server.directory.path().join("ca.pem");
    std::fs::copy(&cert, &authority).unwrap();
    let port = server.endpoint.rsplit(':').next().unwrap().parse().unwrap();
    (server, port, authority, format!("https://{HOST}:{port}"))
}

#[test]
fn a_service_behind_a_proxy_is_reached_through_its_tunnel() {
    let (server, port, authority, endpoint) = service();
    let proxy = Proxy::start(Manner::Forwards(port));
    let operator = server.operator().with("SECRETS_ENDPOINT", &endpoint);
    let operator = operator.with("SECRETS_CA_FILE", authority.to_str().unwrap());
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let through = server.operator().with("SECRETS_ENDPOINT", &endpoint);
        let through = through.with("SECRETS_CA_FILE", authority.to_str().unwrap());
        through.with(name, &format!("http://{}", proxy.address)).run_ok("whoami").expect_text(&["operator"]);
    }
    assert_eq!(proxy.requests().len(), 2);
    let request = &proxy.requests()[0];
    assert!(request.starts_with(&format!("CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}:{port}\r\n")), "{request}");
    assert!(!request.contains("sopr_") && !request.contains("uthorization"), "{request}");
    // Without it, nobody knows the name.
    operator.run("whoami").expect_failure(6).expect_text(&[HOST, "is the name right?"]);
}

#[test]
fn only_a_proxy_that_asks_gets_the_credentials() {
    let (server, port, authority, endpoint) = service();
    let proxy = Proxy::start(Manner::AsksWho(port));
    let operator = |user: &str| {
        let operator = server.operator().with("SECRETS_ENDPOINT", &endpoint);
        let operator = operator.with("SECRETS_CA_FILE", authority.to_str().unwrap());
        operator.with("HTTPS_PROXY", &format!("http://{user}{}", proxy.address))
    };
    operator("bob:p%40ss@").run_ok("whoami").expect_text(&["operator"]).reject_text("p@ss").reject_text("p%40ss");
    for user in ["", "bob:canary@"] {
        let ended = operator(user).run("whoami").expect_failure(6);
        ended.expect_text(&[&proxy.address, "user name and password", "HTTPS_PROXY"]).reject_text("canary");
    }
}

#[test]
fn a_proxy_that_interferes_is_reported_in_a_line() {
    let (server, _, authority, endpoint) = service();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let refusing = Proxy::start(Manner::Refuses).address;
    let none = Proxy::start(Manner::IsNone).address;
    for (proxy, problem) in [
        (&closed, "can't be reached"),
        (&refusing, "refuses to connect to secrets.invalid"),
        (&refusing, "403 Not On This List"),
        (&none, "its answer is not HTTP"),
    ] {
        let operator = server.operator().with("SECRETS_ENDPOINT", &endpoint);
        let operator = operator.with("SECRETS_CA_FILE", authority.to_str().unwrap());
        let ended = operator.with("HTTPS_PROXY", &format!("http://bob:canary@{proxy}")).run("whoami").expect_failure(6);
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains(problem) && lines[0].contains(proxy.as_str()), "{lines:#?}");
        assert!(lines[1].starts_with("hint: HTTPS_PROXY") && lines[1].contains("NO_PROXY"), "{lines:#?}");
        ended.reject_text("canary");
    }
    let operator = server.operator().with("SECRETS_ENDPOINT", &endpoint).with("HTTPS_PROXY", "socks5://canary:1080");
    operator
        .run("whoami")
        .expect_failure(1)
        .expect_text(&["invalid proxy in `HTTPS_PROXY`", "http://proxy"])
        .reject_text("canary");
}

#[test]
fn no_proxy_is_taken_to_this_machine_nor_where_it_is_excepted() {
    let (server, port, authority, endpoint) = service();
    let proxy = Proxy::start(Manner::Refuses);
    let local = format!("https://localhost:{port}");
    let operator = |endpoint: &str| {
        let operator = server.operator().with("SECRETS_ENDPOINT", endpoint);
        let operator = operator.with("SECRETS_CA_FILE", authority.to_str().unwrap());
        operator.with("HTTPS_PROXY", &format!("http://{}", proxy.address))
    };
    operator(&local).run_ok("whoami");
    operator(&endpoint)
        .with("NO_PROXY", "example.com, .invalid")
        .run("whoami")
        .expect_failure(6)
        .expect_text(&["is the name right?"]);
    assert_eq!(proxy.requests(), [""; 0]);
    operator(&endpoint).with("NO_PROXY", "example.com").run("whoami").expect_failure(6);
    assert!(!proxy.requests().is_empty());
}
