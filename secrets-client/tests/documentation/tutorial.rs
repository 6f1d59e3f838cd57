//! The commands that the READMEs print, typed as printed.

use std::process::Command;

use super::readme::{Block, Step, blocks, text};
use super::session::play;
use crate::support::project;

/// Every section with `sh` blocks, and how many it has. `shell` blocks are for other machines, and are not run.
const SECTIONS: [(&str, &str, usize); 4] = [
    ("README.md", "Quick start", 5),
    ("secrets-client/README.md", "Tutorial", 80),
    ("secrets-server/README.md", "PostgreSQL, and several servers", 8),
    ("secrets-server/README.md", "Backup and restore", 9),
];

#[test]
fn the_quick_start() {
    play("README.md", &section("README.md", "Quick start"), &[]);
}

#[test]
fn the_tutorial_from_nothing_to_a_sandbox() {
    play("secrets-client/README.md", &section("secrets-client/README.md", "Tutorial"), &[]);
}

#[test]
fn two_servers_on_one_postgresql() {
    let server = std::env::var("SECRETS_TEST_POSTGRES_URL")
        .expect("SECRETS_TEST_POSTGRES_URL is not set, so there is no PostgreSQL; run `make test`, which starts one");
    let database = format!("secrets_readme_{}", std::process::id());
    psql(&server, &format!("CREATE DATABASE {database}"));
    let url = format!("{}/{database}", server.rsplit_once('/').unwrap().0);
    let file = "secrets-server/README.md";
    play(
        file,
        &section(file, "PostgreSQL, and several servers"),
        &[("postgres://secrets:password@db.internal:5432/secrets", &url)],
    );
    psql(&server, &format!("DROP DATABASE {database} WITH (FORCE)"));
}

#[test]
fn a_backup_that_is_restored() {
    play("secrets-server/README.md", &section("secrets-server/README.md", "Backup and restore"), &[]);
}

#[test]
fn every_block_is_run() {
    for file in
        ["README.md", "CONTRIBUTING.md", "deploy/README.md", "secrets-client/README.md", "secrets-server/README.md"]
    {
        let run: usize = SECTIONS.iter().filter(|(of, ..)| *of == file).map(|(.., count)| count).sum();
        let printed = text(file).lines().filter(|line| *line == "```sh").count();
        assert_eq!(printed, run, "{file} has `sh` blocks outside of the sections that are run");
    }
}

/// The blocks of a section, all of them.
fn section(file: &str, heading: &str) -> Vec<Block> {
    let blocks = blocks(&text(file), heading);
    let typed = blocks.iter().filter(|block| !matches!(block.step, Step::ShowsByThen { .. })).count();
    let (.., count) = SECTIONS.iter().find(|each| (each.0, each.1) == (file, heading)).unwrap();
    assert_eq!(typed, *count, "{file}, {heading}");
    blocks
}

fn psql(server: &str, statement: &str) {
    let bin = Command::new(project().join("deploy/dev/postgres-bin")).output().unwrap();
    let psql = format!("{}/psql", String::from_utf8(bin.stdout).unwrap().trim());
    let ended = Command::new(psql).args([server, "-qc", statement]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
