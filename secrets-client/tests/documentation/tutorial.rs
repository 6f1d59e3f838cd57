//! The README's commands, typed as printed.
//!
//! Moved by the test are only the addresses, `127.0.0.1:50051` and `:50052`, to ports that are free, and PostgreSQL's, to a
//! database of the test's own: in the text, and by the environment where a command means the default.

use std::fmt::Write as _;
use std::process::Command;

use super::place::{Ended, Place, free_port, project};
use super::readme::{Block, blocks, missing, readme};

#[test]
fn just_trying_it() {
    play(&blocks(&readme(), "Just trying it"), 1);
}

#[test]
fn the_tutorial_from_nothing_to_a_sandbox() {
    play(&blocks(&readme(), "Tutorial"), 20);
}

#[test]
fn two_servers_on_one_postgresql() {
    let server = std::env::var("SECRETS_TEST_POSTGRES_URL")
        .expect("SECRETS_TEST_POSTGRES_URL is not set, so there is no PostgreSQL; run `make test`, which starts one");
    let database = format!("secrets_readme_{}", std::process::id());
    psql(&server, &format!("CREATE DATABASE {database}"));
    let url = format!("{}/{database}", server.rsplit_once('/').unwrap().0);
    let mut blocks = blocks(&readme(), "On PostgreSQL");
    let printed = "postgres://secrets:password@db.internal:5432/secrets";
    assert!(blocks.iter().any(|block| block.script.contains(printed)));
    for block in &mut blocks {
        block.script = block.script.replace(printed, &url);
    }
    play(&blocks, 2);
    psql(&server, &format!("DROP DATABASE {database} WITH (FORCE)"));
}

/// Types a section's blocks into one shell, and compares what comes out with what the README says.
fn play(blocks: &[Block], at_least: usize) {
    assert!(blocks.len() >= at_least, "only {} blocks: is the section still there?", blocks.len());
    let place = Place::new();
    let (first, second) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let script = session(blocks).replace("127.0.0.1:50051", &first).replace("127.0.0.1:50052", &second);
    // `healthcheck` is the one command that has its default from no environment.
    let script = script.replace("healthcheck 2>", &format!("healthcheck --endpoint http://{first} 2>"));
    let mut shell = place.command("bash");
    shell.args(["-c", &script]).env("SECRETS__LISTEN", &first).env("SECRETS_ENDPOINT", format!("http://{first}"));
    let Ended { code, output } = place.run(shell);

    for (index, block) in blocks.iter().enumerate() {
        let told = std::fs::read_to_string(place.path().join(format!(".block-{index}"))).unwrap_or_default();
        let here = || format!("README.md:{}\n{}\n--- came out:\n{told}\n--- {output}", block.line, block.script);
        let done = place.path().join(format!(".done-{index}")).exists();
        assert!(done, "the shell ended with {code:?} in {}", here());
        if let Some(line) = missing(&block.shows, &told) {
            panic!("`{line}` did not come out of {}", here());
        }
    }
    assert_eq!(code, Some(0), "{output}");
}

/// One shell session of all blocks, in which a command that fails unexpectedly ends it.
fn session(blocks: &[Block]) -> String {
    let mut script = "set -e -o pipefail; shopt -s expand_aliases\n".to_owned();
    for (index, Block { script: typed, exits, .. }) in blocks.iter().enumerate() {
        let _ = writeln!(script, "exec > .block-{index} 2>&1");
        let _ = match exits {
            0 => writeln!(script, "{typed}"),
            code => {
                writeln!(script, "set +e\n{typed}\nended=$?; set -e; echo \"exit code $ended\"; [ $ended = {code} ]")
            }
        };
        let _ = writeln!(script, "touch .done-{index}");
    }
    script
}

fn psql(server: &str, statement: &str) {
    let bin = Command::new(project().join("deploy/dev/postgres-bin")).output().unwrap();
    let psql = format!("{}/psql", String::from_utf8(bin.stdout).unwrap().trim());
    let ended = Command::new(psql).args([server, "-qc", statement]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
