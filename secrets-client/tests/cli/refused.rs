//! What a person is told whose command is refused: which name, from where, which right is missing, who has it, what else there is.

use crate::support::TestServer;

const PLAIN: &str = "permission denied, or there is no such resource";

/// acme, and its project `web` and workspace `other`, which bob may not know.
fn server() -> TestServer {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.run_ok("project create web");
    ann.run_ok("workspace create other --project web");
    server
}

#[test]
fn whoever_may_know_the_scope_is_told_who_changes_its_secrets() {
    let server = server();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("lin_1", "TEAM_KEY --org");
    for line in ["rm TEAM_KEY --org --yes", "rollback TEAM_KEY --to 1 --org", "undelete TEAM_KEY --org"] {
        bob.run(line)
            .expect_failure(4)
            .expect_text(&["you may not change `TEAM_KEY` of organization `acme`: its admins (ann) may"])
            .reject_text(PLAIN);
    }
    bob.run_with_stdin(b"x", "set NEW_KEY --project api")
        .expect_failure(4)
        .expect_text(&["you may not change `NEW_KEY` of project `api` (--project): its admins (ann) or the admins of the organization may"]);
    ann.run_with_stdin(b"x", "set NEW_KEY --workspace ws1")
        .expect_failure(4)
        .expect_text(&["of workspace `ws1` (--workspace): its owner (bob) may"]);
    bob.run("user invite carl")
        .expect_failure(4)
        .expect_text(&["you may not invite user `carl`: the admins of the organization (ann) may"]);
    bob.run("resolve --project api --workspace other")
        .expect_failure(4)
        .expect_text(&["workspace `other` (--workspace) in project `api` (--project): not allowed, or there is none"]);
    bob.run("org delete acme --yes").expect_failure(4).expect_text(&["you may not delete", "the operator may"]);
    bob.run("audit list").expect_failure(4).expect_text(&["you may not read the audit events of organization `acme`"]);
    bob.run("user delete ann --yes").expect_failure(4).expect_text(&["you may not delete user `ann`"]);
}

#[test]
fn a_name_is_told_with_where_it_came_from_and_what_there_is() {
    let server = server();
    let bob = server.person("bob");
    // One that is there, and one that is not: bob may know neither.
    for project in ["web", "nope"] {
        let text = format!("project `{project}` (--project): not allowed, or there is none");
        bob.run(&format!("list --project {project}")).expect_failure(4).expect_text(&[&text, "you may see: api"]);
        let text = format!("project `{project}` (SECRETS_PROJECT): not allowed, or there is none");
        let there = server.person("bob").with("SECRETS_PROJECT", project);
        there.run("resolve").expect_failure(4).expect_text(&[&text, "you may see: api"]);
        there.run("run -- true").expect_failure(125).expect_text(&[&text]);
    }
    std::fs::write(bob.home.join("secrets.toml"), "# the team's\n\nworkspace = \"wss1\"\n").unwrap();
    let ended = bob.run("resolve").expect_failure(4);
    ended
        .expect_text(&["workspace `wss1` (secrets.toml line 3): not allowed, or there is none", "did you mean `ws1`?"]);
    std::fs::remove_file(bob.home.join("secrets.toml")).unwrap();
    bob.run_ok("config set project web");
    bob.run("resolve").expect_failure(4).expect_text(&["project `web` (your configuration): not allowed"]);
    bob.run("resolve --organization rival")
        .expect_failure(4)
        .expect_text(&["organization `rival` (--organization): not allowed, or there is none", "you may see: acme"]);
    bob.run("list --organization rival").expect_failure(4).expect_text(&["organization `rival` (--organization): not"]);
    bob.run("project show web").expect_failure(4).expect_text(&["project `web`: not allowed, or there is none"]);
}

#[test]
fn what_is_not_there_comes_with_the_name_that_was_meant() {
    let server = server();
    let ann = server.person("ann");
    for (line, texts) in [
        ("project show apl", ["there is no project `apl`", "did you mean `api`?"]),
        ("list --project wbe", ["there is no project `wbe` (--project)", "did you mean `web`?"]),
        ("workspace show ws2", ["there is no workspace `ws2`", "did you mean `ws1`?"]),
        ("user show Bob", ["there is no user `Bob`", "did you mean `bob`?"]),
        ("workspace show nope", ["there is no workspace `nope`", "you may see: other, ws1"]),
        ("workspace transfer other --to carl --yes", ["there is no user `carl`", "you may see: ann, bob"]),
    ] {
        ann.run(line).expect_failure(3).expect_text(&texts);
    }
}

#[test]
fn a_name_that_a_context_does_not_have_comes_with_the_one_that_was_meant() {
    let server = server();
    let bob = server.person("bob");
    bob.set("lin_1", "LINEAR_API_KEY");
    for (line, code) in [("explain LINEAR_APY_KEY", 3), ("resolve LINEAR_APY_KEY --workspace ws1", 5)] {
        bob.run(line).expect_failure(code).expect_text(&["LINEAR_APY_KEY", "did you mean LINEAR_API_KEY?"]);
    }
    bob.run("run --only LINEAR_APY_KEY -- true").expect_text(&["did you mean LINEAR_API_KEY?"]);
    bob.run("resolve NOPE").expect_failure(5).reject_text("did you mean");
}

