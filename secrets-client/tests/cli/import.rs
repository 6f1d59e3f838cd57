use crate::support::{Person, TestServer};

const DOTENV: &str =
    "# a comment\nDATABASE_URL=postgres://canary\nSTRIPE_SECRET='canary'\n\nPATH=/canary\n\nnpm_token=canary\n";

fn write(person: &Person<'_>, text: &str) {
    std::fs::write(person.home.join(".env"), text).unwrap();
}

#[test]
fn an_import_is_reviewed_before_anything_is_written() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.set("old", "STRIPE_SECRET --project api");
    write(&ann, DOTENV);
    let review = ann.run("import .env --project api --yes").expect_failure(1).reject_text("canary");
    assert_eq!(review.row("2"), ["2", "DATABASE_URL", "will be created"]);
    assert_eq!(review.row("3"), ["3", "STRIPE_SECRET", "exists, skipped", "--overwrite replaces it"]);
    assert_eq!(review.row("5")[..3], ["5", "PATH", "rejected"]);
    assert_eq!(review.row("7"), ["7", "npm_token", "rejected", "must be upper case; --rename takes NPM_TOKEN"]);
    review.expect_text(&[
        "reserved",
        "1 will be created, 1 skipped; 2 can't be imported: rename them (--rename), or leave them out (--skip-rejected).",
    ]);
    ann.run("import .env --project api").expect_failure(1);
    ann.run("import .env --project api --skip-rejected").expect_failure(2).expect_text(&["--yes"]);
    assert_eq!(ann.run_ok("list --project api -o json").json().as_array().unwrap().len(), 1);

    ann.run_ok("import .env --project api --skip-rejected --dry-run");
    assert_eq!(ann.run_ok("list --project api -o json").json().as_array().unwrap().len(), 1);
    ann.run_ok("import .env --project api --skip-rejected --yes")
        .expect_text(&["1 created, 0 changed"])
        .reject_text("canary");
    let list = ann.run_ok("list --project api");
    assert_eq!(list.row("DATABASE_URL")[2], "project api");
}

#[test]
fn an_import_overwrites_and_selects_with_its_flags() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("old", "A");
    let document = b"A=new\nB=two\nC=three\nB=again\n";
    bob.run_with_stdin(document, "import - --overwrite --only A,B --yes")
        .expect_success("import")
        .expect_text(&["1 created, 1 changed"]);
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "new");
    assert_eq!(bob.run_ok("resolve B --raw").stdout, "again");
    bob.run("resolve C").expect_failure(5);
    bob.run_with_stdin(document, "import - --yes").expect_success("import").expect_text(&["given again later"]);

    let json = bob
        .run_with_stdin(b"{\"D\": \"four\"}", "import - --format json --yes -o json")
        .expect_success("import")
        .json();
    assert_eq!((&json["applied"], &json["entries"][0]["outcome"]), (&true.into(), &"CREATED".into()));
    let json = bob.run_with_stdin(b"D=five\n", "import - --dry-run -o json").expect_success("import").json();
    assert_eq!((&json["applied"], &json["entries"][0]["outcome"]), (&false.into(), &"SKIPPED_EXISTS".into()));
}

#[test]
fn an_import_leaves_a_value_alone_that_is_the_same() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    write(&bob, "SAME=value-1\nOTHER=value-2\n");
    bob.run_ok("import .env --yes");
    write(&bob, "SAME=value-1\nOTHER=value-3\nNEW=value-4\n");
    let review = bob.run_ok("import .env --overwrite --dry-run");
    assert_eq!(review.row("1"), ["1", "SAME", "unchanged", "has this value already"]);
    assert_eq!(review.row("2"), ["2", "OTHER", "will be changed"]);
    review.expect_text(&["1 will be created, 1 will be changed, 1 unchanged.\n"]);
    bob.run_ok("import .env --overwrite --yes")
        .expect_text(&["Imported into your own secrets: 1 created, 1 changed, 1 unchanged.\n"]);
    let current = |name: &str| bob.run_ok(&format!("show {name} -o json")).json()["current_version"].clone();
    assert_eq!([current("SAME"), current("OTHER"), current("NEW")], [1, 2, 1]);
    bob.run_ok("import .env --overwrite --yes").expect_text(&["3 unchanged.\nNothing to import.\n"]);
    let json = bob.run_ok("import .env --overwrite --yes -o json").json();
    assert_eq!((&json["applied"], &json["entries"][0]["outcome"]), (&false.into(), &"UNCHANGED".into()));
    assert_eq!([current("SAME"), current("OTHER"), current("NEW")], [1, 2, 1]);
}

