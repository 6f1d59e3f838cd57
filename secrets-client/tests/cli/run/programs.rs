//! Programs that people run, on terminals of 80 and 120 columns: they behave as without us, and a value is masked.
//!
//! They are what a Debian has and what `deploy/dev/install` installs. skopeo is also tested against a registry, with the files
//! that a program gets.

use std::path::Path;
use std::time::Duration;

use super::server;
use crate::support::{Person, TestTerminal};

const COLUMNS: [u16; 2] = [80, 120];

/// `secrets run -- WORDS` on a terminal.
fn run(person: &Person<'_>, columns: u16, words: &[&str]) -> TestTerminal {
    let screen = TestTerminal::start(&person.command_words(&[&["run", "--"], words].concat()));
    screen.resize(24, columns);
    screen
}

/// Types as a person does, whose keys are not read together.
fn type_slowly(screen: &mut TestTerminal, keys: &str) {
    for key in keys.chars() {
        screen.type_keys(&key.to_string());
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[track_caller]
fn ends_well(screen: TestTerminal) -> String {
    let (code, shown) = screen.wait_for_exit();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("lin_bob"), "{shown}");
    shown
}

#[test]
fn bash_edits_lines_and_hands_out_signals() {
    let server = server();
    // On another terminal, what is shown has codes in it.
    let bob = server.person("bob").with("TERM", "dumb").with("PS1", "ready> ").with("HISTFILE", "");
    bob.set("https://bob:hunter22@db.example.com/app", "DATABASE_URL");
    for columns in COLUMNS {
        let mut screen = run(&bob, columns, &["bash", "--norc", "--noprofile", "-i"]);
        screen.wait_for("ready> ");
        screen.type_keys("echo $(stty size) \"<$LINEAR_API_KEY>\"\r");
        screen.wait_for(&format!("\n24 {columns} <***>\r\n"));
        // What is typed shows as it is typed, though it begins as values do.
        type_slowly(&mut screen, "echo https://");
        screen.wait_for("echo https://");
        type_slowly(&mut screen, "example.org lin_x");
        screen.wait_for("example.org lin_x");
        screen.type_keys("\x01\x05\x7fy\r");
        screen.wait_for("\nhttps://example.org lin_y\r\n");
        // Whole values are masked, also while they are typed.
        type_slowly(&mut screen, "echo $DATABASE_URL https://bob:hunter22@db.example.com/app\r");
        screen.wait_for("\n*** ***\r\n");
        screen.type_keys("sleep 100\r");
        std::thread::sleep(Duration::from_millis(300));
        screen.type_keys("\x03");
        screen.wait_for("ready> ");
        screen.type_keys("echo interrupted $?; exit 0\r");
        screen.wait_for("\ninterrupted 130\r\n");
        assert!(!ends_well(screen).contains("hunter22"));
    }
}

#[test]
fn vim_saves_what_is_typed_and_leaves_the_screen() {
    let server = server();
    let bob = server.person("bob");
    let file = bob.home.join("notes");
    for columns in COLUMNS {
        std::fs::write(&file, "first\n").unwrap();
        let mut screen = run(&bob, columns, &["vim", "-N", "-u", "NONE", "-i", "NONE", "notes"]);
        screen.wait_for("first");
        type_slowly(&mut screen, "Gokey lin_bob, lin_bo\x1b");
        screen.type_keys(":wq\r");
        let shown = ends_well(screen);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "first\nkey lin_bob, lin_bo\n", "{shown}");
        assert!(shown.contains("\x1b[?1049h") && shown.contains("\x1b[?1049l"), "{shown}");
    }
}

