use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};

use crate::support::process::{ServerProcess, serve};
use crate::support::program::{ProgramOutput, command, run};

fn start_in(directory: &Path) -> ProgramOutput {
    let data_dir = directory.join("data");
    run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()])
}

fn stop(mut server: ServerProcess) {
    server.send_signal(Signal::TERM);
    assert!(server.wait().0.success());
}

#[test]
fn the_first_start_creates_the_files_and_the_next_one_keeps_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join("data").join(name);
    let server = ServerProcess::start(serve(directory.path(), &["--log-level", "trace"]));
    for private in ["root-key", "operator-token"] {
        assert_eq!(fs::metadata(file(private)).unwrap().permissions().mode() & 0o777, 0o600, "{private}");
    }
    let token = fs::read_to_string(file("operator-token")).unwrap();
    let root_key = fs::read(file("root-key")).unwrap();
    assert!(token.starts_with("sopr_") && file("secrets.db").exists());
    let log = server.lines().concat();
    assert!(log.contains(file("operator-token").to_str().unwrap()), "the log names the file: {log}");
    assert!(!log.contains(token.trim()), "and not the token");
    stop(server);

    let again = ServerProcess::start(serve(directory.path(), &[]));
    assert_eq!(fs::read_to_string(file("operator-token")).unwrap(), token);
    assert_eq!(fs::read(file("root-key")).unwrap(), root_key);
    stop(again);
}

#[test]
fn this_machine_can_be_listened_on_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &["--listen", "localhost:0"]));
    assert!(server.address.ip().is_loopback() && server.address.port() != 0, "{}", server.address);
    stop(server);
    let refused = run(&["serve", "--data-dir", directory.path().to_str().unwrap(), "--listen", "elsewhere:0"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("`elsewhere:0` is not an IP address with a port"), "{}", refused.stderr);
}

#[test]
fn a_second_server_on_the_same_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _first = ServerProcess::start(serve(directory.path(), &[]));
    let second = start_in(directory.path());
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("in use by another server"), "{}", second.stderr);
}

#[test]
fn a_taken_port_or_an_unusable_key_is_found_before_anything_is_made_or_migrated() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let serve = |more: &[&str]| run(&[&["serve", "--data-dir", data_dir.to_str().unwrap()], more].concat());
    let ended = serve(&["--listen", &port]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("`{port}`: another program listens there")), "{}", ended.stderr);
    assert!(!data_dir.exists(), "nothing is made, and so nothing migrated");

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let ended = serve(&["--listen", "127.0.0.1:0", "--tls-cert", "/nonexistent.pem", "--tls-key", key]);
    assert_eq!(ended.stderr.trim_end(), "error: cannot read `/nonexistent.pem`: No such file or directory");
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let encrypted = made.signing_key.serialize_pem().replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (pem, reason) in [
        (other.as_str(), "the key is not the certificate's"),
        (&encrypted, "is encrypted, and a server starts without a password"),
        ("hunter2", "holds no private key in PEM"),
    ] {
        fs::write(key, pem).unwrap();
        let ended = serve(&["--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key]);
        assert_eq!(ended.code, Some(2), "{reason}");
        assert!(ended.stderr.contains(reason) && ended.stderr.contains(key), "{reason}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"));
        assert!(!data_dir.exists(), "{reason}");
    }
}

