//! Every format of `resolve`, read back by what reads it in life: shells, `.env` libraries, Docker's own code, parsers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Person, ProgramOutput, TestServer, readers, readers_path};

type Values = BTreeMap<String, String>;

/// What quoting goes wrong with, alone and side by side.
const PIECES: &[&str] = &[
    "a",
    "Z9",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "'",
    "''",
    "\"",
    "`",
    "\\",
    "\\\\",
    "\\n",
    "\\'",
    "\\\"",
    "$",
    "$$",
    "$HOME",
    "${HOME}",
    "${X:-y}",
    "$(touch pwned)",
    "`touch pwned`",
    "#",
    " # ",
    "!",
    "!!",
    ";",
    "&&",
    "|",
    ">",
    "*",
    "?",
    "[",
    "{a,b}",
    "~",
    "=",
    ":",
    ": ",
    "- ",
    "%",
    "%s",
    "@",
    ",",
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "é",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "日本",
    "🔑",
    "null",
    "yes",
    "---",
    "EOF",
];

/// Values made of those pieces, the same ones in each run.
fn values() -> Values {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 32).unwrap() % below
    };
    let single = PIECES.iter().map(|piece| (*piece).to_owned());
    let mixed: Vec<String> =
        (0..240).map(|_| (0..2 + random(5)).map(|_| PIECES[random(PIECES.len())]).collect()).collect();
    let long = ["x".repeat(60_000), "'\n".repeat(2_000)];
    // Names that a YAML reader could take for something else.
    let odd = ["NO", "ON", "Y", "NULL", "TRUE", "_"].map(|name| (name.to_owned(), "a 'value'".to_owned()));
    single.chain(mixed).chain(long).enumerate().map(|(n, value)| (format!("V{n:03}"), value)).chain(odd).collect()
}

fn server() -> TestServer {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let ended = bob.run_with_stdin(json!(values()).to_string().as_bytes(), "import - --format json --yes");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.stdout.contains("rejected"), "{}", ended.stdout);
    server
}

