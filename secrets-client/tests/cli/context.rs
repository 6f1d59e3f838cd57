use super::world::World;

/// Bob's LINEAR_API_KEY over the organization's; a project key; a workspace key; a file.
fn world() -> World {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("lin_team", "LINEAR_API_KEY --org --description team");
    ann.sets("sk_canary", "STRIPE_SECRET --project api");
    bob.sets("postgres://canary", "DATABASE_URL --workspace ws1");
    bob.sets("lin_canary", "LINEAR_API_KEY --description mine");
    bob.sets("-----BEGIN", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    world
}

#[test]
fn explain_says_what_a_sandbox_gets_and_why() {
    let world = world();
    let bob = world.person("bob");
    let explained = bob.does("explain --workspace ws1").hides("canary").shows(&["NOT CHOSEN"]);
    let row = explained.row("LINEAR_API_KEY");
    assert_eq!(row, ["LINEAR_API_KEY", "user bob", "variable", "organization: lower precedence", "mine"]);
    assert_eq!(explained.row("STRIPE_SECRET")[1], "project api");
    bob.types("explain NOPE --workspace ws1").fails(3).shows(&["NOPE"]);
    let one = bob.does("explain LINEAR_API_KEY --workspace ws1 -o json").json();
    assert_eq!(one["explanations"].as_array().unwrap().len(), 1);
    assert_eq!(one["context"]["project"], "api");
    assert_eq!(one["explanations"][0]["not_chosen"][0]["reason"], "LOWER_PRECEDENCE");
}

#[test]
fn resolve_masks_unless_a_flag_asks_for_values() {
    let world = world();
    let bob = world.person("bob");
    bob.does("resolve --workspace ws1").hides("canary").shows(&["LINEAR_API_KEY", "••••••••"]);
    bob.does("resolve --workspace ws1 --output json").hides("canary");
    let shown = bob.does("resolve --workspace ws1 --show-values");
    assert_eq!(shown.row("LINEAR_API_KEY")[1], "lin_canary");
    assert_eq!(bob.does("resolve LINEAR_API_KEY --workspace ws1 --raw").stdout, "lin_canary");
    let json = bob.does("resolve --workspace ws1 --format json").json();
    assert_eq!((&json["STRIPE_SECRET"], &json["DEPLOY_KEY"]), (&"sk_canary".into(), &"-----BEGIN".into()));
    let dotenv = bob.does("resolve --workspace ws1 --format dotenv").shows(&["1 secret left out"]).stdout;
    assert!(dotenv.contains("LINEAR_API_KEY=lin_canary\n") && !dotenv.contains("DEPLOY_KEY"), "{dotenv}");
    bob.types("resolve NOPE --workspace ws1 --raw").fails(5).shows(&["NOPE"]);
    bob.types("resolve --raw").fails(2);
}

#[test]
fn the_context_is_named_by_flag_environment_repository_or_configuration() {
    let world = world();
    let bob = world.person("bob");
    let names = |ended: &super::world::Ended| {
        let json = ended.json();
        json["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["secret_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = ["DATABASE_URL", "DEPLOY_KEY", "LINEAR_API_KEY", "STRIPE_SECRET"];
    assert_eq!(names(&bob.does("resolve -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY"]);
    let environment = world.person("bob").with("SECRETS_WORKSPACE", "ws1");
    assert_eq!(names(&environment.does("resolve -o json")), all);

    let repository = bob.home.join("src/app");
    std::fs::create_dir_all(&repository).unwrap();
    std::fs::write(bob.home.join("src/secrets.toml"), "organization = \"acme\"\nworkspace = \"ws1\"\n").unwrap();
    let there = |line: &str| super::world::Ended::of(bob.command(line).current_dir(&repository).output().unwrap());
    assert_eq!(names(&there("resolve -o json")), all);
    assert_eq!(names(&there("resolve --project api -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY", "STRIPE_SECRET"]);
    assert_eq!(names(&there("resolve --org -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY"]);
    let inherited = there("list --inherited -o json").json();
    assert!(inherited.as_array().unwrap().iter().any(|secret| secret["secret_id"] == "DATABASE_URL"));

    bob.does("config set project api");
    assert_eq!(names(&bob.does("resolve -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY", "STRIPE_SECRET"]);
    bob.types("resolve --organization other").fails(4);
}
