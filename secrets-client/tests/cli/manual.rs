use std::path::Path;
use std::process::Command;

use crate::support::TestServer;

/// What a reader of manuals shows, without what is bold or underlined, which is printed over itself.
fn shown(page: &Path) -> String {
    let page = Command::new("mandoc").args(["-T", "ascii", "-O", "width=200"]).arg(page).output().unwrap();
    let text: Vec<char> = String::from_utf8(page.stdout).unwrap().chars().collect();
    (0..text.len()).filter(|&at| text[at] != '\u{8}' && text.get(at + 1) != Some(&'\u{8}')).map(|at| text[at]).collect()
}

#[test]
fn each_command_has_a_page_that_a_manual_reader_takes() {
    let server = TestServer::start();
    let nobody = server.person("nobody");
    nobody.run_ok("man --dir man/man1").expect_text(&["pages written into man/man1"]);
    let directory = nobody.home.join("man/man1");
    let mut pages: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|page| page.unwrap().path()).collect();
    for name in ["secrets.1", "secrets-set.1", "secrets-service-account-create.1", "secrets-man.1"] {
        assert!(pages.contains(&directory.join(name)), "{name}: {pages:?}");
    }
    let concepts = nobody.home.join("man/man7/secrets-concepts.7");
    pages.push(concepts.clone());
    let lint = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).args(&pages).output().unwrap();
    // A page names its release rather than a day.
    let found = String::from_utf8(lint.stdout).unwrap();
    let found: Vec<&str> = found.lines().filter(|line| !line.contains("cannot parse date")).collect();
    assert!(found.is_empty(), "{found:#?}");

    for page in pages.iter().filter(|page| **page != concepts) {
        let text = shown(page);
        for section in ["EXAMPLES", "FILES", "ENVIRONMENT", "EXIT STATUS", "SEE ALSO"] {
            assert!(text.contains(&format!("\n{section}\n")), "{page:?} has no {section}: {text}");
        }
    }
    let import = shown(&directory.join("secrets-import.1"));
    for part in [
        "secrets-import - Import a .env, JSON or YAML file, after a review",
        "--skip-rejected",
        "Do not ask",
        "sops -d secrets.env | secrets import - -p api --yes",
        "~/.config/secrets/config.toml",
        "SECRETS_PROJECT",
        "secrets(1)",
        "secrets-concepts(7)",
    ] {
        assert!(import.contains(part), "{part}: {import}");
    }
    let concepts = shown(&concepts);
    for word in ["organization", "project", "workspace", "context", "precedence", "lock", "group"] {
        assert!(concepts.contains(&format!("\n       {word}")), "{word}: {concepts}");
    }
}

#[test]
fn the_example_of_man_installs_pages_where_a_manual_reader_finds_them() {
    let server = TestServer::start();
    let nobody = server.person("nobody");
    let help = nobody.run_ok("help man").stdout;
    let example = help.lines().find_map(|line| line.trim().strip_prefix("secrets man --dir ~/")).unwrap();
    nobody.run_ok(&format!("man --dir {}", nobody.home.join(example).display()));
    let manuals = nobody.home.join(".local/share/man");
    for page in ["man1/secrets-import.1", "man7/secrets-concepts.7"] {
        assert!(manuals.join(page).is_file(), "{page}: {example}");
    }
}

#[test]
fn a_page_is_printed_by_its_commands_name() {
    let server = TestServer::start();
    let nobody = server.person("nobody");
    nobody.run_ok("man --dir pages");
    let written = |name: &str| std::fs::read_to_string(nobody.home.join("pages").join(name)).unwrap();
    assert_eq!(nobody.run_ok("man").stdout, written("secrets.1"));
    assert_eq!(nobody.run_ok("man concepts").stdout, written("secrets-concepts.7"));
    assert!(nobody.run_ok("man org create").stdout.contains("first administrator"));
    let run = nobody.run_ok("man run").stdout.replace("\\-", "-");
    assert!(run.contains("secrets run") && run.contains("-- COMMAND [ARGUMENT]..."), "{run}");
    nobody.run("man nope").expect_failure(3).expect_text(&["`nope`", "secrets help"]);
}
