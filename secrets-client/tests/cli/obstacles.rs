//! What is in the way is told in one line, with what to type next.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use super::world::{Ended, Person, World};

/// A service with TLS, with the files it got.
fn secure(made: impl FnOnce(&mut rcgen::CertificateParams)) -> (World, String) {
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    made(&mut parameters);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (cert, private) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, certificate.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let world = World::start_with(&["--tls-cert", cert.to_str().unwrap(), "--tls-key", private.to_str().unwrap()]);
    std::fs::copy(&cert, world.folder.path().join("ca.pem")).unwrap();
    let port = world.endpoint.rsplit(':').next().unwrap().to_owned();
    (world, port)
}

fn operator<'a>(world: &'a World, endpoint: &str) -> Person<'a> {
    let authority = world.folder.path().join("ca.pem");
    let operator = world.operator().with("SECRETS_ENDPOINT", endpoint);
    if authority.exists() { operator.with("SECRETS_CA_FILE", authority.to_str().unwrap()) } else { operator }
}

/// One line says what is wrong, and one what to do.
#[track_caller]
fn told(ended: Ended, problem: &str, remedy: &str) {
    let ended = ended.fails(6);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let [error, hint] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(error.contains(problem), "{problem}: {lines:#?}");
    assert!(hint.starts_with("hint: ") && hint.contains(remedy), "{remedy}: {lines:#?}");
}

#[test]
fn a_certificate_that_does_not_pass() {
    let (expired, port) = secure(|made| {
        made.not_before = rcgen::date_time_ymd(2020, 1, 1);
        made.not_after = rcgen::date_time_ymd(2021, 1, 31);
    });
    let ended = operator(&expired, &format!("https://localhost:{port}")).types("whoami");
    told(ended, "expired at 2021-01-31T00:00:00Z", "renews it");

    let (early, port) = secure(|made| made.not_before = rcgen::date_time_ymd(2199, 1, 1));
    let ended = operator(&early, &format!("https://localhost:{port}")).types("whoami");
    told(ended, "not valid before 2199-01-01T00:00:00Z", "clock");

    let (world, port) = secure(|_| {});
    let ended = operator(&world, &format!("https://127.0.0.1:{port}")).types("whoami");
    told(ended, "certificate is for", "a name that the certificate is for");

    // What `openssl req -x509` makes by itself.
    let (authority, other) = secure(|made| made.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    let ended = operator(&authority, &format!("https://localhost:{other}")).types("whoami").fails(6);
    ended.shows(&["an authority's own, which a server must not use", "CA:FALSE"]).hides("OtherError");

    let stranger = world.operator().with("SECRETS_ENDPOINT", &format!("https://localhost:{port}"));
    told(stranger.types("whoami"), "signed by an authority that is not trusted here", "secrets login --ca-file");
}

#[test]
fn an_address_where_nobody_is_or_somebody_else() {
    let world = World::start();
    let port = world.endpoint.rsplit(':').next().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    told(operator(&world, &format!("http://{closed}")).types("whoami"), "connection was refused", "is it running");
    let ended = operator(&world, "http://nobody.invalid:50051").types("whoami");
    told(ended, "nobody.invalid", "is the name right?");
    let ended = operator(&world, &format!("https://127.0.0.1:{port}")).types("whoami");
    told(ended, "does not speak TLS", &format!("--endpoint http://127.0.0.1:{port}"));

    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", web.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in web.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 1024]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            std::thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()));
        }
    });
    told(operator(&world, &address).types("whoami"), "does not speak gRPC", "or a proxy on the way");
    let (secure, port) = secure(|_| {});
    let plain = operator(&secure, &format!("http://localhost:{port}"));
    for command in ["whoami", "org list"] {
        told(plain.types(command), "expects TLS", &format!("--endpoint https://localhost:{port}"));
    }
    plain.types("doctor").fails(6).shows(&["expects TLS", &format!("--endpoint https://localhost:{port}")]);
}

#[test]
fn an_authority_is_remembered_for_its_endpoint() {
    let (world, port) = secure(|_| {});
    let endpoint = format!("https://localhost:{port}");
    let code = operator(&world, &endpoint).does("org create acme --admin ann").line();
    let ann = world.person("ann").with("SECRETS_ENDPOINT", &endpoint);
    std::fs::copy(world.folder.path().join("ca.pem"), ann.home.join("ca.pem")).unwrap();
    ann.types(&format!("login --invite {code}")).fails(6);
    ann.does(&format!("login --invite {code} --ca-file ca.pem")); // relative, from here
    std::fs::create_dir(ann.home.join("elsewhere")).unwrap();
    let mut elsewhere = ann.command("whoami");
    let ended = Ended::of(elsewhere.current_dir(ann.home.join("elsewhere")).output().unwrap());
    ended.succeeds("whoami").shows(&["user ann"]);
    // A login somewhere else does not forget it.
    let other = World::acme();
    let token = other.person("ann").does("token create").line();
    let there = world.person("ann").with("SECRETS_ENDPOINT", &other.endpoint);
    there.pipes(token.as_bytes(), "login").succeeds("login");
    world.person("ann").with("SECRETS_ENDPOINT", &endpoint).types("whoami").fails(4); // another service's token
    assert_eq!(ann.does("config get ca_file").line(), ann.home.join("ca.pem").to_str().unwrap());
    ann.does("config unset ca_file");
    ann.types("whoami").fails(6).shows(&["trusted"]);
}

#[test]
fn a_token_file_that_everybody_may_read_is_told() {
    let world = World::acme();
    let token = world.person("ann").does("token create").line();
    let file = world.folder.path().join("token");
    std::fs::write(&file, &token).unwrap();
    let ann = world.person("somebody").with("SECRETS_TOKEN_FILE", file.to_str().unwrap());
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        for line in ["whoami", "run -- true"] {
            let ended = ann.does(line).hides(&token);
            let told = ended.stderr.contains(&format!("others may read your token: chmod 600 {}", file.display()));
            assert_eq!(told, warns, "{mode:o} {line} {ended:?}");
        }
    }
}
