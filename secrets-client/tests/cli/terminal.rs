//! On a terminal, which `script` (Debian's bsdutils) provides.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::TestTerminal;
use crate::support::{Person, TestServer};

/// Runs `secrets` on a terminal, and types an answer whenever `question` appears. Returns its code and what the terminal
/// showed.
pub(crate) fn on_terminal(person: &Person<'_>, line: &str, dialogue: &[(&str, &str)]) -> (i32, String) {
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
    let server = TestServer::acme();
    let bob = server.person("bob");
    let (code, shown) = on_terminal(&bob, "set A", &[("(hidden): ", "lin_canary\r")]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Value of A (hidden): ") && !shown.contains("canary"), "{shown}");
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "lin_canary");

    let (code, shown) = on_terminal(&bob, "set A --echo", &[("Value of A: ", "visible\r")]);
    assert!(code == 0 && shown.contains("visible"), "{shown}");

    let (code, shown) = on_terminal(&bob, "edit A", &[("empty to keep it (hidden): ", "\r")]);
    assert!(code == 0 && shown.contains("is unchanged"), "{shown}");
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "visible");
}

#[test]
fn nobody_is_asked_for_a_value_that_would_be_refused() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    server.person("ann").set("lin_1", "TEAM_KEY --org");
    for (line, reason) in [
        ("set LD_PRELOAD", "LD_PRELOAD"),
        ("set A --file ~/.bashrc", ".bashrc"),
        ("set A --project nope", "project `nope` (--project): not allowed"),
        ("set A --org", "you may not"),
        ("edit TEAM_KEY --org", "you may not"),
    ] {
        let (code, shown) = on_terminal(&bob, line, &[]);
        assert!(code != 0 && shown.contains(reason) && !shown.contains("(hidden)"), "{line}: {shown}");
    }
    assert!(bob.run_ok("list").stdout.is_empty());
}

#[test]
fn a_path_that_is_a_file_here_is_asked_about() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    std::fs::write(bob.home.join("key.pem"), "lin_canary\n").unwrap();
    let question = "Take the value from it? [y/N] ";
    let (code, shown) = on_terminal(&bob, "set KEY --file ~/key.pem", &[(question, "y\r")]);
    assert!(code == 0 && !shown.contains("canary"), "{shown}");
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "lin_canary\n");
    let dialogue = [(question, "n\r"), ("(hidden): ", "lin_2\r")];
    let (code, shown) = on_terminal(&bob, "set KEY --file ~/key.pem", &dialogue);
    assert!(code == 0 && shown.contains("can't write `~/key.pem`"), "{shown}");
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "lin_2");
    // Not where the answer would be for nothing.
    let (code, shown) = on_terminal(&bob, "set KEY --file /etc/passwd", &[]);
    assert!(code == 1 && shown.contains("reserved") && !shown.contains("Take the value"), "{shown}");
}

#[test]
fn a_value_longer_than_a_terminals_line_arrives_whole() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let long = "x".repeat(9_000);
    let (code, shown) = on_terminal(&bob, "set A", &[("(hidden): ", &format!("{long}\r"))]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(bob.run_ok("resolve A --raw").stdout, long);
}

#[test]
fn ctrl_c_at_a_question_changes_nothing() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let (code, shown) = on_terminal(&bob, "set A", &[("(hidden): ", "lin\x03")]);
    assert_eq!(code, 130, "{shown}");
    assert!(bob.run_ok("list").stdout.is_empty());
}

#[test]
fn a_delete_asks_and_only_yes_deletes() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("team", "LINEAR_API_KEY --org");
    bob.set("own", "LINEAR_API_KEY");
    let question = "Delete LINEAR_API_KEY from your own secrets? The organization's LINEAR_API_KEY will be used instead. \
                    [y/N] ";
    let (code, shown) = on_terminal(&bob, "rm LINEAR_API_KEY", &[(question, "\r")]);
    assert!(code == 1 && shown.ends_with("Nothing was deleted.\r\n"), "{shown}");
    assert!(!shown.contains("error") && !shown.contains("\x1b[1;31m"), "a no is no error: {shown}");
    bob.run_ok("show LINEAR_API_KEY");
    let (code, shown) = on_terminal(&bob, "rm LINEAR_API_KEY", &[(question, "y\r")]);
    assert_eq!(code, 0, "{shown}");
    bob.run("show LINEAR_API_KEY").expect_failure(3);
}

