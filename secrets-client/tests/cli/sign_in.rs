use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use super::terminal::on_terminal;
use crate::support::{Person, ProgramOutput, TestServer};

#[test]
fn an_invitation_becomes_a_token_that_only_its_owner_reads() {
    let server = TestServer::start();
    let created =
        server.operator().run_ok("org create acme --admin ann").expect_text(&["ann signs in", "secrets login"]);
    let code = created.line();
    assert!(code.starts_with("sinv_"));

    let ann = server.person("ann");
    let (code_typed, shown) =
        on_terminal(&ann, "login", &[("Invitation code or token (hidden): ", &format!("{code}\r"))]);
    assert!(code_typed == 0 && shown.contains("user ann") && !shown.contains(&code), "{shown}");
    let whoami = ann.run_ok("whoami").stdout;
    assert!(whoami.starts_with("user ann, organization acme, admin, token expires "), "{whoami}");
    let config = ann.run_ok("config path").line();
    assert!(config.ends_with(".config/secrets/config.toml"));
    assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&config).unwrap().contains("token = \"sper_"));

    let again = server.person("eve").run(&format!("login --invite {code}")).expect_failure(4);
    again.expect_text(&["a code works once", "ask whoever invited you"]).reject_text("secrets user invite");
    let cut = server.person("eve").run(&format!("login --invite {}", &code[..20])).expect_failure(4);
    cut.expect_text(&["the code is cut short (20 of", "copy all of it"]).reject_text("works once");
}

#[test]
fn a_token_is_taken_from_stdin_and_checked_before_it_is_kept() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let token = ann.run_ok("token create --name laptop --ttl 30d").line();
    assert!(token.starts_with("sper_"));
    let laptop = server.person("laptop");
    laptop.run_with_stdin(format!("{token}\n").as_bytes(), "login").expect_success("login").reject_text(&token);
    assert_eq!(laptop.run_ok("whoami --output json").json()["principal"], "organizations/acme/users/ann");

    let again = laptop.run_with_stdin(ann.run_ok("token create").line().as_bytes(), "login").expect_success("login");
    again.expect_text(&["the token of ann", "stored here before is valid until it expires", "secrets logout"]);

    let other = server.person("other");
    other.run_with_stdin(b"sper_nonsense", "login").expect_failure(4).reject_text("nonsense");
    other.run("whoami").expect_failure(4).expect_text(&["not signed in", "secrets login"]);
}

#[test]
fn a_revoked_token_ends_at_once() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let token = ann.run_ok("token create --name old").line();
    let old = server.person("old").with("SECRETS_TOKEN", &token);
    old.run_ok("whoami");
    let id = ann.run_ok("token list").row_of("old");
    ann.run(&format!("token revoke {id}")).expect_failure(2).expect_text(&["--yes"]);
    old.run_ok("whoami");
    ann.run_ok(&format!("token revoke {id} --yes")).expect_text(&["this ended 0 sessions and 1 token"]);
    old.run("whoami").expect_failure(4);
    ann.run(&format!("token revoke {token} --yes")).expect_failure(2).reject_text(&token);
    ann.run("token revoke nope --yes").expect_failure(3).expect_text(&["no token `nope`", "secrets token list"]);
}

#[test]
fn the_configuration_is_read_and_changed() {
    let server = TestServer::start();
    let ann = server.person("ann");
    ann.run("config get organization").expect_failure(3);
    ann.run_ok("config set organization acme");
    ann.run_ok("config set endpoint http://127.0.0.1:1");
    assert_eq!(ann.run_ok("config get organization").line(), "acme");
    assert_eq!(ann.run_ok("config list").stdout, "endpoint = http://127.0.0.1:1\norganization = acme\n");
    ann.run_ok("config unset endpoint");
    assert_eq!(ann.run_ok("config list -o json").json(), serde_json::json!({ "organization": "acme" }));
    ann.run("config set token sper_canary").expect_failure(2).reject_text("canary");
    ann.run("config set organization Acme!").expect_failure(2);
}

#[test]
fn a_script_gives_the_code_on_stdin() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    for (name, line) in [("carol", "login --invite -"), ("dave", "login --name laptop --ttl 1d")] {
        let code = ann.run_ok(&format!("user invite {name}")).line();
        let person = server.person(name);
        let signed_in = person.run_with_stdin(format!("{code}\n").as_bytes(), line).expect_success(line);
        assert!(signed_in.reject_text(&code).stdout.starts_with(&format!("user {name}, ")));
        person.run_ok("whoami");
    }
    let tokens = server.person("dave").run_ok("token list -o json").json();
    assert_eq!(tokens[0]["display_name"], "laptop");
    let eve = server.person("eve");
    eve.run_with_stdin(b"sper_canary", "login --invite -").expect_failure(2).expect_text(&["not an invitation code"]);
    eve.run_with_stdin(b"sper_canary", "login --ttl 1d").expect_failure(2).expect_text(&["--ttl", "this is a token"]);
    eve.run_with_stdin(b"", "login").expect_failure(2).expect_text(&["empty"]);
}