#[test]
fn an_unreadable_line_is_named_and_not_shown() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    write(&bob, "A=1\nB=\"canary\nC=3\n");
    let said =
        "error: `.env`: line 2 begins a quoted value that does not end; add the closing quote; nothing was imported\n";
    bob.run("import .env --yes").expect_failure(1).expect_text(&[said]).reject_text("canary");
    bob.run_with_stdin(b"{\"A\": canary}", "import - --format json --yes")
        .expect_failure(1)
        .expect_text(&["error: stdin: line 1, column 7: expected a JSON object of strings; nothing was imported\n"])
        .reject_text("canary");
    bob.run("import missing.env --yes").expect_failure(3);
    assert!(bob.run_ok("list").stdout.is_empty());
}

#[test]
fn a_command_that_does_not_ask_prints_what_it_did() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    write(&ann, "A=a-value\n");
    let ended = ann.run_ok("import .env --project api --yes");
    assert_eq!(ended.row("1"), ["1", "A", "created"]);
    write(&ann, "A=another-value\n");
    let ended = ann.run_ok("import .env --project api --yes --overwrite");
    assert_eq!(ended.row("1"), ["1", "A", "changed"]);
    write(&ann, "A=a-value\n");
    assert_eq!(ann.run_ok("import .env --project api --overwrite --dry-run").row("1"), ["1", "A", "will be changed"]);
}

#[test]
fn a_base64_value_that_wraps_stores_nothing_and_shows_nothing() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let head = "TUlJRXZRSUJBREFOQmdrcWhraUc5dzBCQVFFRkFBU0NCS2N3Z2dTakFnRUE";
    for (tail, line) in [
        ("Q2FuYXJ5Q2FuYXJ5\nQ2FuYXJ5eA==", 3),
        ("Q2FuYXJ5Q2FuYXJ5eA==", 3),
        ("Q2FuYXJ5Q2FuYXJ5eHk=", 3),
        ("Q2Fu+XJ5/2FuYXJ5eHk=", 3),
        ("Q2FuYXJ5Q2FuYXJ5", 3),
    ] {
        write(&bob, &format!("A=1\nKEY={head}\n{tail}\nB=2\n"));
        for how in ["--yes", "--yes --skip-rejected", "--dry-run", "--yes --skip-rejected -o json", "--yes --literal"] {
            let ended =
                bob.run(&format!("import .env {how}")).expect_failure(1).reject_text("Q2Fu").reject_text("Q2FU");
            ended.expect_text(&[&format!("line {line}")]);
        }
    }
    assert!(bob.run_ok("list").stdout.is_empty());
}

#[test]
fn backticks_are_read_as_node_reads_them() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    write(&bob, "A=`it's \"a\"\nline`\nB=` b ` # comment\nC=x`y`\n");
    bob.run_ok("import .env --yes");
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "it's \"a\"\nline");
    assert_eq!(bob.run_ok("resolve B --raw").stdout, " b ");
    assert_eq!(bob.run_ok("resolve C --raw").stdout, "x`y`");
    write(&bob, "D=1\nE=`canary\\`\n");
    bob.run("import .env --yes").expect_failure(1).expect_text(&["line 2", "backtick"]).reject_text("canary");
}