/// The document of these names.
fn document(
    bob: &Person<'_>,
    format: &str,
    names: impl IntoIterator<Item = impl AsRef<str>>,
) -> (PathBuf, ProgramOutput) {
    let mut words = vec!["resolve".to_owned(), "--format".to_owned(), format.to_owned()];
    words.extend(names.into_iter().map(|name| name.as_ref().to_owned()));
    let ended = bob.run_words(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let path = bob.home.join(format!("document.{format}"));
    std::fs::write(&path, &ended.stdout).unwrap();
    (path, ended)
}

/// A program that reads a document: one of the installed readers, or what the machine has.
fn reader(bob: &Person<'_>, words: &[&str]) -> Vec<u8> {
    let mut command = Command::new("env");
    command.args(words).current_dir(&bob.home).env("PATH", readers_path());
    command.env("NODE_PATH", readers().join("node_modules"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn json_of(output: &[u8]) -> Values {
    serde_json::from_slice(output).unwrap()
}

/// Each value is as it was, and no other one was made up.
#[track_caller]
fn same(reader: &str, read: &Values, wanted: &Values) {
    for (name, value) in wanted {
        assert_eq!(read.get(name), Some(value), "{reader}: {name}");
    }
    assert_eq!(read.len(), wanted.len(), "{reader}");
}

/// Splits the values into those that a format takes and those that it refuses by name.
fn sorted(bob: &Person<'_>, format: &str) -> (Values, Values) {
    let (_, ended) = document(bob, format, &[] as &[&str]);
    let ended = ended.expect_failure(1);
    assert_eq!(ended.stdout, "");
    // `error: can't be written as dotenv: A, B (a reason); C (another one)`
    let (_, unfit) = ended.stderr.lines().next().unwrap().split_once(&format!("as {format}: ")).unwrap();
    let names = unfit.split("; ").flat_map(|group| group.split_once(" (").unwrap().0.split(", "));
    let names: Vec<&str> = names.collect();
    values().into_iter().partition(|(name, _)| !names.contains(&name.as_str()))
}

#[test]
fn shells_read_every_value_and_run_none_of_it() {
    let server = server();
    let bob = server.person("bob");
    let (path, _) = document(&bob, "shell", &[] as &[&str]);
    for shell in ["bash", "dash", "sh", "zsh"] {
        for how in [r#"eval "$(cat "$0")""#, r#". "$0""#] {
            let script = format!("{how}; exec env -0");
            let output = reader(&bob, &["-i", shell, "-c", &script, path.to_str().unwrap()]);
            let read: Values = output
                .split(|byte| *byte == 0)
                .filter_map(|pair| std::str::from_utf8(pair).unwrap().split_once('='))
                .filter(|(name, _)| values().contains_key(*name) && *name != "_")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let mut wanted = values();
            wanted.remove("_"); // which each shell sets to the command it runs
            same(&format!("{shell} {how}"), &read, &wanted);
        }
    }
    assert!(!bob.home.join("pwned").exists());
}

#[test]
fn dotenv_libraries_read_alike_what_is_not_refused() {
    let server = server();
    let bob = server.person("bob");
    let (taken, refused) = sorted(&bob, "dotenv");
    // What quotes can hold is never refused.
    let plain = |value: &str| !value.contains(['\'', '\\', '\r']) && !value.contains("${");
    assert!(taken.values().all(|value| !value.contains('\r')), "a carriage return");
    let awkward: Vec<_> = refused.values().filter(|value| plain(value)).collect();
    assert!(awkward.is_empty() && taken.values().any(|value| value.contains('\'')), "{awkward:?}");

    let (path, _) = document(&bob, "dotenv", taken.keys());
    let path = path.to_str().unwrap();
    let python = "import dotenv, json, sys; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))";
    same("python-dotenv", &json_of(&reader(&bob, &["python", "-c", python, path])), &taken);
    let node = "const p = process.argv.at(-1); \
        console.log(JSON.stringify(require('dotenv').parse(require('fs').readFileSync(p))))";
    same("node dotenv", &json_of(&reader(&bob, &["node", "-e", node, path])), &taken);
    // Names that the environment has win over the file: only ours are in it.
    let flag = format!("--env-file={path}");
    let node = "const { PATH, NODE_PATH, ...rest } = process.env; console.log(JSON.stringify(rest))";
    let readers = reader(&bob, &["sh", "-c", "printf %s \"$PATH\""]);
    let search = format!("PATH={}", String::from_utf8(readers).unwrap());
    same("node --env-file", &json_of(&reader(&bob, &["-i", &search, "node", &flag, "-e", node])), &taken);
    let own = secrets_core::dotenv::parse(&std::fs::read(path).unwrap()).unwrap();
    let own = own.iter().map(|entry| (entry.key().to_owned(), entry.value().to_owned())).collect();
    same("import", &own, &taken);

    let script = r#"set -a; . "$0"; exec env -0"#;
    let output = reader(&bob, &["-i", "sh", "-c", script, path]);
    let read: Values = output
        .split(|byte| *byte == 0)
        .filter_map(|pair| std::str::from_utf8(pair).unwrap().split_once('='))
        .filter(|(name, _)| taken.contains_key(*name) && *name != "_")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut wanted = taken;
    wanted.remove("_");
    same("sh", &read, &wanted);
    assert!(!bob.home.join("pwned").exists());
}

#[test]
fn docker_reads_every_variable_of_one_line() {
    let server = server();
    let bob = server.person("bob");
    let (taken, refused) = sorted(&bob, "docker");
    let fits = |value: &str| !value.contains('\n') && !value.ends_with('\r');
    assert!(taken.values().all(|value| fits(value)) && refused.values().all(|value| !fits(value)));
    let (path, _) = document(&bob, "docker", taken.keys());
    let lines: Vec<String> =
        serde_json::from_slice(&reader(&bob, &["docker-reader", "env-file", path.to_str().unwrap()])).unwrap();
    let read = lines.iter().map(|line| line.split_once('=').unwrap());
    same("docker", &read.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), &taken);

    bob.set("two\nlines", "MULTI_LINE");
    let refusal = bob.run("resolve MULTI_LINE --format docker").expect_failure(1).reject_text("two");
    refusal.expect_text(&[
        "MULTI_LINE (it has a newline)",
        "--format shell, --format dotenv, --format json, --format yaml",
    ]);
}

#[test]
fn what_a_format_cannot_carry_fails_the_command_or_is_left_out_by_name() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("-----BEGIN X-----\r\ncanary\r\n-----END X-----\r\n", "CRLF");
    bob.set("postgres://${CANARY}/api", "URL");
    bob.set("plain", "PLAIN");
    let ended = bob.run("resolve --format dotenv").expect_failure(1).reject_text("canary").reject_text("CANARY");
    assert_eq!(ended.stdout, "");
    ended.expect_text(&[
        "CRLF (it has a carriage return",
        "URL (",
        "--format shell, --format json",
        "--skip-unrepresentable",
    ]);
    let ended = bob.run_ok("resolve --format dotenv --skip-unrepresentable").reject_text("CANARY");
    assert_eq!(ended.stdout, "PLAIN=plain\n");
    assert!(ended.stderr.contains("2 secrets left out") && ended.stderr.contains("CRLF (it has a carriage return"));
    assert!(bob.run_ok("resolve --format shell").stdout.contains("${CANARY}"));
    bob.run("resolve --skip-unrepresentable").expect_failure(2);
}

#[test]
fn docker_takes_the_longest_line_that_is_not_refused() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set(&"x".repeat(65_533), "A");
    let (path, _) = document(&bob, "docker", ["A"]);
    let lines = reader(&bob, &["docker-reader", "env-file", path.to_str().unwrap()]);
    assert_eq!(serde_json::from_slice::<Vec<String>>(&lines).unwrap()[0].len(), 65_535);
    bob.set(&"x".repeat(65_534), "A");
    bob.run("resolve A --format docker").expect_failure(1).expect_text(&["too long for a line"]);
}

#[test]
fn parsers_read_every_value() {
    let server = server();
    let bob = server.person("bob");
    let json = "import json, sys; print(json.dumps(json.load(open(sys.argv[1], encoding='utf-8'))))";
    let yaml = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], 'rb'))))";
    for (format, script) in [("json", json), ("yaml", yaml)] {
        let (path, _) = document(&bob, format, &[] as &[&str]);
        let read = reader(&bob, &["python", "-c", script, path.to_str().unwrap()]);
        same(format, &json_of(&read), &values());
    }
    let (path, _) = document(&bob, "yaml", &[] as &[&str]);
    let script = "const p = process.argv.at(-1); \
        console.log(JSON.stringify(require('yaml').parse(require('fs').readFileSync(p, 'utf8'))))";
    same("node yaml", &json_of(&reader(&bob, &["node", "-e", script, path.to_str().unwrap()])), &values());
}

