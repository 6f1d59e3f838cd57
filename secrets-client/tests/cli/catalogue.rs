//! The errors, warnings and questions that a person can meet, one of each kind: `snapshots/catalogue.snap`.
//!
//! After a change: `INSTA_UPDATE=always cargo test -p secrets-client --test cli catalogue`, and read what changed in the
//! file, as somebody would who has never seen the command before.
//!
//! To add one: a line in [`CASES`] or, where it needs something of its own, in the test. Absent is what no command can
//! bring about: a stale read, a database that does not answer, a value that can't be decrypted.

use crate::support::{Person, ProgramOutput, TestServer};

/// A heading, or who types what; stdin stands behind `<`, with `\n` for a newline.
const CASES: &[&str] = &[
    "# Usage (exit code 2)",
    "ann: set",
    "ann: set LINEAR_API_KEY lin_canary",
    "ann: set LINEAR_API_KEY --descripton canary",
    "ann: set A --org --project api",
    "ann: set A --for-workspace ws1",
    "ann: set A --mode 0600",
    "ann: set A --file ~/a --mode 999",
    "ann: set A --registry ghcr.io",
    "ann: set A --label team",
    "ann: set A --expires soon",
    "ann: edit A --lock --unlock",
    "ann: list --project No_Such",
    "ann: list --inherited",
    "ann: list --project api --json",
    "ann: exlpain",
    "ann: delete A",
    "ann: member add bob --role owner",
    "ann: token create --ttl 90",
    "ann: config set endpoint secrets.example.com",
    "ann: config set token sper_canary",
    "ann: login sper_canary",
    "ann: login --invite sper_canary",
    "ann: login --name laptop < sper_canary",
    "ann: login --invite - < sper_canary",
    "ann: resolve --raw",
    "ann: resolve A --raw -o json",
    "ann: run",
    "ann: run --unmask NOPE -- true",
    "ann: run --watch --signal NOPE -- true",
    "ann: check",
    "ann: org edit",
    "ann: session revoke",
    "ann: session revoke sses_canary --yes",
    "ann: token revoke sper_canary --yes",
    "ann: audit list --org",
    "ann: rm TEAM_KEY --org",
    "# Names and values",
    "ann: set linear-api-key < x",
    "ann: set lower_case < x",
    "ann: set 1PASSWORD < x",
    "ann: set PATH < x",
    "ann: set SECRETS_TOKEN < x",
    "ann: set AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA < x",
    "ann: set A",
    "ann: set A --value-file missing",
    "ann: set A < a\\0b",
    "# Targets",
    "ann: set A --file relative < x",
    "ann: set A --file /a/../b < x",
    "ann: set A --file ~/.bashrc < x",
    "ann: set A --file ~/key --mode 0666 < x",
    "ann: set A --registry https://ghcr.io --username bob < x",
    "ann: set A --registry ghcr.io --username bob:x < x",
    "ann: set A --registry ghcr.io --username bob < two\\nlines",
    "ann: set SAME_PATH --org --file /etc/team.pem < x",
    "ann: set OTHER_PATH --org --file /etc/team.pem < x",
    "# Metadata",
    "ann: set A --expires 2020-01-31 < x",
    "ann: set A --label Not_A_Key=x < x",
    "ann: set A --group -x < x",
    "ann: set A --lock < x",
    "ann: set A --org --for-project nope < x",
    "ann: set A --org --for-workspace nope < x",
    "ann: edit TEAM_KEY --org --add-workspace ws1",
    "ann: list --filter colour=red",
    "ann: list --order-by colour",
    "ann: org edit --value-bytes 1000000000",
    "ann: session create --user bob --workspace ws1 --ttl 1000d",
    "ann: session create --user bob --workspace ws1 --ttl 0s",
    "ann: token create --ttl 0s",
    "ann: user invite carl --ttl 1000d",
    "ann: audit list --since 1h --until 2h",
    "ann: audit exposure",
    "# Not found (exit code 3)",
    "ann: show NOPE",
    "ann: show NOPE --project api",
    "ann: edit NOPE --description x",
    "ann: rm NOPE --yes",
    "ann: undelete NOPE --org",
    "ann: explain NOPE",
    "ann: history NOPE --org",
    "ann: rollback TEAM_KEY --to 7 --org",
    "ann: audit list --secret LINEAR_API_KEY",
    "ann: audit exposure --principal bbo",
    "ann: rm TEAM_KEY --org --version 7 --yes",
    "ann: list --project nope",
    "ann: project show nope",
    "ann: workspace show nope",
    "ann: workspace create ws9 --project nope",
    "ann: user show nope",
    "ann: service-account show nope",
    "ann: member remove carl --yes",
    "ann: session revoke nope --yes",
    "ann: session revoke --external-id nope --yes",
    "ann: resolve --organization nope",
    "ann: resolve --workspace nope",
    "ann: import missing.env --yes",
    "ann: config get project",
    "ann: profile use nope",
    "ann: profile remove nope --yes",
    "ann: list --profile nope",
    "ann: list --profile -x",
    "ann: man nope",
    "# Not signed in, or not allowed (exit code 4)",
    "nobody: list",
    "elsewhere: list",
    "stranger: list",
    "ann: login --invite sinv_canary",
    "bob: set A --org < x",
    "bob: user invite carl",
    "bob: explain --workspace other",
    "ann: org delete acme --yes",
    "operator: list --project api --organization acme",
    "operator: list",
    "# A required secret is missing (exit code 5)",
    "bob: resolve NOPE",
    "bob: run --only NOPE -- true",
    "bob: check NOPE --workspace ws1",
    "bob: wait NOPE --timeout 0s",
    "# An address that is refused",
    "exposed: list",
    "ann: list --endpoint https://bob:canary@secrets.example.com",
    "ann: list --endpoint https://secrets.example.com/v1",
    "ann: list --endpoint https://secrets.example.com?canary",
    "ann: list --endpoint secrets.example.com",
    "ann: config set endpoint https://bob:canary@secrets.example.com",
    "# The service is unavailable (exit code 6)",
    "offline: list",
    "offline: run -- true",
    "lost: list",
    "plain: list",
    "# The state forbids it (exit code 1)",
    "ann: project create api",
    "ann: workspace create ws1 --project api",
    "ann: user invite bob",
    "ann: org create",
    "ann: project delete api --yes",
    "ann: member remove ann --role admin --yes",
    "ann: member add bob --workspace ws1",
    "ann: member add service:nope --role resolver",
    "ann: member add bob --role resolver",
    "ann: rm TEAM_KEY --org --version 1 --yes",
    "ann: workspace transfer ws1 --to carl --yes",
    "bob: session create --user ann --ttl 1h",
    "bob: session create --project nope",
    "bob: resolve --project other --workspace ws1",
    "# Import",
    "ann: import .env --project api --yes",
    "ann: import .env --project api --dry-run",
    "ann: import .env --project api --only NOPE --yes",
    "ann: import broken.env --yes",
    "ann: import broken.json --yes",
    "# Running a program",
    "bob: run -- nonexistent-program",
    "bob: run -- /nonexistent/program",
    "bob: run -- /",
    "bob: run --fallback f --fallback-key-file key -- true",
    "bob: run --ci gitlab -- true",
    "bob: materialize --dir src",
    "bob: resolve --format docker",
    "# Warnings and notes",
    "ann: set NEVER_SEEN --org --for-workspace ws1 < short",
    "ann: edit NEVER_SEEN --org --remove-workspace ws1",
    "ann: set SOON --org --expires 1d < some-value",
    "bob: set TEAM_KEY < some-value",
    "bob: set LOCKED_KEY < some-value",
    "bob: rm TEAM_KEY --yes",
    "bob: list --deleted",
    "bob: undelete TEAM_KEY",
    "bob: redact --only SHORT < x",
    "# Copies and moves",
    "ann: cp",
    "ann: cp NOPE",
    "ann: cp NOPE --to-org",
    "ann: cp OLD_KEY --to-project api",
    "ann: set COPIED < some-value",
    "ann: cp COPIED --to-project nope",
    "ann: cp COPIED --to-project api",
    "ann: cp COPIED --to-project api --dry-run",
    "ann: cp COPIED --to-project api --yes",
    "ann: mv COPIED --to-project api --yes",
    "bob: cp COPIED --from-project api",
    "bob: mv COPIED --from-project api --to-workspace ws1",
    "bob: cp LOCKED_KEY --from-org",
    "ann: mv COPIED --from-project api --to-org --yes",
    "# Other commands between scopes",
    "ann: get copied --org",
    "ann: get COPIED --org",
    "ann: diff",
    "ann: diff -p api -p nope",
    "ann: diff -p api --org",
    "ann: rm COPIED NOPE --org",
    "ann: init -p nope",
    "ann: hook allow",
    "ann: hook deny",
    "ann: help concept",
    "ann: upload .env",
    "ann: run -c ls",
    "ann: run ls",
    "# Nothing to show",
    "carol: list",
    "carol: resolve",
    "carol: audit list",
    "ann: service-account list",
    "ann: session list",
    "ann: list --org --filter secret_id=NOPE",
];