#[test]
fn references_of_other_tools_are_rejected_with_the_command_that_decrypts_them() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let document = "OP=op://canary/item/field\nDOTENVX=encrypted:canary\nSOPS=ENC[AES256_GCM,data:canary]\n\
        VAULT=vault:canary/data/x#KEY\nVALS=ref+vault://canary#/x\nDOCKER=se://canary\nBRACES={{ canary }}\nPLAIN=value\n";
    write(&bob, document);
    let ended = bob.run("import .env --yes").expect_failure(1).reject_text("canary");
    let commands = [
        ("1", "op inject"),
        ("2", "dotenvx decrypt --stdout"),
        ("3", "sops decrypt"),
        ("4", "vault kv get"),
        ("5", "vals get"),
        ("6", "docker pass run"),
        ("7", "a template"),
    ];
    for (line, command) in commands {
        let row = ended.row(line);
        assert!(row[2] == "rejected" && row[3].contains(command) && row[3].contains("--literal"), "{row:?}");
    }
    assert!(bob.run_ok("list").stdout.is_empty());
    bob.run_ok("import .env --yes --literal");
    assert_eq!(bob.run_ok("resolve OP --raw").stdout, "op://canary/item/field");
    assert_eq!(bob.run_ok("resolve PLAIN --raw").stdout, "value");
}

#[test]
fn a_variable_within_a_value_is_warned_of_unless_it_is_meant() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    write(&bob, "URL=postgres://${CANARY}/api\nMAIL='${CANARY}'\nDOLLAR=$CANARY\n");
    let ended = bob.run_ok("import .env --dry-run").reject_text("CANARY");
    assert!(ended.stderr.contains("warning: URL, MAIL: `${…}` is stored as it stands"), "{}", ended.stderr);
    assert!(ended.stderr.contains("--literal"), "{}", ended.stderr);
    let ended = bob.run_ok("import .env --yes --literal");
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    assert_eq!(bob.run_ok("resolve URL --raw").stdout, "postgres://${CANARY}/api");
    write(&bob, "URL=postgres://${CANARY}/web\nMAIL='${CANARY}!'\n");
    let ended = bob.run_ok("import .env --yes --overwrite -o json");
    assert!(ended.stderr.contains("warning: URL, MAIL") && ended.json()["applied"] == true, "{}", ended.stderr);
}

#[test]
fn names_that_are_not_valid_are_replaced_but_never_by_one_that_is_taken() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("old", "STORED");
    write(&bob, "npm_token=one\nlinear-api-key=two\nstored=three\nurl=four\nURL=five\nPATH=six\nmy-id=7\nmy_id=8\n");
    let ended = bob.run("import .env --yes --rename --overwrite").expect_failure(1);
    assert_eq!(ended.row("1"), ["1", "npm_token → NPM_TOKEN", "will be created"]);
    assert_eq!(ended.row("2"), ["2", "linear-api-key → LINEAR_API_KEY", "will be created"]);
    assert_eq!(ended.row("3")[2..], ["rejected", "must be renamed, and not to `STORED`: it exists already"]);
    for line in ["4", "7", "8"] {
        assert!(ended.row(line)[3].contains("another entry has it or would get it"), "{:?}", ended.row(line));
    }
    ended.expect_text(&["npm_token, linear-api-key: programs that read the old name will not find them"]);
    assert_eq!(bob.run_ok("list -o json").json().as_array().unwrap().len(), 1);

    let ended = bob.run_ok("import .env --yes --rename --overwrite --skip-rejected");
    assert_eq!(ended.row("1"), ["1", "npm_token → NPM_TOKEN", "created"]);
    ended.expect_text(&["3 created, 0 changed", "programs that read the old name"]);
    for (name, value) in [("NPM_TOKEN", "one"), ("LINEAR_API_KEY", "two"), ("STORED", "old"), ("URL", "five")] {
        assert_eq!(bob.run_ok(&format!("resolve {name} --raw")).stdout, value);
    }
    bob.run("resolve MY_ID").expect_failure(5);
    // The second time they exist, and nothing is written over.
    write(&bob, "npm_token=other\n");
    bob.run("import .env --yes --rename --overwrite").expect_failure(1).expect_text(&["it exists already"]);
    assert_eq!(bob.run_ok("resolve NPM_TOKEN --raw").stdout, "one");
    write(&bob, "other_name=x\n");
    let json = bob.run_ok("import .env --yes --rename -o json").json();
    assert_eq!(json["entries"][0]["renamed_secret_id"], "OTHER_NAME");
    assert_eq!(json["entries"][0]["secret_id"], "other_name");
}