/// The same command where no file can grow, as on a full disk.
fn with_a_full_disk(person: &Person<'_>, line: &str) -> ProgramOutput {
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {} {line}", env!("CARGO_BIN_EXE_secrets"));
    ProgramOutput::from(person.program(Path::new("sh"), &["-c", &script]).output().unwrap())
}

#[test]
fn a_code_is_used_up_only_when_its_token_can_be_stored() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let code = ann.run_ok("user invite carol").line();
    let line = format!("login --invite {code}");
    let carol = || server.person("carol");
    // A home that can't be written to, whoever asks.
    for home in ["/proc/nowhere", "/dev/null"] {
        carol().with("XDG_CONFIG_HOME", home).run(&line).expect_failure(1).expect_text(&[home]).reject_text(&code);
    }
    with_a_full_disk(&carol(), &line).expect_failure(1).expect_text(&["config.toml"]).reject_text(&code);
    let directory = carol().home.join(".config/secrets");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "nothing is left of the attempt");
    carol().run_ok(&line);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    // A full disk leaves the token that is there.
    let before = std::fs::read(directory.join("config.toml")).unwrap();
    with_a_full_disk(&carol(), "config set project api").expect_failure(1);
    assert_eq!(std::fs::read(directory.join("config.toml")).unwrap(), before);
    carol().run_ok("whoami");
}

/// The same command with a stdout that takes nothing.
fn into(stdout: Stdio, person: &Person<'_>, line: &str) -> ProgramOutput {
    ProgramOutput::from(
        person.command(line).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap(),
    )
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn what_was_created_and_cannot_be_printed_is_revoked() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.run_ok("service-account create ci");
    for (format, line) in [
        ("", "token create --name lost"),
        (" -o json", "token create --name lost"),
        ("", "token create --name lost --service-account ci"),
        ("", "session create --workspace ws1 --name lost"),
        (" -o json", "session create --workspace ws1 --name lost"),
    ] {
        let person = if line.starts_with("session") { server.person("bob") } else { server.person("ann") };
        let ended = into(full(), &person, &format!("{line}{format}")).expect_failure(1);
        ended.expect_text(&["stdout: ", "was revoked"]);
    }
    for list in ["token list", "token list --service-account ci"] {
        let tokens = ann.run_ok(&format!("{list} -o json")).json();
        let lost = tokens.as_array().unwrap().iter().filter(|token| token["display_name"] == "lost");
        let lost: Vec<_> = lost.map(|token| token["revoke_time"].is_string()).collect();
        assert!(!lost.is_empty() && lost.iter().all(|revoked| *revoked), "{list}: {tokens:#}");
    }
    assert_eq!(ann.run_ok("session list -o json").json(), serde_json::json!([]));

    // A reader that is gone has read nothing.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    into(writer.into(), &ann, "token create --name unread").expect_failure(1).expect_text(&["was revoked"]);
}

#[test]
fn a_code_that_cannot_be_printed_is_ended() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let keeper = server.directory.path().join("code");
    let ended = into(File::create(&keeper).unwrap().into(), &ann, "user invite carol").expect_success("invite");
    assert!(ended.stderr.contains("carol signs in"));
    let first = std::fs::read_to_string(&keeper).unwrap();
    let lost = into(full(), &ann, "user invite carol").expect_failure(1);
    lost.expect_text(&["the code was revoked", "invite carol again"]);
    // The code before it had ended with the invitation, as it is said.
    server.person("carol").run(&format!("login --invite {}", first.trim())).expect_failure(4);

    let operator = server.operator();
    into(full(), &operator, "org create beta --admin ann").expect_failure(1).expect_text(&["beta", "was revoked"]);
    assert!(!operator.run_ok("org list").stdout.contains("beta"));
    operator.run_ok("org create beta --admin ann");
}

#[test]
fn no_text_proposes_a_code_as_an_argument() {
    let server = TestServer::acme();
    let nobody = server.person("nobody");
    for line in ["whoami", "doctor", "login sinv_canary", "login --token x"] {
        nobody.run(line).expect_text(&["secrets login"]).reject_text("--invite CODE").reject_text("canary");
    }
    server.person("ann").run_ok("user invite carol").reject_text("--invite");
}
