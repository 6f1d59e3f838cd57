//! Completion as bash, zsh and fish do it: each is started on a terminal or asked, evaluates its script, and completes.

use std::path::Path;
use std::process::Command;

use super::terminal::program_on_terminal;
use crate::support::{Person, ProgramOutput, TestServer};

/// A server with names to complete: bob's, the project's and the organization's.
fn server() -> TestServer {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    bob.run_with_stdin(b"canary-own", "set LINEAR_API_KEY --description mine").expect_success("set");
    bob.run_with_stdin(b"canary-ws1", "set DATABASE_URL --workspace ws1").expect_success("set");
    ann.run_with_stdin(b"canary-api", "set STRIPE_SECRET --project api").expect_success("set");
    ann.run_ok("project create web");
    server
}

/// A shell in whose `PATH` is `secrets`.
fn shell(person: &Person<'_>, program: &str, words: &[&str]) -> Command {
    let mut shell = person.program(Path::new(program), words);
    let programs = Path::new(env!("CARGO_BIN_EXE_secrets")).parent().unwrap().display().to_string();
    shell.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
    shell
}

/// What fish offers for a line beside the flags.
pub(super) fn candidates(person: &Person<'_>, line: &str) -> String {
    let script = "secrets completion fish | source; complete --do-complete $argv[1]";
    let ended = ProgramOutput::from(shell(person, "fish", &["--no-config", "-c", script, line]).output().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{line}");
    let names = ended.reject_text("canary").stdout;
    names.lines().filter(|line| !line.starts_with('-')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn bash_completes_a_name_from_the_service() {
    let server = server();
    let bob = server.person("bob");
    std::fs::write(bob.home.join("rc"), "eval \"$(secrets completion bash)\"\nPS1='at your service: '\n").unwrap();
    let dialogue = [
        ("service: ", "secrets show LIN\t"),
        ("LIN", ""),
        ("EAR_API_KEY", "\r"),
        ("organizations/acme/users/bob", ""),
        ("service: ", "secrets wor\tshow w\t\r"),
        ("organizations/acme/workspaces/ws1", ""),
        ("service: ", "secrets show --workspace=w\tDATA\t\r"),
        ("workspaces/ws1/secrets/DATABASE_URL", ""),
        ("service: ", "secrets run --only LIN\t --no-masking -- printen\tLINEAR_API_KEY | wc -c\r"),
        ("\n11", ""), // `canary-own`, and the end of the line
        ("service: ", "exit 7\r"),
    ];
    let (code, shown) = program_on_terminal(&shell(&bob, "bash", &["--noprofile", "--rcfile", "rc", "-i"]), &dialogue);
    assert!(code == 7 && !shown.contains("canary"), "{shown}");
}

#[test]
fn zsh_completes_a_name_of_the_scope_that_was_typed() {
    let server = server();
    let bob = server.person("bob");
    let start = "autoload -U compinit && compinit -D\neval \"$(secrets completion zsh)\"\nPS1='at your service: '\n";
    std::fs::write(bob.home.join(".zshrc"), start).unwrap();
    let dialogue = [
        ("service: ", "secrets show --workspace w\tDA\t\r"),
        ("organizations/acme/workspaces/ws1/secrets/DATABASE_URL", ""),
        ("service: ", "exit 7\r"),
    ];
    let (code, shown) = program_on_terminal(&shell(&bob, "zsh", &["--no-global-rcs", "-i"]), &dialogue);
    assert!(code == 7 && !shown.contains("canary"), "{shown}");
}

#[test]
fn zsh_completes_from_a_file_of_its_own_at_the_first_time_of_asking() {
    let server = server();
    let bob = server.person("bob");
    std::fs::create_dir(bob.home.join("functions")).unwrap();
    std::fs::write(bob.home.join("functions/_secrets"), bob.run_ok("completion zsh").stdout).unwrap();
    let start = "fpath=(~/functions $fpath); autoload -U compinit && compinit -D; PS1='at your service: '\n";
    std::fs::write(bob.home.join(".zshrc"), start).unwrap();
    let dialogue = [
        ("service: ", "secrets show LIN\t\r"),
        ("organizations/acme/users/bob/secrets/LINEAR_API_KEY", ""),
        ("service: ", "exit 7\r"),
    ];
    let (code, shown) = program_on_terminal(&shell(&bob, "zsh", &["--no-global-rcs", "-i"]), &dialogue);
    assert_eq!(code, 7, "{shown}");
}

#[test]
fn fish_offers_what_the_flags_typed_so_far_mean() {
    let server = server();
    let bob = server.person("bob");
    for (line, offered) in [
        ("secrets show ", "LINEAR_API_KEY\tmine\n"),
        ("secrets show --workspace ws1 ", "DATABASE_URL\n"),
        ("secrets edit --project=api S", "STRIPE_SECRET\n"),
        ("secrets explain --workspace ws1 ", "DATABASE_URL\nLINEAR_API_KEY\tmine\nSTRIPE_SECRET\n"),
        ("secrets run --workspace ws1 --only DATABASE_URL,S", "DATABASE_URL,STRIPE_SECRET\n"),
        ("secrets list --project ", "api\n"),
        ("secrets workspace delete w", "ws1\n"),
        ("secrets session create --project web --workspace ", ""),
        ("secrets session create --project api --workspace ", "ws1\n"),
        ("secrets project create a", ""),
        ("secrets undelete ", ""),
    ] {
        assert_eq!(candidates(&bob, line), offered, "{line}");
    }
    assert_eq!(candidates(&server.person("ann"), "secrets project delete "), "api\nweb\n");
    bob.run_ok("rm LINEAR_API_KEY --yes");
    assert_eq!(candidates(&bob, "secrets undelete L"), "LINEAR_API_KEY\tmine\n");
    assert_eq!(candidates(&bob, "secrets show L"), "");
}

#[test]
fn a_program_is_completed_behind_the_dashes() {
    let server = server();
    let bob = server.person("bob");
    assert!(candidates(&bob, "secrets run --workspace ws1 -- printen").starts_with("printenv"));
    std::fs::write(bob.home.join("script-of-bob"), "").unwrap();
    assert_eq!(candidates(&bob, "secrets run -- sh scri"), "script-of-bob\n");
}

#[test]
fn what_the_service_does_not_report_is_left_out() {
    let server = server();
    let nobody = server.person("nobody");
    assert_eq!(candidates(&nobody, "secrets show "), "");
    // An address that takes a connection and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let waiting = server.person("bob").with("SECRETS_ENDPOINT", &address).with("SECRETS_TOKEN", "sper_x");
    assert_eq!(candidates(&waiting, "secrets show "), "");
    assert!(candidates(&waiting, "secrets who").starts_with("whoami"), "commands need no service");
    std::fs::create_dir_all(nobody.home.join(".config/secrets")).unwrap();
    std::fs::write(nobody.home.join(".config/secrets/config.toml"), "not toml").unwrap();
    assert_eq!(candidates(&nobody, "secrets show "), "");
    nobody.run_ok("completion bash");
}