#[test]
fn numbers_and_booleans_name_their_key_and_are_taken_as_they_are_spelled() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let json = r#"{"PORT": 421337, "RATE": 1.50, "DEBUG": true, "NONE": null, "LIST": ["canary"], "TEXT": "t"}"#;
    std::fs::write(bob.home.join("secrets.json"), json).unwrap();
    let ended = bob.run("import secrets.json --yes").expect_failure(1).reject_text("421337").reject_text("canary");
    assert_eq!(
        ended.row("1"),
        ["1", "PORT", "rejected", "a number, not a text; --stringify takes it as it is spelled"]
    );
    assert_eq!(ended.row("3")[1..3], ["DEBUG", "rejected"]);
    assert_eq!(ended.row("4")[1..3], ["NONE", "empty, skipped"]);
    assert_eq!(ended.row("5")[1..3], ["LIST", "rejected"]);
    ended.expect_text(&["(--stringify)"]);
    bob.run_ok("import secrets.json --yes --stringify --skip-rejected");
    for (name, value) in [("PORT", "421337"), ("RATE", "1.50"), ("DEBUG", "true"), ("TEXT", "t")] {
        assert_eq!(bob.run_ok(&format!("resolve {name} --raw")).stdout, value);
    }
    bob.run("resolve NONE").expect_failure(5);
}

#[test]
fn yaml_is_read_by_its_lines_and_nothing_of_it_is_built() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let file = |text: &str| std::fs::write(bob.home.join("secrets.yaml"), text).unwrap();
    file(
        "# keys\n---\nKEY: |\n  -----BEGIN X-----\n  canary\n  -----END X-----\nURL: 'postgres://db: x'\n\nnpm_token: \"a\\tb\"\nNONE:\n",
    );
    let ended = bob.run("import secrets.yaml --yes").expect_failure(1).reject_text("canary");
    assert_eq!(ended.row("9")[1..3], ["npm_token", "rejected"]);
    assert_eq!(ended.row("10")[1..3], ["NONE", "empty, skipped"]);
    let ended = bob.run_ok("import secrets.yaml --yes --rename");
    assert_eq!(ended.row("3"), ["3", "KEY", "created"]);
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "-----BEGIN X-----\ncanary\n-----END X-----\n");
    assert_eq!(bob.run_ok("resolve URL --raw").stdout, "postgres://db: x");
    assert_eq!(bob.run_ok("resolve NPM_TOKEN --raw").stdout, "a\tb");

    file("TEXT: x\nPORT: 421337\nDEBUG: yes\n");
    let ended = bob.run("import secrets.yaml --yes").expect_failure(1).reject_text("421337");
    ended.expect_text(&["line 2 `PORT` is a number, line 3 `DEBUG` is a boolean", "--stringify"]);
    bob.run_ok("import secrets.yaml --yes --stringify");
    assert_eq!(bob.run_ok("resolve DEBUG --raw").stdout, "yes");

    for refused in
        ["A: &x canary", "A: *canary", "A: !!binary canary", "A: [canary]", "A:\n  B: canary", "- canary", "A: 'canary"]
    {
        file(&format!("OK: 1x\n{refused}\n"));
        let ended = bob.run("import secrets.yaml --yes --skip-rejected --stringify").expect_failure(1);
        ended.reject_text("canary").expect_text(&["line 2", "nothing was imported"]);
    }
    bob.run("resolve OK").expect_failure(5);
    let document = b"FROM_STDIN: x\n";
    bob.run_with_stdin(document, "import - --format yaml --yes").expect_success("import");
    assert_eq!(bob.run_ok("resolve FROM_STDIN --raw").stdout, "x");
}