#[test]
fn a_question_says_where_something_is_and_whom_it_concerns() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("workspace create ws2 --owner bob");
    ann.set("1", "X --project api");
    ann.set("1", "X --org");
    let asks = |line: &str, question: &str| {
        let (code, shown) = on_terminal(&ann, line, &[(question, "\r")]);
        assert_eq!(code, 1, "{line}: {shown}");
    };
    asks("rm X --project api", "Delete X from project api? The organization's X will be used instead. [y/N] ");
    asks(
        "rm X --org",
        "Delete X from organization acme? It is for 2 people and 2 workspaces: whoever has no X of a narrower scope will \
         get none. [y/N] ",
    );
    ann.run_ok("edit X --org --for-workspace ws1 --for-project api");
    asks(
        "rm X --org",
        "It is for 1 project and 1 workspace: whoever has no X of a narrower scope will get none. [y/N] ",
    );
    ann.run_ok("rm X --org --yes").expect_text(&["Whoever has no X of a narrower scope will get none."]);
    let concerned = "Nothing else has this name, so 2 people and 1 workspace will get none. [y/N] ";
    asks("rm X --project api", &format!("Delete X from project api? {concerned}"));
    bob.set("1", "Y");
    let (_, shown) = on_terminal(&bob, "rm Y", &[("so whoever gets Y now will get none. [y/N] ", "n\r")]);
    assert!(shown.contains("Delete Y from your own secrets? Nothing else has this name"), "{shown}");
}

#[test]
fn what_cannot_be_undone_asks_for_its_name() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("project create web");
    ann.set("1", "X --project web");
    bob.set("1", "Y");
    bob.set("2", "Y");
    let by_name = |person: &Person, line: &str, question: &str, name: &str, otherwise: &str| {
        let question = format!("{question} Type {name} to confirm: ");
        for (typed, sentence) in [
            ("\r".to_owned(), otherwise.to_owned()),
            ("y\r".to_owned(), format!("That is not {name}. {otherwise}")),
            (format!("{name}x\r"), format!("That is not {name}. {otherwise}")),
        ] {
            let (code, shown) = on_terminal(person, line, &[(&question, &typed)]);
            assert!(code == 1 && shown.ends_with(&format!("{sentence}\r\n")), "{line}: {shown}");
            assert!(!shown.contains("error"), "{shown}");
        }
        let (code, shown) = on_terminal(person, line, &[(&question, &format!("{name}\r"))]);
        assert_eq!(code, 0, "{line}: {shown}");
        shown
    };
    let none = "Nothing was deleted.";
    let question = "Destroy the value of version 1 of Y of your own secrets? It can't be restored.";
    by_name(&bob, "rm Y --version 1", question, "Y", "Nothing was destroyed.");
    by_name(&bob, "rm Y --purge", "will get none. It can't be restored.", "Y", none);
    let question = "with its secrets? 1 person can use them now. This can't be undone.";
    by_name(&ann, "project delete web", question, "web", none);
    let question = "Delete workspace ws1 of organization acme and destroy its secrets? 1 person can use them now. This can't be undone.";
    by_name(&ann, "workspace delete ws1", question, "ws1", none);
    ann.run_ok("workspace create ws2 --owner bob");
    let question = "Delete user bob of organization acme? Their tokens and sessions end at once, 1 workspace will have no \
                    owner, and their own secrets are destroyed in 7 days. This can't be undone.";
    let shown = by_name(&ann, "user delete bob", question, "bob", "Nobody was deleted.");
    assert!(shown.contains("and their own secrets are destroyed in 7 days."), "{shown}");
    ann.run("user show bob").expect_failure(3);
    let operator = server.operator();
    let question = format!("Delete organization acme at {}? Nobody will be able", server.endpoint);
    // A script has decided before.
    operator.run("org delete acme").expect_failure(2).expect_text(&["this question needs a terminal", "--yes"]);
    let (code, shown) = on_terminal(&operator, "org delete acme", &[(&question, "acme\r")]);
    assert!(code == 0 && shown.contains("not even you. Type acme to confirm: "), "{shown}");
}