#[test]
fn less_pages_and_searches() {
    let server = server();
    let bob = server.person("bob").with("LESS", "").with("LESSHISTFILE", "-");
    let lines: String = (1..=200).map(|number| format!("line {number}\n")).collect();
    std::fs::write(bob.home.join("log"), format!("{lines}the key is lin_bob.\nthe end\n")).unwrap();
    for columns in COLUMNS {
        let mut screen = run(&bob, columns, &["less", "log"]);
        screen.wait_for("line 23\r\n");
        screen.type_keys("/line 77\r");
        screen.wait_for("line 99");
        screen.type_keys("G");
        screen.wait_for("the key is ***.\r\n");
        screen.wait_for("the end");
        screen.type_keys("q");
        ends_well(screen);
    }
}

#[test]
fn python_asks_and_answers() {
    let server = server();
    let bob = server.person("bob").with("TERM", "dumb");
    for columns in COLUMNS {
        let mut screen = run(&bob, columns, &["/usr/bin/python3", "-q"]);
        screen.wait_for(">>> ");
        screen.type_keys("import os, getpass, shutil; key = os.environ['LINEAR_API_KEY']\r");
        screen.wait_for(">>> ");
        screen.type_keys("print(shutil.get_terminal_size().columns, len(key), key, key.encode().hex())\r");
        screen.wait_for(&format!("\n{columns} 7 *** ***\r\n"));
        screen.type_keys("input('lin_')\r");
        screen.wait_for("\nlin_");
        screen.type_keys("typed\r");
        screen.wait_for("'typed'");
        screen.type_keys("len(getpass.getpass('Hidden: '))\r");
        screen.wait_for("\nHidden: ");
        screen.type_keys("not_shown\r");
        screen.wait_for("\n9\r\n");
        screen.type_keys("exit()\r");
        assert!(!ends_well(screen).contains("not_shown"));
    }
}

#[test]
fn ssh_keygen_asks_for_a_passphrase_and_reads_a_key() {
    let server = server();
    let bob = server.person("bob");
    for columns in COLUMNS {
        let name = format!("key-{columns}");
        let mut screen = run(&bob, columns, &["ssh-keygen", "-q", "-t", "ed25519", "-f", &name, "-C", "lin_bob"]);
        for question in ["Enter passphrase", "Enter same passphrase again: "] {
            screen.wait_for(question);
            screen.type_keys("hunter22\r");
        }
        assert!(!ends_well(screen).contains("hunter22"));
        let mut screen = run(&bob, columns, &["ssh-keygen", "-y", "-f", &name]);
        screen.wait_for("Enter passphrase");
        screen.type_keys("hunter22\r");
        screen.wait_for("ssh-ed25519 ");
        screen.wait_for(" ***\r\n");
        ends_well(screen);
    }
}

#[test]
fn psql_shows_tables_and_asks_for_a_password() {
    let server = server();
    let bob = server.person("bob").with("PSQL_HISTORY", "/dev/null").with("PSQLRC", "/dev/null").with("PAGER", "cat");
    let with_postgres = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/dev/with-postgres");
    for columns in COLUMNS {
        let line = format!("exec '{}' run -- psql \"$SECRETS_TEST_POSTGRES_URL\"", env!("CARGO_BIN_EXE_secrets"));
        let program = bob.program(&with_postgres, &["--no-fsync", "sh", "-c", &line]);
        let mut screen = TestTerminal::start(&program);
        screen.resize(24, columns);
        screen.wait_for("postgres=# ");
        screen.type_keys("select 'lin_' || 'bob' as key, 'it' as other;\r");
        screen.wait_for(" *** | it\r\n");
        screen.wait_for("(1 row)");
        screen.type_keys("\\password secrets\r");
        screen.wait_for("Enter new password");
        screen.type_keys("hunter22\r");
        screen.wait_for("Enter it again: ");
        screen.type_keys("hunter22\r");
        screen.wait_for("postgres=# ");
        screen.type_keys("\\q\r");
        assert!(!ends_well(screen).contains("hunter22"));
    }
}

