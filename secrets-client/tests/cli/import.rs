use super::world::{Person, World};

const DOTENV: &str =
    "# a comment\nDATABASE_URL=postgres://canary\nSTRIPE_SECRET='canary'\n\nPATH=/canary\n\nnpm_token=canary\n";

fn write(person: &Person<'_>, text: &str) {
    std::fs::write(person.home.join(".env"), text).unwrap();
}

#[test]
fn an_import_is_reviewed_before_anything_is_written() {
    let world = World::acme();
    let ann = world.person("ann");
    ann.sets("old", "STRIPE_SECRET --project api");
    write(&ann, DOTENV);
    let review = ann.types("import .env --project api --yes").fails(1).hides("canary");
    assert_eq!(review.row("2"), ["2", "DATABASE_URL", "will be created"]);
    assert_eq!(review.row("3"), ["3", "STRIPE_SECRET", "exists, skipped", "--overwrite replaces it"]);
    assert_eq!(review.row("5")[..3], ["5", "PATH", "rejected"]);
    review.shows(&["reserved", "NPM_TOKEN", "--skip-rejected imports the rest"]);
    ann.types("import .env --project api").fails(1);
    ann.types("import .env --project api --skip-rejected").fails(2).shows(&["--yes"]);
    assert_eq!(ann.does("list --project api -o json").json().as_array().unwrap().len(), 1);

    ann.does("import .env --project api --skip-rejected --dry-run");
    assert_eq!(ann.does("list --project api -o json").json().as_array().unwrap().len(), 1);
    ann.does("import .env --project api --skip-rejected --yes").shows(&["1 created, 0 changed"]).hides("canary");
    let list = ann.does("list --project api");
    assert_eq!(list.row("DATABASE_URL")[2], "project api");
}

#[test]
fn an_import_overwrites_and_selects_when_told() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("old", "A");
    let document = b"A=new\nB=two\nC=three\nB=again\n";
    bob.pipes(document, "import - --overwrite --only A,B --yes").succeeds("import").shows(&["1 created, 1 changed"]);
    assert_eq!(bob.does("resolve A --raw").stdout, "new");
    assert_eq!(bob.does("resolve B --raw").stdout, "again");
    bob.types("resolve C").fails(5);
    bob.pipes(document, "import - --yes").succeeds("import").shows(&["given again later"]);

    let json = bob.pipes(b"{\"D\": \"four\"}", "import - --format json --yes -o json").succeeds("import").json();
    assert_eq!((&json["applied"], &json["entries"][0]["outcome"]), (&true.into(), &"CREATED".into()));
    let json = bob.pipes(b"D=five\n", "import - --dry-run -o json").succeeds("import").json();
    assert_eq!((&json["applied"], &json["entries"][0]["outcome"]), (&false.into(), &"SKIPPED_EXISTS".into()));
}

#[test]
fn an_unreadable_line_is_named_and_not_shown() {
    let world = World::acme();
    let bob = world.person("bob");
    write(&bob, "A=1\nB=\"canary\nC=3\n");
    bob.types("import .env --yes").fails(1).shows(&["line 2"]).hides("canary");
    bob.types("import missing.env --yes").fails(3);
    assert!(bob.does("list").stdout.is_empty());
}

#[test]
fn whoever_is_not_asked_sees_what_was_done() {
    let world = World::acme();
    let ann = world.person("ann");
    std::fs::write(ann.home.join(".env"), "A=a-value\n").unwrap();
    let ended = ann.does("import .env --project api --yes");
    assert_eq!(ended.row("1"), ["1", "A", "created"]);
    let ended = ann.does("import .env --project api --yes --overwrite");
    assert_eq!(ended.row("1"), ["1", "A", "changed"]);
    assert_eq!(ann.does("import .env --project api --overwrite --dry-run").row("1"), ["1", "A", "will be changed"]);
}