#[test]
fn nobody_is_asked_about_what_is_not_there_or_not_theirs_to_end() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("service-account create ci");
    for (person, line, code, texts) in [
        (&ann, "user delete bbo", 3, ["there is no user `bbo`", "did you mean `bob`?"]),
        (&ann, "project delete apl", 3, ["there is no project `apl`", "did you mean `api`?"]),
        (&ann, "workspace delete ws2", 3, ["there is no workspace `ws2`", "did you mean `ws1`?"]),
        (&ann, "service-account delete ic", 3, ["there is no service account `ic`", "did you mean `ci`?"]),
        (&bob, "workspace transfer ws1 --to anm", 3, ["there is no user `anm` (--to)", "did you mean `ann`?"]),
        (&bob, "project delete api", 4, ["you may not delete project `api`", "the admins of the organization (ann)"]),
        (&bob, "user delete ann", 4, ["you may not delete user `ann`", "the admins of the organization (ann)"]),
        (&ann, "org delete acme", 4, ["you may not delete organization `acme`", "the operator may"]),
    ] {
        // Nothing is typed, so that a question would not end.
        let (ended, shown) = on_terminal(person, line, &[]);
        assert!(ended == code && texts.iter().all(|text| shown.contains(text)), "{line}: {ended} {shown}");
        assert!(!shown.contains("Type ") && !shown.contains("[y/N]"), "{line}: {shown}");
    }
}

#[test]
fn an_edit_says_what_it_has_made_of_a_secret() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.set("1", "X --org");
    for (line, said) in [
        ("edit X --org --disable", "X changed: disabled. The value stays as it was."),
        ("edit X --org --enable", "X changed: enabled. The value stays as it was."),
        ("edit X --org --lock --no-redact", "X changed: locked, not masked."),
        ("edit X --org --unlock --redact", "X changed: unlocked, masked."),
    ] {
        ann.run_ok(line).expect_text(&[said]);
    }
}

#[test]
fn a_revocation_says_what_ends_and_asks() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.run_ok("service-account create ci");
    let laptop = ann.run_ok("token create --name laptop").line();
    let other = server.person("laptop").with("SECRETS_TOKEN", &laptop);
    other.run_ok("session create --organization acme");
    other.run_ok("token create --service-account ci --name deploy");
    let id = ann.run_ok("token list").row_of("laptop");
    let question = "This ends 1 session and 1 token, at once. [y/N] ";
    let (code, shown) = on_terminal(&ann, &format!("token revoke {id}"), &[(question, "\r")]);
    assert!(code == 1 && shown.contains("Nothing was revoked."), "{shown}");
    for said in ["(deploy) of service:ci, created with it, goes on", "--with-service-tokens ends it too"] {
        assert!(shown.contains(said), "{shown}");
    }
    other.run_ok("whoami");
    let (code, shown) = on_terminal(&ann, &format!("token revoke {id}"), &[(question, "y\r")]);
    assert!(code == 0 && shown.contains("Token revoked: this ended 1 session and 1 token."), "{shown}");
    other.run("whoami").expect_failure(4);
    let list = "token list --service-account ci";
    let unrevoked = ann.run_ok(&format!("{list} -o json")).json();
    assert!(unrevoked[0]["revoke_time"].is_null(), "{unrevoked:#}");
    let ended = ann.run_ok(&format!("token revoke {id} --with-service-tokens --yes"));
    ended.expect_text(&["of service:ci, created with it, ends too", "ended 0 sessions and 1 token"]);
    assert!(!ann.run_ok(&format!("{list} -o json")).json()[0]["revoke_time"].is_null());
}

#[test]
fn an_import_asks_before_it_leaves_rejected_entries_out() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    std::fs::write(ann.home.join(".env"), "A=1\nPATH=/x\n").unwrap();
    let question = "Import 1 secret into project api, and leave 1 out? [y/N] ";
    let (code, shown) = on_terminal(&ann, "import .env --project api", &[(question, "n\r")]);
    assert!(code == 1 && shown.contains("Nothing was imported."), "{shown}");
    assert!(ann.run_ok("list --project api").stdout.is_empty());
    let (code, shown) = on_terminal(&ann, "import .env --project api", &[(question, "y\r")]);
    assert_eq!(code, 0, "{shown}");
    ann.run_ok("show A --project api");
}

