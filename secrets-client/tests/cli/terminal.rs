//! On a terminal, which `script` (Debian's bsdutils) provides.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::world::{Person, World};

/// Runs `secrets` on a terminal, and types an answer whenever `question` appears. Returns its code and what the terminal
/// showed.
fn on_terminal(person: &Person<'_>, line: &str, dialogue: &[(&str, &str)]) -> (i32, String) {
    program_on_terminal(&person.command(line), dialogue)
}

/// The same with any program.
pub(crate) fn program_on_terminal(inner: &Command, dialogue: &[(&str, &str)]) -> (i32, String) {
    let words: Vec<String> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''")))
        .collect();
    let mut command = Command::new("script");
    // `exec`: the shell between would be sent every Ctrl-C too, and end with 130 for it.
    command.args(["--quiet", "--return", "--command", &format!("exec {}", words.join(" ")), "/dev/null"]);
    command.current_dir(inner.get_current_dir().unwrap()).env("TERM", "dumb");
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // A group of its own, so that what it does to its terminal is not done to the tester's.
    let mut child = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut chunk) {
            let _ = sender.send(chunk[..count].to_vec());
        }
    });
    let mut shown = Vec::new();
    let mut dialogue = dialogue.iter();
    let mut next = dialogue.next();
    let mut seen = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(chunk) => shown.extend(chunk),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{inner:?}: {}", String::from_utf8_lossy(&shown)),
        }
        let text = String::from_utf8_lossy(&shown).into_owned();
        while let Some((question, answer)) = next
            && let Some(at) = text[seen..].find(question)
        {
            seen += at + question.len();
            std::thread::sleep(Duration::from_millis(50)); // as a person would, not before the question is out
            stdin.write_all(answer.as_bytes()).unwrap();
            stdin.flush().unwrap();
            next = dialogue.next();
        }
    }
    assert!(next.is_none(), "{inner:?}: {next:?} was not asked: {}", String::from_utf8_lossy(&shown));
    (child.wait().unwrap().code().unwrap(), String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn a_value_is_asked_for_and_not_shown() {
    let world = World::acme();
    let bob = world.person("bob");
    let (code, shown) = on_terminal(&bob, "set A", &[("(hidden): ", "lin_canary\r")]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Value of A (hidden): ") && !shown.contains("canary"), "{shown}");
    assert_eq!(bob.does("resolve A --raw").stdout, "lin_canary");

    let (code, shown) = on_terminal(&bob, "set A --echo", &[("Value of A: ", "visible\r")]);
    assert!(code == 0 && shown.contains("visible"), "{shown}");

    let (code, shown) = on_terminal(&bob, "edit A", &[("empty to keep it (hidden): ", "\r")]);
    assert!(code == 0 && shown.contains("as it was"), "{shown}");
    assert_eq!(bob.does("resolve A --raw").stdout, "visible");
}

#[test]
fn a_value_longer_than_a_terminals_line_arrives_whole() {
    let world = World::acme();
    let bob = world.person("bob");
    let long = "x".repeat(9_000);
    let (code, shown) = on_terminal(&bob, "set A", &[("(hidden): ", &format!("{long}\r"))]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(bob.does("resolve A --raw").stdout, long);
}

#[test]
fn ctrl_c_at_a_question_changes_nothing() {
    let world = World::acme();
    let bob = world.person("bob");
    let (code, shown) = on_terminal(&bob, "set A", &[("(hidden): ", "lin\x03")]);
    assert_eq!(code, 130, "{shown}");
    assert!(bob.does("list").stdout.is_empty());
}

#[test]
fn a_delete_asks_and_only_yes_deletes() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("team", "LINEAR_API_KEY --org");
    bob.sets("own", "LINEAR_API_KEY");
    let question = "the organization's LINEAR_API_KEY will be used instead. Delete? [y/N] ";
    let (code, shown) = on_terminal(&bob, "rm LINEAR_API_KEY", &[(question, "\r")]);
    assert!(code == 1 && shown.contains("nothing was deleted"), "{shown}");
    bob.does("show LINEAR_API_KEY");
    let (code, shown) = on_terminal(&bob, "rm LINEAR_API_KEY", &[(question, "y\r")]);
    assert_eq!(code, 0, "{shown}");
    bob.types("show LINEAR_API_KEY").fails(3);
}

#[test]
fn an_import_asks_before_it_leaves_rejected_entries_out() {
    let world = World::acme();
    let ann = world.person("ann");
    std::fs::write(ann.home.join(".env"), "A=1\nPATH=/x\n").unwrap();
    let question = "Import 1 secret into project api? [y/N] ";
    let (code, shown) = on_terminal(&ann, "import .env --project api", &[(question, "n\r")]);
    assert!(code == 1 && shown.contains("nothing was imported"), "{shown}");
    assert!(ann.does("list --project api").stdout.is_empty());
    let (code, shown) = on_terminal(&ann, "import .env --project api", &[(question, "y\r")]);
    assert_eq!(code, 0, "{shown}");
    ann.does("show A --project api");
}

#[test]
fn ctrl_c_reaches_a_program_once() {
    let world = World::acme();
    let bob = world.person("bob");
    // `wait` lets the trap run at once. A second signal may still fall together with the first: hence several Ctrl-C.
    let script =
        "n=0; trap 'n=$((n+1))' INT; pause() { i=0; while [ $i -lt $1 ]; do sleep 0.05 & wait $!; i=$((i+1)); done; }
        for k in 1 2 3 4 5 6 7 8; do echo ready $k; pause 5; done; pause 20; echo caught $n; exit 9";
    std::fs::write(bob.home.join("count"), script).unwrap();
    let questions: Vec<String> = (1..=8).map(|k| format!("ready {k}")).collect();
    let dialogue: Vec<(&str, &str)> = questions.iter().map(|question| (question.as_str(), "\x03")).collect();
    let (code, shown) = on_terminal(&bob, "run -- sh count", &dialogue);
    assert!(shown.contains("caught 8") && code == 9, "{code} {shown}");
}

#[test]
fn a_table_fits_the_terminal() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.types_words(&["config", "list"]);
    let description = "d".repeat(300);
    bob.sets("x-value", &format!("A --description {description}"));
    let (code, shown) = on_terminal(&bob, "list", &[]);
    assert_eq!(code, 0);
    assert!(!shown.contains('\x1b'), "TERM=dumb has no colours: {shown}");
    assert!(bob.does("list").stdout.contains(&description), "a pipe gets all of it");
}
