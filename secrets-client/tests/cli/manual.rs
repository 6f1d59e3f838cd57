use std::process::Command;

use crate::support::TestServer;

#[test]
fn each_command_has_a_page_that_a_manual_reader_takes() {
    let server = TestServer::start();
    let nobody = server.person("nobody");
    nobody.run_ok("man --dir man/man1").expect_text(&["pages written into man/man1"]);
    let directory = nobody.home.join("man/man1");
    let pages: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|page| page.unwrap().path()).collect();
    for name in ["secrets.1", "secrets-set.1", "secrets-service-account-create.1", "secrets-man.1"] {
        assert!(pages.contains(&directory.join(name)), "{name}: {pages:?}");
    }
    let lint = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).args(&pages).output().unwrap();
    assert!(lint.status.success(), "{lint:?}");

    let page = Command::new("mandoc")
        .args(["-T", "ascii", "-O", "width=200"])
        .arg(directory.join("secrets-import.1"))
        .output();
    // What is bold or underlined is printed over itself.
    let text: Vec<char> = String::from_utf8(page.unwrap().stdout).unwrap().chars().collect();
    let text: String = (0..text.len())
        .filter(|&at| text[at] != '\u{8}' && text.get(at + 1) != Some(&'\u{8}'))
        .map(|at| text[at])
        .collect();
    for part in ["secrets-import - Import a .env or JSON file, after a review", "--skip-rejected", "Do not ask"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_page_is_printed_by_its_commands_name() {
    let server = TestServer::start();
    let nobody = server.person("nobody");
    nobody.run_ok("man --dir pages");
    let written = std::fs::read_to_string(nobody.home.join("pages/secrets.1")).unwrap();
    assert_eq!(nobody.run_ok("man").stdout, written);
    assert!(nobody.run_ok("man org create").stdout.contains("first administrator"));
    let run = nobody.run_ok("man run").stdout.replace("\\-", "-");
    assert!(run.contains("secrets run") && run.contains("-- COMMAND [ARGUMENT]..."), "{run}");
    nobody.run("man nope").expect_failure(3).expect_text(&["`nope`", "secrets --help"]);
}
