//! The operator's way into an organization without a reachable administrator, as everybody sees it; and what an invitation ended.

use crate::support::TestServer;

#[test]
fn an_invitation_of_the_operator_is_seen_by_every_member_and_refused_by_an_administrator() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("org show").reject_text("invited");
    let invited = server.operator().run_ok("org invite-admin acme olga");
    let invited =
        invited.expect_text(&["each of them can revoke this until then", "every member is told", " on, and until "]);
    let code = invited.line();
    assert!(code.starts_with("sinv_"));
    let olga = server.person("olga");
    let early = olga.run_with_stdin(code.as_bytes(), "login").expect_failure(4);
    early.expect_text(&["the code can be redeemed from 20"]).reject_text(&code);

    let said = "warning: the operator of the service has invited olga as an administrator at 20";
    for line in ["whoami", "org show"] {
        let shown = bob.run_ok(line).expect_text(&[said, "who can come from 20", "`secrets org refuse-admin "]);
        assert!(!shown.stdout.contains("olga"), "{shown:?}");
    }
    let json = bob.run_ok("whoami -o json");
    let invitation = json.json()["admin_invitations"][0].clone();
    assert_eq!(invitation["user"], "organizations/acme/users/olga");
    assert!(invitation["start_time"].is_string() && !json.stderr.contains("olga"), "{invitation:#}");
    assert_eq!(ann.run_ok("org show -o json").json()["admin_invitations"][0], invitation);

    let name = invitation["name"].as_str().unwrap();
    let id = name.rsplit('/').next().unwrap();
    bob.run(&format!("org refuse-admin {id}")).expect_failure(4);
    ann.run(&format!("org refuse-admin {}", "nope")).expect_failure(3).expect_text(&["secrets org show"]);
    ann.run_ok(&format!("org refuse-admin {id}")).expect_text(&["The invitation of olga is revoked."]);
    bob.run_ok("whoami").expect_text(&[said, "which was revoked at 20"]);
    olga.run_with_stdin(code.as_bytes(), "login").expect_failure(4).expect_text(&["revoked at"]);
    // Nobody else invites so.
    ann.run("org invite-admin acme olga").expect_failure(4);
}

#[test]
fn where_no_administrator_can_sign_in_the_operator_makes_one() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    bob.set("lin_1", "LINEAR_API_KEY");
    ann.run_ok("logout");
    let operator = server.operator();
    operator.run("org invite-admin acme bob").expect_failure(1).expect_text(&["--destroy-secrets"]);
    let code = operator.run_ok("org invite-admin acme olga").reject_text("every member is told").line();
    let olga = server.person("olga");
    let signed_in = olga.run_with_stdin(code.as_bytes(), "login").expect_success("login");
    assert!(signed_in.stdout.starts_with("user olga, organization acme, ") && signed_in.stdout.contains("admin"));
    bob.run_ok("whoami").expect_text(&["has invited olga as an administrator", "who came at 20"]);
    // It is an administrator's right, and no more.
    olga.run_ok("user invite ann");
    assert_eq!(bob.run_ok("resolve LINEAR_API_KEY --raw").stdout, "lin_1");
    olga.run("list --organization acme --user bob").expect_failure(2);
}

#[test]
fn whoever_invites_and_whoever_comes_learn_what_the_invitation_ended() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    bob.set("lin_1", "LINEAR_API_KEY");
    bob.run_ok("session create --workspace ws1");
    let invited = ann.run_ok("user invite bob --destroy-secrets");
    let invited = invited.expect_text(&["This ended what bob had: 1 token, 1 session; 1 secret is destroyed."]);
    let back = bob.run_with_stdin(invited.line().as_bytes(), "login").expect_success("login");
    back.expect_text(&["warning: the invitation has ended what you had: 1 token, 1 session; 1 secret is destroyed"]);
    // And nothing is said where there was nothing.
    let first = ann.run_ok("user invite carol").reject_text("ended");
    server
        .person("carol")
        .run_with_stdin(first.line().as_bytes(), "login")
        .expect_success("login")
        .reject_text("ended");
    let json = ann.run_ok("user invite carol -o json").json();
    assert_eq!((&json["ended"]["tokens"], &json["ended"]["recovery_codes"]), (&1.into(), &0.into()));
}