#[test]
fn a_control_plane_and_an_owner_read_which_membership_is_missing() {
    let server = server();
    let operator = server.operator();
    operator.run_ok("service-account create sandboxd --platform");
    operator.run_ok("member add service:sandboxd --platform --role delegate");
    operator.run_ok("member add service:sandboxd --platform --role provisioner");
    let token = operator.run_ok("token create --service-account sandboxd --ttl 90d").line();
    let plane = server.person("plane").with("SECRETS_TOKEN", &token).with("SECRETS_ORGANIZATION", "acme");
    plane.run_ok("workspace create ws3 --project web --owner bob");
    plane.run("session create --user bob --workspace ws3").expect_failure(4).expect_text(&[
        "user `bob` is not a member of project `web`",
        "its admins (ann) can type `secrets member add bob --project web`",
    ]);
    let bob = server.person("bob");
    bob.run("resolve --workspace ws3").expect_failure(4).expect_text(&["you are not a member of project `web`"]);
    plane.run_ok("member add bob --project web");
    plane.run_ok("session create --user bob --workspace ws3");
    bob.run_ok("resolve --workspace ws3");
}

#[test]
fn a_session_is_told_what_sessions_do() {
    let server = server();
    let session = server.person("bob").run_ok("session create --workspace ws1").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    const ONLY: &str = "a session receives the secrets of its own context";
    for line in ["list --project web", "resolve --project nope", "project list"] {
        sandbox.run(line).expect_failure(4).expect_text(&[ONLY, "`secrets whoami` shows its context"]);
    }
    for line in ["list", "show A", "rm A --yes", "history A"] {
        sandbox.run(line).expect_failure(4).expect_text(&[ONLY, "`secrets resolve` shows"]).reject_text("--org");
    }
    sandbox
        .run("wait A --timeout 1s")
        .expect_failure(5)
        .expect_text(&["whoever the session is for sets it with `secrets set A`"]);
}

#[test]
fn an_identifier_that_is_no_identifier_is_suggested_as_one() {
    let server = server();
    let ann = server.person("ann");
    for (words, meant) in [
        (&["project", "create", "My App"][..], "did you mean `my-app`?"),
        (&["workspace", "create", "Build_Box"], "did you mean `build-box`?"),
        (&["user", "invite", "Carl Smith"], "did you mean `Carl.Smith`?"),
        (&["service-account", "create", "CI"], "did you mean `ci`?"),
        (&["list", "--organization", "Acme"], "did you mean `acme`?"),
    ] {
        ann.run_words(words).expect_failure(2).expect_text(&[meant]);
    }
}

#[test]
fn of_several_names_the_one_that_is_at_fault_is_told() {
    let server = server();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    let doubt = "not allowed, or there is none";
    for (person, line, at_fault, meant) in [
        (&bob, "session create --user bbo --workspace ws1", "user `bbo` (--user)", "did you mean `bob`?"),
        (&bob, "diff --project api --project apl", "project `apl` (--project)", "did you mean `api`?"),
        (&bob, "resolve --project apl --workspace ws1", "project `apl` (--project)", "did you mean `api`?"),
        (&ann, "member add bob --workspace ws2", "workspace `ws2` (--workspace)", "did you mean `ws1`?"),
        (&bob, "workspace delete ws2 --yes", "workspace `ws2`", "did you mean `ws1`?"),
        (&bob, "init --project web", "project `web` (--project)", "you may see: api"),
        (&bob, "explain --workspace ws2", "workspace `ws2` (--workspace)", "did you mean `ws1`?"),
    ] {
        person.run(line).expect_failure(4).expect_text(&[&format!("error: {at_fault}: {doubt}\n"), meant]);
    }
}

#[test]
fn accounts_come_with_the_one_that_was_meant() {
    let server = server();
    let ann = server.person("ann");
    ann.run_ok("service-account create ci-deploy").expect_text(&["Service account ci-deploy created."]);
    for line in [
        "member add service:ci-deplyo --project api",
        "token create --service-account ci-deplyo",
        "token list --service-account ci-deplyo",
        "service-account show ci-deplyo",
        "service-account delete ci-deplyo --yes",
    ] {
        ann.run(line)
            .expect_failure(3)
            .expect_text(&["there is no service account `ci-deplyo`", "did you mean `ci-deploy`?"]);
    }
    for (typed, meant) in [
        ("bbo", "you see no user `bbo`; did you mean `bob`?"),
        ("service:ci-deplyo", "you see no service account `ci-deplyo`; did you mean `ci-deploy`?"),
    ] {
        ann.run(&format!("member remove {typed} --project api --yes"))
            .expect_failure(3)
            .expect_text(&["has no role on project api", meant]);
        ann.run_ok(&format!("audit list --principal {typed}")).expect_text(&["No events.", meant]);
    }
    // Who is there, and has done nothing, is no slip.
    ann.run_ok("audit list --principal service:ci-deploy").expect_text(&["No events."]).reject_text("you see no");
    ann.run("member remove bob --role admin --project api --yes")
        .expect_failure(3)
        .expect_text(&["bob has not the role admin on project api", "`secrets member list`"]);
    server
        .person("bob")
        .run("token create --service-account ci-deploy")
        .expect_failure(4)
        .expect_text(&["the admins of the organization or that account itself may"]);
    let operator = server.operator();
    operator.run_ok("service-account create sandboxd --platform");
    operator
        .run("service-account show sandboxed --platform")
        .expect_failure(3)
        .expect_text(&["did you mean `sandboxd`?"])
        .reject_text("ci-deploy");
}