#[test]
fn every_error_and_warning_is_as_it_was_reviewed() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let bob = server.person("bob");
    prepare(&ann, &bob);
    let code = ann.run_ok("user invite carol").line();
    server.person("carol").run_ok(&format!("login --invite {code}"));
    let mut catalogue = String::new();
    for case in CASES {
        if case.starts_with('#') {
            catalogue.push_str(&format!("{case}\n\n"));
            continue;
        }
        let (who, typed) = case.split_once(": ").unwrap();
        let person = match who {
            "operator" => server.operator(),
            "stranger" => {
                server.person("stranger").with("SECRETS_TOKEN", &"x".repeat(54).replacen("xxxxx", "sper_", 1))
            }
            "offline" => ann_at(&server, "http://127.0.0.1:1"),
            "lost" => ann_at(&server, "https://secrets.invalid"),
            "elsewhere" => server.person("ann").with("SECRETS_ENDPOINT", "http://127.0.0.1:1"),
            "exposed" => ann_at(&server, "http://10.0.0.5:50051"),
            "plain" => ann_at(&server, &server.endpoint.replace("http://", "https://")),
            name => server.person(name),
        };
        let (line, stdin) = typed.split_once(" < ").unwrap_or((typed, ""));
        let stdin = stdin.replace("\\n", "\n").replace("\\0", "\0");
        let ended = person.run_with_stdin(stdin.as_bytes(), line);
        catalogue.push_str(&page(who, typed, &person, &server, &ended));
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("catalogue", catalogue);
    });
}