#[test]
fn git_opens_an_editor_and_a_pager() {
    let server = server();
    let bob = server
        .person("bob")
        .with("GIT_CONFIG_GLOBAL", "/dev/null")
        .with("GIT_EDITOR", "vim -N -u NONE -i NONE")
        .with("LESSHISTFILE", "-");
    let repository = bob.home.join("repository");
    bob.run_words(&["run", "--", "git", "init", "-q", "repository"]).expect_success("git init");
    let git = ["git", "-C", "repository", "-c", "user.name=Bob", "-c", "user.email=bob@example.com"];
    for columns in COLUMNS {
        std::fs::write(repository.join("file"), format!("{columns} lin_bob\n").repeat(60)).unwrap();
        bob.run_words(&["run", "--", "git", "-C", "repository", "add", "."]).expect_success("git add");
        let mut screen = run(&bob, columns, &[&git[..], &["commit"]].concat());
        screen.wait_for("Please enter the commit message");
        type_slowly(&mut screen, "iAdd a file\x1b");
        screen.type_keys(":wq\r");
        assert!(ends_well(screen).contains("Add a file"));
        let mut screen = run(&bob, columns, &[&git[..], &["-c", "core.pager=less", "show"]].concat());
        screen.wait_for("Author: Bob <bob@example.com>");
        screen.wait_for("***");
        screen.type_keys("q");
        ends_well(screen);
    }
}

#[test]
fn make_runs_jobs_and_says_what_fails() {
    let server = server();
    let bob = server.person("bob");
    let rules = "all: one two\none two:\n\t@echo \"$@ $$LINEAR_API_KEY\"; test -t 1\nfail:\n\t@echo fails; exit 3\n";
    std::fs::write(bob.home.join("Makefile"), rules).unwrap();
    for columns in COLUMNS {
        let mut screen = run(&bob, columns, &["make", "all"]);
        screen.wait_for("one ***\r\n");
        screen.wait_for("two ***\r\n");
        ends_well(screen);
        let shown = ends_well(run(&bob, columns, &["make", "-j2", "all"]));
        assert!(shown.contains("one ***\r\n") && shown.contains("two ***\r\n"), "{shown}");
        let (code, shown) = run(&bob, columns, &["make", "fail"]).wait_for_exit();
        assert!(code == Some(2) && shown.contains("Error 3"), "{shown}");
    }
}

#[test]
fn npm_runs_scripts() {
    let server = server();
    let bob = server.person("bob").with("NO_UPDATE_NOTIFIER", "1");
    let package = r#"{"name": "app", "version": "1.0.0", "scripts": {"start": "node -e \"console.log(process.env.LINEAR_API_KEY, process.stdout.isTTY)\"", "test": "exit 4"}}"#;
    std::fs::write(bob.home.join("package.json"), package).unwrap();
    for columns in COLUMNS {
        let mut screen = run(&bob, columns, &["npm", "start"]);
        screen.wait_for("*** ");
        screen.wait_for("true");
        ends_well(screen);
        let (code, shown) = run(&bob, columns, &["npm", "test"]).wait_for_exit();
        assert_eq!(code, Some(4), "{shown}");
    }
}

#[test]
fn skopeo_reads_an_image() {
    let server = server();
    let bob = server.person("bob");
    let image = bob.home.join("image");
    std::fs::create_dir(&image).unwrap();
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"; // of `{}`
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":2}},"layers":[],"annotations":{{"key":"lin_bob"}}}}"#
    );
    std::fs::write(image.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    std::fs::write(image.join("manifest.json"), manifest).unwrap();
    std::fs::write(image.join(digest.trim_start_matches("sha256:")), "{}").unwrap();
    for columns in COLUMNS {
        let mut screen = run(&bob, columns, &["skopeo", "inspect", "--raw", "dir:image"]);
        screen.wait_for(r#""annotations":{"key":"***"}}"#);
        ends_well(screen);
        let copy = format!("dir:copy-{columns}");
        let (code, shown) =
            run(&bob, columns, &["skopeo", "copy", "--insecure-policy", "dir:image", &copy]).wait_for_exit();
        assert!(code == Some(0) && shown.contains("Writing manifest"), "{shown}");
    }
}
