use super::world::World;

#[test]
fn an_organization_secret_reaches_whom_it_is_for() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("shared", "OPENAI_API_KEY --org --description team");
    ann.does("project create web");
    ann.sets("dsn", "SENTRY_DSN --org --for-workspace ws1 --for-project web");
    let list = ann.does("list --org");
    let heading: Vec<&str> = list.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading[..7], ["NAME", "TARGET", "SCOPE", "WORKSPACES/PROJECTS", "LOCKED", "DESCRIPTION", "CREATED"]);
    assert_eq!(list.row("SENTRY_DSN")[..4], ["SENTRY_DSN", "variable", "organization", "ws1, web"]);
    assert_eq!(list.row("OPENAI_API_KEY")[3], "all");

    bob.does("resolve SENTRY_DSN --workspace ws1");
    bob.types("resolve SENTRY_DSN").fails(5);
    ann.does("edit SENTRY_DSN --org --remove-workspace ws1");
    bob.types("resolve SENTRY_DSN --workspace ws1").fails(5);
    ann.does("edit SENTRY_DSN --org --add-workspace ws1");
    bob.does("resolve SENTRY_DSN --workspace ws1");
    ann.types("edit OPENAI_API_KEY --org --add-workspace ws1").fails(2).shows(&["--for-workspace"]);
    bob.pipes(b"x", "set OPENAI_API_KEY --org").fails(4);
}

#[test]
fn a_locked_secret_is_not_shadowed() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("ours", "SSL_INSPECTION_CA --org --lock");
    bob.sets("mine", "SSL_INSPECTION_CA").shows(&["warning"]);
    assert_eq!(bob.does("resolve SSL_INSPECTION_CA --raw").stdout, "ours");
    bob.does("explain SSL_INSPECTION_CA").shows(&["organization", "user bob: locked above"]);
}

#[test]
fn a_workspace_shows_what_it_inherits_as_read_only() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("org", "A --org");
    ann.sets("project", "B --project api");
    bob.sets("own", "C --workspace ws1");
    bob.sets("shadow", "A --workspace ws1");
    let list = bob.does("list --workspace ws1 --inherited");
    assert!(list.row("B").contains(&"read-only".to_owned()), "{list:?}");
    assert!(!list.row("C").contains(&"read-only".to_owned()), "{list:?}");
    let json = bob.does("list --workspace ws1 --inherited -o json").json();
    let shadowed: Vec<_> = json.as_array().unwrap().iter().filter(|secret| !secret["shadowed_by"].is_null()).collect();
    assert_eq!(shadowed.len(), 1);
    assert_eq!(shadowed[0]["name"], "organizations/acme/secrets/A");
    ann.does("list --workspace ws1").hides("shadow");
}

#[test]
fn people_come_and_go() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    let members = ann.does("member list --project api");
    assert_eq!(members.row("bob")[..3], ["bob", "member", "project api"]);
    ann.does("member remove bob --project api --yes");
    ann.types("member remove bob --project api --yes").fails(3);
    bob.types("resolve --project api").fails(4);
    bob.does("whoami");
    ann.does("user delete bob --yes");
    bob.types("whoami").fails(4);
    ann.types("member remove ann --yes").fails(1);
}

#[test]
fn the_audit_log_says_who_received_a_secret() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("sk_canary", "STRIPE_SECRET --project api");
    bob.does("resolve --project api");
    bob.pipes(b"x", "set STRIPE_SECRET --project api").fails(4);
    let path = "organizations/acme/projects/api/secrets/STRIPE_SECRET";
    let events = ann.does(&format!("audit list --secret {path}"));
    events.shows(&["bob", "Resolve", "STRIPE_SECRET v1"]).hides("sk_canary");
    ann.types("audit list --secret SENTRY_DSN")
        .fails(2)
        .shows(&["organizations/acme/projects/PROJECT/secrets/SENTRY_DSN"]);
    ann.does("audit list --principal bob").shows(&["UpdateSecret", "denied"]);
    let json = ann.does(&format!("audit list --secret {path} --principal bob --limit 1 -o json")).json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["principal"], "organizations/acme/users/bob");
    bob.types("audit list").fails(4);
}

#[test]
fn what_comes_next_is_told_where_it_differs() {
    let world = World::acme();
    let ann = world.person("ann");
    // Not at the usual address: whoever is invited has to know which.
    let invited = ann.does("user invite carl");
    assert!(
        invited.stderr.contains(&format!("secrets login --invite CODE --endpoint {}", world.endpoint)),
        "{invited:?}"
    );
    // She is no member of bob's workspace.
    ann.types("explain --workspace ws1").fails(4).shows(&["--without-user"]);
    ann.does("explain --workspace ws1 --without-user");
}
