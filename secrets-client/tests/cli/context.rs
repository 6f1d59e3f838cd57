use crate::support::TestServer;

/// Bob's LINEAR_API_KEY over the organization's; a project key; a workspace key; a file.
fn server() -> TestServer {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("lin_team", "LINEAR_API_KEY --org --description team");
    ann.set("sk_canary", "STRIPE_SECRET --project api");
    bob.set("postgres://canary", "DATABASE_URL --workspace ws1");
    bob.set("lin_canary", "LINEAR_API_KEY --description mine");
    bob.set("-----BEGIN", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    server
}

#[test]
fn explain_says_what_a_sandbox_gets_and_why() {
    let server = server();
    let bob = server.person("bob");
    let explained = bob.run_ok("explain --workspace ws1").reject_text("canary").expect_text(&["NOT CHOSEN"]);
    let row = explained.row("LINEAR_API_KEY");
    assert_eq!(row, ["LINEAR_API_KEY", "user bob", "variable", "organization: lower precedence", "mine"]);
    assert_eq!(explained.row("STRIPE_SECRET")[1], "project api");
    bob.run("explain NOPE --workspace ws1").expect_failure(3).expect_text(&["NOPE"]);
    let one = bob.run_ok("explain LINEAR_API_KEY --workspace ws1 -o json").json();
    assert_eq!(one["explanations"].as_array().unwrap().len(), 1);
    assert_eq!(one["context"]["project"], "api");
    assert_eq!(one["explanations"][0]["not_chosen"][0]["reason"], "LOWER_PRECEDENCE");
}

#[test]
fn resolve_masks_unless_a_flag_asks_for_values() {
    let server = server();
    let bob = server.person("bob");
    bob.run_ok("resolve --workspace ws1").reject_text("canary").expect_text(&["LINEAR_API_KEY", "••••••••"]);
    bob.run_ok("resolve --workspace ws1 --output json").reject_text("canary");
    let shown = bob.run_ok("resolve --workspace ws1 --show-values");
    assert_eq!(shown.row("LINEAR_API_KEY")[1], "lin_canary");
    assert_eq!(bob.run_ok("resolve LINEAR_API_KEY --workspace ws1 --raw").stdout, "lin_canary");
    let json = bob.run_ok("resolve --workspace ws1 --format json").json();
    assert_eq!((&json["STRIPE_SECRET"], &json["DEPLOY_KEY"]), (&"sk_canary".into(), &"-----BEGIN".into()));
    let dotenv = bob.run_ok("resolve --workspace ws1 --format dotenv").expect_text(&["1 secret left out"]).stdout;
    assert!(dotenv.contains("LINEAR_API_KEY=lin_canary\n") && !dotenv.contains("DEPLOY_KEY"), "{dotenv}");
    bob.run("resolve NOPE --workspace ws1 --raw").expect_failure(5).expect_text(&["NOPE"]);
    bob.run("resolve --raw").expect_failure(2);
}

#[test]
fn the_context_is_named_by_flag_environment_repository_or_configuration() {
    let server = server();
    let bob = server.person("bob");
    let names = |ended: &crate::support::ProgramOutput| {
        let json = ended.json();
        json["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["secret_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = ["DATABASE_URL", "DEPLOY_KEY", "LINEAR_API_KEY", "STRIPE_SECRET"];
    assert_eq!(names(&bob.run_ok("resolve -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY"]);
    let environment = server.person("bob").with("SECRETS_WORKSPACE", "ws1");
    assert_eq!(names(&environment.run_ok("resolve -o json")), all);

    let repository = bob.home.join("src/app");
    std::fs::create_dir_all(&repository).unwrap();
    std::fs::write(bob.home.join("src/secrets.toml"), "organization = \"acme\"\nworkspace = \"ws1\"\n").unwrap();
    let there =
        |line: &str| crate::support::ProgramOutput::from(bob.command(line).current_dir(&repository).output().unwrap());
    assert_eq!(names(&there("resolve -o json")), all);
    assert_eq!(names(&there("resolve --project api -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY", "STRIPE_SECRET"]);
    assert_eq!(names(&there("resolve --org -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY"]);
    let inherited = there("list --inherited -o json").json();
    assert!(inherited.as_array().unwrap().iter().any(|secret| secret["secret_id"] == "DATABASE_URL"));

    bob.run_ok("config set project api");
    assert_eq!(names(&bob.run_ok("resolve -o json")), ["DEPLOY_KEY", "LINEAR_API_KEY", "STRIPE_SECRET"]);
    bob.run("resolve --organization other").expect_failure(4);
}

#[test]
fn a_workspaces_owner_is_told_who_else_receives_what_it_gets() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("service-account create ci");
    bob.run_ok("whoami").reject_text("resolver");
    ann.run_ok("member add service:ci --org --role resolver");
    let said = "service:ci receives what this workspace gets, without anybody's own secrets: it is a resolver of organization acme.";
    bob.run_ok("explain --workspace ws1").expect_text(&[said]);
    bob.run_ok("whoami").expect_text(&["service:ci receives what workspaces of yours get"]);
    let json = bob.run_ok("whoami -o json");
    assert_eq!(json.json()["resolvers"][0]["principal"], "organizations/acme/serviceAccounts/ci");
    json.reject_text("receives what");
    ann.run_ok("whoami").reject_text("receives what");
}