#[test]
fn a_root_key_that_is_lost_wrong_or_readable_by_others_is_refused_and_nothing_is_created() {
    let directory = tempfile::tempdir().unwrap();
    stop(ServerProcess::start(serve(directory.path(), &[])));
    let path = directory.path().join("data/root-key");
    let kept = fs::read(&path).unwrap();
    let refused = |reason: &str| {
        let ended = start_in(directory.path());
        assert_eq!(ended.code, Some(1), "{reason}");
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
    };

    fs::remove_file(&path).unwrap();
    refused("restore it from its backup");
    assert!(!path.exists());

    fs::write(&path, [7; 32]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    refused("not the one that this database was set up with");

    fs::write(&path, &kept).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    refused("has mode 0644");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    stop(ServerProcess::start(serve(directory.path(), &[])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_key_that_cannot_be_used_is_found_before_an_old_schema_is_migrated() {
    let directory = tempfile::tempdir().unwrap();
    stop(ServerProcess::start(serve(directory.path(), &[])));
    let data = directory.path().join("data");
    let url = format!("sqlite://{}", data.join("secrets.db").display());
    let last = async || {
        let database = Database::connect(&url).await.unwrap();
        let query = "SELECT max(version) AS last FROM seaql_migrations".to_owned();
        let row = database.query_one_raw(Statement::from_string(DbBackend::Sqlite, query)).await.unwrap().unwrap();
        database.close().await.unwrap();
        row.try_get::<String>("", "last").unwrap()
    };
    assert_eq!(last().await, "m0022_exposure", "the migration to be undone here is the last one");
    let database = Database::connect(&url).await.unwrap();
    let undo = "DROP INDEX secret_versions_source;
        DROP INDEX credentials_sessions_created;
        DROP INDEX credentials_sessions_serving;
        CREATE INDEX credentials_user ON credentials (context_user_uid);
        ALTER TABLE secret_versions DROP COLUMN source_secret_uid;
        DELETE FROM seaql_migrations WHERE version = 'm0022_exposure'";
    database.execute_unprepared(undo).await.unwrap();
    database.close().await.unwrap();
    let old = last().await;

    let key = data.join("root-key");
    let kept = fs::read(&key).unwrap();
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    for (bytes, bits, reason) in [(&kept[..], 0o644, "has mode 0644"), (&kept[..31], 0o600, "has 31 bytes")] {
        fs::write(&key, bytes).unwrap();
        mode(bits);
        let ended = start_in(directory.path());
        assert_eq!(ended.code, Some(1), "{reason}");
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
        assert_eq!(last().await, old, "{reason}");
    }
    fs::write(&key, &kept).unwrap();
    stop(ServerProcess::start(serve(directory.path(), &[])));
    assert_eq!(last().await, "m0022_exposure");
}

#[test]
fn an_operator_token_of_another_database_is_refused_until_that_is_given_up() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    stop(ServerProcess::start(serve(one.path(), &[])));
    let data = two.path().join("data");
    let token = fs::read(one.path().join("data/operator-token")).unwrap();
    let refused = || {
        let ended = start_in(two.path());
        assert_eq!(ended.code, Some(1));
        for part in ["operator-token", "`-wal`", "`secrets-server restore`", "`--new-database`"] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
    };

    // As it is when `secrets.db` was copied alone from a server that had just been set up.
    fs::create_dir(&data).unwrap();
    fs::write(data.join("operator-token"), &token).unwrap();
    refused();
    assert!(!data.join("root-key").exists(), "nothing is made");
    stop(ServerProcess::start(serve(two.path(), &["--new-database"])));
    assert_eq!(fs::read(data.join("operator-token.old")).unwrap(), token);
    let own = fs::read(data.join("operator-token")).unwrap();
    assert_ne!(own, token);
    stop(ServerProcess::start(serve(two.path(), &[])));

    // And beside a database that is in use.
    fs::write(data.join("operator-token"), &token).unwrap();
    refused();
    fs::write(data.join("operator-token"), "not a token").unwrap();
    refused();
    fs::write(data.join("operator-token"), &own).unwrap();
    stop(ServerProcess::start(serve(two.path(), &[])));
}

#[test]
fn what_a_start_that_was_cut_off_left_is_finished_or_removed_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join("data").join(name);
    stop(ServerProcess::start(serve(directory.path(), &[])));
    let token = fs::read(file("operator-token")).unwrap();

    // Cut off after the token was stored.
    fs::rename(file("operator-token"), file(".operator-token.draft")).unwrap();
    stop(ServerProcess::start(serve(directory.path(), &[])));
    assert_eq!(fs::read(file("operator-token")).unwrap(), token);
    assert!(!file(".operator-token.draft").exists());

    // Cut off before; and while the root key was made.
    fs::write(file(".operator-token.draft"), "sopr_cut").unwrap();
    fs::write(file(".root-key.0123456789abcdef"), [7; 20]).unwrap();
    stop(ServerProcess::start(serve(directory.path(), &[])));
    assert_eq!(fs::read(file("operator-token")).unwrap(), token);
    assert!(!file(".operator-token.draft").exists() && !file(".root-key.0123456789abcdef").exists());
}

/// What `serve` shows until it listens, on a terminal, which `script` (Debian's bsdutils) provides.
fn shown_on_a_terminal(arguments: &[&str]) -> String {
    let line = [&["exec", env!("CARGO_BIN_EXE_secrets-server"), "serve"], arguments].concat().join(" ");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).process_group(0);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    while !shown.contains("listening") {
        assert!(output.read_line(&mut shown).unwrap() > 0, "{shown}");
    }
    child.stdin.take().unwrap().write_all(b"\x03").unwrap();
    assert!(child.wait().unwrap().success());
    shown
}

#[test]
fn the_first_start_on_a_terminal_says_what_to_type_next_and_the_second_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let serve = ["--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()];
    let first = shown_on_a_terminal(&serve);
    let token = data_dir.join("operator-token");
    let next =
        format!("SECRETS_TOKEN_FILE={} secrets org create acme --admin ann\r\nsecrets login\r\n", token.display());
    assert!(first.contains("This was the first start.") && first.contains(&next), "{first}");
    assert!(first.contains("export SECRETS_ENDPOINT=http://127.0.0.1:"), "{first}");
    assert!(!first.contains(fs::read_to_string(&token).unwrap().trim()), "the token is in its file alone");
    assert!(!shown_on_a_terminal(&serve).contains("org create"));
}

#[test]
fn the_first_start_names_a_listener_with_which_the_next_steps_work_or_none() {
    let (probes, resolve, all) =
        (r#"["health"]"#, r#"["resolve", "secret", "directory"]"#, r#"["directory", "access"]"#);
    for (offered, named) in [(vec![probes, resolve, all], Some("127.0.0.2")), (vec![probes, resolve], None)] {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.toml");
        let text: Vec<_> = offered
            .iter()
            .map(|services| {
                let ip = if *services == all { "127.0.0.2" } else { "127.0.0.1" };
                format!("[[listeners]]\naddress = \"{ip}:0\"\nservices = {services}\n")
            })
            .collect();
        fs::write(&config, text.concat()).unwrap();
        let data_dir = directory.path().join("data");
        let arguments = ["--config", config.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()];
        let shown = shown_on_a_terminal(&arguments);
        assert!(data_dir.join("operator-token").exists());
        match named {
            Some(ip) => {
                assert!(shown.contains(&format!("export SECRETS_ENDPOINT=http://{ip}:")), "{shown}");
                assert!(shown.contains("org create"), "{shown}");
            }
            None => assert!(!shown.contains("first start") && !shown.contains("org create"), "{shown}"),
        }
    }
}

#[test]
fn dev_prints_two_lines_to_copy_and_leaves_nothing_behind() {
    // Ctrl-C, and a terminal that is closed.
    for signal in [Signal::INT, Signal::HUP] {
        try_dev(signal);
    }
}

fn try_dev(signal: Signal) {
    let directory = tempfile::tempdir().unwrap();
    // Of this environment nothing but the place for temporary files is of any interest to it.
    let mut dev = command(&["dev"]);
    dev.env("TMPDIR", directory.path()).env("SECRETS__DATABASE__URL", "postgres://nowhere.invalid/secrets");
    let mut child = dev.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);

    let export = lines.next().unwrap();
    let words: Vec<_> = export.split(' ').collect();
    let ["export", endpoint, token] = words.as_slice() else { panic!("{export}") };
    let endpoint = endpoint.strip_prefix("SECRETS_ENDPOINT=").unwrap();
    // Into a pipe, which may end in a log, it prints no token.
    let token = Path::new(token.strip_prefix("SECRETS_TOKEN_FILE=").unwrap());
    assert!(fs::read_to_string(token).unwrap().starts_with("sper_"));
    assert_eq!(fs::metadata(token).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(lines.next().unwrap().starts_with("secrets set LINEAR_API_KEY && secrets run"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    // It prints before it accepts, but its address is bound: a call waits.
    assert_eq!(run(&["healthcheck", "--endpoint", endpoint]).code, Some(0));

    kill_process(Pid::from_child(&child), signal).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.next(), None);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "the data is gone");
}