#[test]
fn bytes_that_are_no_text_stand_in_yaml_alone() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let bytes: Vec<u8> = (0..=255).collect();
    bob.run_with_stdin(&bytes, "set KEY --file ~/key").expect_success("set");
    let (path, _) = document(&bob, "yaml", ["KEY"]);
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load(open(sys.argv[1]))['KEY'])))";
    let read = reader(&bob, &["python", "-c", script, path.to_str().unwrap()]);
    assert_eq!(serde_json::from_slice::<Vec<u8>>(&read).unwrap(), bytes);
    bob.run("resolve --format json").expect_failure(1).expect_text(&["KEY (it is not UTF-8)", "--raw"]);
    for format in ["shell", "dotenv", "docker", "dockerconfigjson"] {
        bob.run_ok(&format!("resolve --format {format}"))
            .expect_text(&["1 secret left out", "KEY (file ~/key (0600))"]);
    }
}

#[test]
fn docker_signs_in_with_what_it_was_given() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let passwords = [("docker.io", "p'a\"s$s:w\\ö#rd "), ("ghcr.io", "ghp_1"), ("localhost:5000", "日本")];
    for (n, (host, password)) in passwords.iter().enumerate() {
        bob.run_with_stdin(password.as_bytes(), &format!("set R{n} --registry {host} --username bob"))
            .expect_success("set");
    }
    let login = |directory: &str, host: &str| -> Value {
        let host = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
        serde_json::from_slice(&reader(&bob, &["docker-reader", "login", directory, host])).unwrap()
    };
    let (path, _) = document(&bob, "dockerconfigjson", &[] as &[&str]);
    let directory = bob.home.join("alone");
    std::fs::create_dir(&directory).unwrap();
    std::fs::copy(path, directory.join("config.json")).unwrap();
    for (host, password) in passwords {
        assert_eq!(login(directory.to_str().unwrap(), host), json!({ "username": "bob", "password": password }));
    }

    // The same through `run`, where a store would otherwise have every registry, and a helper one of ours.
    std::fs::create_dir(bob.home.join(".docker")).unwrap();
    let own = json!({
        "auths": { "quay.io": { "auth": "YW5uOm93bg==" }, "https://ghcr.io/v1/": { "auth": "b2xkOm9sZA==" } },
        "credsStore": "never-called", "credHelpers": { "quay.io": "", "localhost:5000": "never-called" },
    });
    std::fs::write(bob.home.join(".docker/config.json"), own.to_string()).unwrap();
    let keep = ["run", "--no-masking", "--", "sh", "-c", "mkdir merged && cp $DOCKER_CONFIG/config.json merged"];
    bob.run_words(&keep).expect_success("run");
    let merged = bob.home.join("merged");
    for (host, password) in passwords {
        assert_eq!(login(merged.to_str().unwrap(), host), json!({ "username": "bob", "password": password }));
    }
    assert_eq!(login(merged.to_str().unwrap(), "quay.io"), json!({ "username": "ann", "password": "own" }));
}
