use crate::support::TestServer;

/// `acme`, and the platform's `sandboxd`, which may create sessions and manage what is mirrored; its token.
fn server() -> (TestServer, String) {
    let server = TestServer::acme();
    let operator = server.operator();
    operator.run_ok("service-account create sandboxd --platform");
    operator.run_ok("member add service:sandboxd --platform --role delegate");
    operator.run_ok("member add service:sandboxd --platform --role provisioner");
    let token = operator.run_ok("token create --service-account sandboxd --ttl 90d").line();
    assert!(token.starts_with("ssvc_"));
    (server, token)
}

#[test]
fn a_sandbox_gets_a_session_for_its_context_alone() {
    let (server, token) = server();
    let bob = server.person("bob");
    bob.set("lin_bob", "LINEAR_API_KEY");
    let plane = server.person("plane").with("SECRETS_TOKEN", &token);
    plane.run_ok("whoami").expect_text(&["service account sandboxd (platform)"]);
    let create = "session create --organization acme --user bob --workspace ws1 --ttl 1h --external-id sbx-91";
    let session = plane.run_ok(create).line();
    assert!(session.starts_with("sses_"));

    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    sandbox.run_ok("whoami").expect_text(&["session, for user bob, organization acme", "workspace ws1"]);
    let ended = sandbox.run_ok("run --no-masking -- env");
    assert!(ended.stdout.contains("LINEAR_API_KEY=lin_bob\n") && !ended.stdout.contains(&session));
    sandbox.run_ok("explain").expect_text(&["LINEAR_API_KEY"]);
    sandbox.run_ok("resolve --workspace ws1");
    sandbox.run("resolve --org").expect_failure(4);
    sandbox.run("list --workspace ws1").expect_failure(4);
    let events = server.person("ann").run_ok("audit list").stdout;
    assert!(events.contains("bob's session sbx-91 "), "{events}");
    let narrower = sandbox.run_ok("session create --only STRIPE_SECRET").line();
    server.person("agent").with("SECRETS_TOKEN", &narrower).run("resolve LINEAR_API_KEY").expect_failure(5);

    // Belonging to no organization, it sees those of all.
    let list = plane.run_ok("session list --external-id sbx-91").reject_text(&session);
    let id = list.row_of("sbx-91");
    plane.run_ok(&format!("session revoke {id} --yes")).expect_text(&["2 sessions ended"]);
    sandbox.run("resolve").expect_failure(4);
    plane.run_ok(&format!("session revoke {id} --organization acme --yes")).expect_text(&["had ended before"]);
    plane.run("session revoke --external-id sbx-91 --yes").expect_failure(3);
    plane.run("session revoke nope --yes").expect_failure(3).expect_text(&["no session `nope`"]);
    for line in [format!("session revoke {session}"), format!("session renew {session}")] {
        plane.run(&line).expect_failure(2).reject_text(&session).expect_text(&["by its identifier"]);
    }
}

#[test]
fn a_control_plane_lists_the_sessions_of_every_organization() {
    let (server, token) = server();
    let plane = server.person("plane").with("SECRETS_TOKEN", &token);
    let code = server.operator().run_ok("org create rival --admin eve").line();
    server.person("eve").run_ok(&format!("login --invite {code}"));
    for (organization, user) in [("acme", "bob"), ("rival", "eve")] {
        plane.run_ok(&format!("session create --organization {organization} --user {user} --external-id sbx-1"));
    }
    let list = plane.run_ok("session list --external-id sbx-1").expect_text(&["acme: user bob", "rival: user eve"]);
    let id = list.row_of("rival:");
    plane.run_ok(&format!("session revoke {id} --yes")).expect_text(&["1 session ended"]);
    plane.run_ok("session revoke --external-id sbx-1 --yes").expect_text(&["1 session ended"]);
    assert!(plane.run_ok("session list").stdout.is_empty());
}

#[test]
fn a_control_plane_mirrors_and_sees_no_secret() {
    let (server, token) = server();
    let plane = server.person("plane").with("SECRETS_TOKEN", &token).with("SECRETS_ORGANIZATION", "acme");
    plane.run_ok("project create mirrored");
    plane.run_ok("workspace create ws2 --owner bob --project mirrored");
    plane.run_ok("member add bob --project mirrored");
    plane.run("list --org").expect_failure(4);
    plane.run("resolve --workspace ws2").expect_failure(4);
    plane.run("list").expect_failure(2).expect_text(&["--org"]);
    // Whoever may act on people's behalf is visible to them.
    server.person("bob").run_ok("member list").expect_text(&["service:sandboxd (platform)", "delegate"]);
    server.person("ann").run("service-account create rogue --platform").expect_failure(4);
}

#[test]
fn revoking_the_creators_token_ends_its_sessions() {
    let (server, token) = server();
    let plane = server.person("plane").with("SECRETS_TOKEN", &token);
    let session = plane.run_ok("session create --organization acme --user bob --workspace ws1").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    sandbox.run_ok("resolve");
    let list = server.operator().run_ok("token list --service-account sandboxd -o json").json();
    let name = list[0]["name"].as_str().unwrap().to_owned();
    server.operator().run_ok(&format!("token revoke {name} --yes")).expect_text(&["ended 1 session and 1 token"]);
    sandbox.run("resolve").expect_failure(4);
    plane.run("whoami").expect_failure(4);
}

#[test]
fn a_control_plane_changes_its_token_and_its_sessions_go_on() {
    let (server, token) = server();
    let plane = server.person("plane").with("SECRETS_TOKEN", &token);
    let session = plane.run_ok("session create --organization acme --user bob --workspace ws1").line();
    let old = plane.run_ok("whoami -o json").json()["credential"].as_str().unwrap().to_owned();
    let next = plane.run_ok("token create --ttl 90d").line();
    let plane = server.person("next").with("SECRETS_TOKEN", &next);
    let ended = plane.run_ok(&format!("token revoke {old} --alone --yes"));
    ended.expect_text(&["ended 0 sessions and 1 token, and gave 1 session to token"]);
    server.person("sandbox").with("SECRETS_TOKEN", &session).run_ok("resolve");
    let list = plane.run_ok("token list -o json").json();
    assert_eq!(
        (&list[0]["origin"], &list[0]["creator"], &list[1]["origin"]),
        (&"OWN".into(), &old.as_str().into(), &"ISSUED".into())
    );
    plane.run(&format!("token revoke {old} --alone --with-service-tokens")).expect_failure(2);
}
