use super::world::World;

/// `acme`, and the platform's `sandboxd`, which may create sessions and manage what is mirrored; its token.
fn world() -> (World, String) {
    let world = World::acme();
    let operator = world.operator();
    operator.does("service-account create sandboxd --platform");
    operator.does("member add service:sandboxd --platform --role delegate");
    operator.does("member add service:sandboxd --platform --role provisioner");
    let token = operator.does("token create --service-account sandboxd --ttl 90d").line();
    assert!(token.starts_with("ssvc_"));
    (world, token)
}

#[test]
fn a_sandbox_gets_a_session_for_its_context_alone() {
    let (world, token) = world();
    let bob = world.person("bob");
    bob.sets("lin_bob", "LINEAR_API_KEY");
    let plane = world.person("plane").with("SECRETS_TOKEN", &token);
    plane.does("whoami").shows(&["service account sandboxd (platform)"]);
    let create = "session create --organization acme --user bob --workspace ws1 --ttl 1h --external-id sbx-91";
    let session = plane.does(create).line();
    assert!(session.starts_with("sses_"));

    let sandbox = world.person("sandbox").with("SECRETS_TOKEN", &session);
    sandbox.does("whoami").shows(&["session, for user bob, organization acme", "workspace ws1"]);
    let ended = sandbox.does("run --no-masking -- env");
    assert!(ended.stdout.contains("LINEAR_API_KEY=lin_bob\n") && !ended.stdout.contains(&session));
    sandbox.does("explain").shows(&["LINEAR_API_KEY"]);
    sandbox.does("resolve --workspace ws1");
    sandbox.types("resolve --org").fails(4);
    sandbox.types("list --workspace ws1").fails(4);
    let events = world.person("ann").does("audit list").stdout;
    assert!(events.contains("bob's session sbx-91 "), "{events}");
    let narrower = sandbox.does("session create --only STRIPE_SECRET").line();
    world.person("agent").with("SECRETS_TOKEN", &narrower).types("resolve LINEAR_API_KEY").fails(5);

    // Belonging to no organization, it sees those of all.
    let list = plane.does("session list --external-id sbx-91").hides(&session);
    let id = list.row_of("sbx-91");
    plane.does(&format!("session revoke {id} --yes")).shows(&["2 sessions ended"]);
    sandbox.types("resolve").fails(4);
    plane.does(&format!("session revoke {id} --organization acme --yes")).shows(&["had ended before"]);
    plane.types("session revoke --external-id sbx-91 --yes").fails(3);
    plane.types("session revoke nope --yes").fails(3).shows(&["no session `nope`"]);
    for line in [format!("session revoke {session}"), format!("session renew {session}")] {
        plane.types(&line).fails(2).hides(&session).shows(&["by its identifier"]);
    }
}

#[test]
fn a_control_plane_lists_the_sessions_of_every_organization() {
    let (world, token) = world();
    let plane = world.person("plane").with("SECRETS_TOKEN", &token);
    let code = world.operator().does("org create rival --admin eve").line();
    world.person("eve").does(&format!("login --invite {code}"));
    for (organization, user) in [("acme", "bob"), ("rival", "eve")] {
        plane.does(&format!("session create --organization {organization} --user {user} --external-id sbx-1"));
    }
    let list = plane.does("session list --external-id sbx-1").shows(&["acme: user bob", "rival: user eve"]);
    let id = list.row_of("rival:");
    plane.does(&format!("session revoke {id} --yes")).shows(&["1 session ended"]);
    plane.does("session revoke --external-id sbx-1 --yes").shows(&["1 session ended"]);
    assert!(plane.does("session list").stdout.is_empty());
}

#[test]
fn a_control_plane_mirrors_and_sees_no_secret() {
    let (world, token) = world();
    let plane = world.person("plane").with("SECRETS_TOKEN", &token).with("SECRETS_ORGANIZATION", "acme");
    plane.does("project create mirrored");
    plane.does("workspace create ws2 --owner bob --project mirrored");
    plane.does("member add bob --project mirrored");
    plane.types("list --org").fails(4);
    plane.types("resolve --workspace ws2").fails(4);
    plane.types("list").fails(2).shows(&["--org"]);
    // Whoever may act on people's behalf is visible to them.
    world.person("bob").does("member list").shows(&["service:sandboxd (platform)", "delegate"]);
    world.person("ann").types("service-account create rogue --platform").fails(4);
}

#[test]
fn revoking_the_minters_token_ends_its_sessions() {
    let (world, token) = world();
    let plane = world.person("plane").with("SECRETS_TOKEN", &token);
    let session = plane.does("session create --organization acme --user bob --workspace ws1").line();
    let sandbox = world.person("sandbox").with("SECRETS_TOKEN", &session);
    sandbox.does("resolve");
    let list = world.operator().does("token list --service-account sandboxd -o json").json();
    let name = list[0]["name"].as_str().unwrap().to_owned();
    world.operator().does(&format!("token revoke {name} --yes")).shows(&["1 session"]);
    sandbox.types("resolve").fails(4);
    plane.types("whoami").fails(4);
}