/// What the cases need to be there.
fn prepare(ann: &Person<'_>, bob: &Person<'_>) {
    ann.run_ok("workspace create other");
    ann.run_ok("project create other");
    ann.set("team-value", "TEAM_KEY --org");
    ann.set("team-value", "LOCKED_KEY --org --lock");
    bob.set("two\nlines", "LINES");
    bob.set("x", "SHORT");
    for person in [ann, bob] {
        let write = |name: &str, text: &str| std::fs::write(person.home.join(name), text).unwrap();
        write(".env", "NEW=a-value\nPATH=/x\nnpm_token=a-value\nA-B=x\nEMPTY=\nNEW=again\n");
        write("broken.env", "A=1\nB=\"open\n");
        write("broken.json", "{\"A\": x}");
        write("key", "short");
        std::fs::create_dir(person.home.join("src")).unwrap();
        write("src/main.rs", "");
    }
}

/// ann with a token of the environment, which goes to every endpoint.
fn ann_at<'a>(server: &'a TestServer, endpoint: &str) -> Person<'a> {
    let token = format!("sper_{}", "x".repeat(49));
    server.person("ann").with("SECRETS_ENDPOINT", endpoint).with("SECRETS_TOKEN", &token)
}

/// A command and what it printed, with what differs from run to run replaced.
fn page(who: &str, typed: &str, person: &Person<'_>, server: &TestServer, ended: &ProgramOutput) -> String {
    let gap = if ended.stdout.is_empty() || ended.stdout.ends_with('\n') { "" } else { "\n" };
    let shown = format!("{}{gap}{}", ended.stdout, ended.stderr);
    assert!(!shown.contains("canary"), "{typed}: {shown}");
    let shown = shown.replace(person.home.to_str().unwrap(), "~");
    let port = server.endpoint.rsplit(':').next().unwrap();
    let shown = stable(&shown.replace(port, "50051"));
    let code = if ended.code == 0 { String::new() } else { format!("(exit code {})\n", ended.code) };
    format!("{who}$ secrets {typed}\n{shown}{code}\n")
}

/// Identifiers and the time of the run as placeholders.
fn stable(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_number = |part: Option<&str>, length| {
                part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
            };
            let placeholder = if uuid::Uuid::try_parse(core.rsplit('/').next().unwrap_or(core)).is_ok() {
                Some("UUID")
            } else if is_number(core.get(..4), 4) && is_number(core.get(5..7), 2) && core.get(4..5) == Some("-") {
                // What the texts give as an example, and what a case itself says, stays.
                (!core.starts_with("2027-01-31") && !core.starts_with("2020-01-31")).then_some("DATE")
            } else if is_number(core.get(..2), 2) && core.get(2..3) == Some(":") && core.ends_with('Z') {
                Some("TIME")
            } else {
                None
            };
            placeholder.map_or_else(|| word.to_owned(), |placeholder| word.replace(core, placeholder))
        });
        lines.push_str(words.collect::<Vec<_>>().join(" ").trim_end());
        lines.push('\n');
    }
    lines
}