#[test]
fn ctrl_c_reaches_a_program_once() {
    let server = TestServer::acme();
    let bob = server.person("bob");
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
fn what_is_typed_where_it_is_shown_can_be_taken_back() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let mut screen = TestTerminal::start(&bob.command("set A --echo"));
    screen.wait_for("Value of A: ");
    screen.type_keys("one two");
    screen.wait_for("one two");
    screen.type_keys("\x17\x1b[Dthre\x7fee\r");
    screen.wait_for("\r\x1b[12C\x1b[Jone three");
    let (code, shown) = screen.wait_for_exit();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("^W"), "{shown:?}");
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "one three");
}

#[test]
fn a_table_fits_the_terminal() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    let description = "d".repeat(300);
    bob.set("x-value", &format!("LINEAR_API_KEY --description {description}"));
    bob.set("y-value", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    ann.set("z-value", "LINEAR_API_KEY --org");
    for width in [40_usize, 60, 80, 120] {
        for line in ["list", "explain --workspace ws1", "list --workspace ws1 --inherited", "history DEPLOY_KEY"] {
            let mut wide = bob.program(Path::new("sh"), &["-c", &format!("stty cols {width}; exec \"$@\""), "sh"]);
            wide.arg(env!("CARGO_BIN_EXE_secrets")).args(line.split(' '));
            let (code, shown) = TestTerminal::start(&wide).wait_for_exit();
            assert_eq!(code, Some(0), "{shown}");
            for row in plain(&shown).lines() {
                assert!(row.chars().count() <= width, "{width}: {row}");
            }
            assert!(shown.contains("LINEAR_API_KEY") || shown.contains("VERSION"), "{shown}");
            assert!(!shown.contains("Z…") && !shown.contains(":…"), "no time is cut: {shown}");
        }
    }
    let list = |columns: u16| {
        let mut sized = bob.program(Path::new("sh"), &["-c", &format!("stty cols {columns}; exec \"$@\""), "sh"]);
        sized.args([env!("CARGO_BIN_EXE_secrets"), "list"]);
        TestTerminal::start(&sized).wait_for_exit().1
    };
    assert!(list(400).contains("••••••••"), "what stands for a value is there");
    assert!(!list(80).contains('•'), "and gives way to what differs");
    assert!(bob.run_ok("list").stdout.contains(&description), "a pipe gets all of it");
}

#[test]
fn no_color_has_none() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("x-value", "A");
    for line in ["list", "show NOPE"] {
        let (_, colored) = TestTerminal::start(&bob.command(line)).wait_for_exit();
        assert!(colored.contains("\x1b["), "{line}: {colored:?}");
        let plain = server.person("bob").with("NO_COLOR", "1");
        let (_, shown) = TestTerminal::start(&plain.command(line)).wait_for_exit();
        assert!(!shown.contains('\x1b'), "{line}: {shown:?}");
        let (_, shown) = TestTerminal::start(&server.person("bob").with("TERM", "dumb").command(line)).wait_for_exit();
        assert!(!shown.contains('\x1b'), "{line}: {shown:?}");
        assert!(!bob.run(line).stdout.contains('\x1b') && !bob.run(line).stderr.contains('\x1b'));
    }
}

#[test]
fn an_import_that_takes_a_while_says_so() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    std::fs::write(ann.home.join(".env"), "A=1\n").unwrap();
    let mut screen = TestTerminal::start(&ann.command("import .env --project api"));
    screen.wait_for("Import 1 secret into project api? [y/N] ");
    server.pause();
    screen.type_keys("y\r");
    screen.wait_for("Importing 1 secret into project api");
    screen.wait_for("1 s");
    server.resume();
    screen.wait_for("\r\x1b[K"); // and is gone when it is done
    screen.wait_for("1 created, 0 changed");
    assert_eq!(screen.wait_for_exit().0, Some(0));
}

/// What is shown without what colors it.
fn plain(shown: &str) -> String {
    let mut plain = String::new();
    let mut pieces = shown.split("\x1b[");
    plain.push_str(pieces.next().unwrap());
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}