#[test]
fn what_is_there_already_is_named() {
    let server = server();
    let (ann, operator) = (server.person("ann"), server.operator());
    ann.run_ok("service-account create ci");
    for (person, line, there) in [
        (&ann, "project create api", "error: project `api` exists already"),
        (&ann, "workspace create ws1", "error: workspace `ws1` exists already"),
        (&ann, "service-account create ci", "error: service account `ci` exists already"),
        (&operator, "org create acme --admin ann", "error: organization `acme` exists already"),
    ] {
        person.run(line).expect_failure(1).expect_text(&[there, "choose another name"]);
    }
}

#[test]
fn what_a_secret_is_limited_to_comes_with_the_name_that_was_meant() {
    let server = server();
    let ann = server.person("ann");
    ann.set("k_1", "TEAM_KEY --org");
    for (flag, meant) in [("--for-project wbe", "did you mean `web`?"), ("--for-workspace ws2", "did you mean `ws1`?")]
    {
        ann.run(&format!("edit TEAM_KEY --org {flag}")).expect_failure(1).expect_text(&["there is no", meant]);
        ann.run_with_stdin(b"v", &format!("set OTHER --org {flag}")).expect_failure(1).expect_text(&[meant]);
    }
}

#[test]
fn a_name_that_another_scope_has_comes_with_its_flag() {
    let server = server();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("sk_1", "STRIPE_SECRET --project api");
    ann.set("sk_2", "WEB_SECRET --project web");
    bob.set("bot_1", "BOT_TOKEN --workspace ws1");
    let project = "project api has one: add --project api";
    for line in
        ["show STRIPE_SECRET", "edit STRIPE_SECRET --disable", "rm STRIPE_SECRET --yes", "history STRIPE_SECRET"]
    {
        bob.run(line).expect_failure(3).expect_text(&[&format!("you have none of your own; {project}")]);
    }
    bob.run("show STRIPE_SECRET --org").expect_failure(3).expect_text(&["project api has one: --project api"]);
    bob.run("cp STRIPE_SECRET --to-workspace ws1").expect_failure(3).expect_text(&["add --from-project api"]);
    for (line, code) in [
        ("get STRIPE_SECRET", 5),
        ("resolve STRIPE_SECRET --raw", 5),
        ("check STRIPE_SECRET", 5),
        ("run --only STRIPE_SECRET -- true", 5),
        ("explain STRIPE_SECRET", 3),
        ("wait STRIPE_SECRET --timeout 1s", 5),
    ] {
        bob.run(line).expect_failure(code).expect_text(&[&format!("hint: {project}")]);
    }
    bob.run("get STRIPE_SECRET").expect_failure(5).expect_text(&["error: this context gets no `STRIPE_SECRET`\n"]);
    bob.run("get BOT_TOKEN").expect_failure(5).expect_text(&["workspace ws1 has one: add --workspace ws1"]);
    // A flag that was typed is not typed once more.
    ann.run_ok("member add bob --project web");
    bob.run("get STRIPE_SECRET --project web")
        .expect_failure(5)
        .expect_text(&["project api has one: --project api instead of --project web"]);
    bob.run("get STRIPE_SECRET --org").expect_failure(5).expect_text(&["--project api instead of --org"]);
    ann.run_ok("member remove bob --project web --yes");
    // What is there, and not delivered, is not looked for elsewhere.
    ann.set("sk_3", "OLD_SECRET --project api");
    ann.run_ok("edit OLD_SECRET --project api --disable");
    for line in ["get OLD_SECRET", "check OLD_SECRET", "run --only OLD_SECRET -- true", "wait OLD_SECRET --timeout 1s"]
    {
        let line = match line.split_once(" -- ") {
            Some((line, program)) => format!("{line} --project api -- {program}"),
            None => format!("{line} --project api"),
        };
        bob.run(&line).expect_failure(5).reject_text("has one").expect_text(&["not delivered from project api"]);
    }
    // Of what bob may not see nothing is said.
    for line in ["show WEB_SECRET", "get WEB_SECRET", "check WEB_SECRET"] {
        bob.run(line).reject_text("web");
    }
    for (line, code) in [("check STRIPE_SECERT -p api", 5), ("wait STRIPE_SECERT -p api --timeout 1s", 5)] {
        bob.run(line).expect_failure(code).expect_text(&["did you mean STRIPE_SECRET?"]);
    }
}
