use crate::support::TestServer;

#[test]
fn an_administrator_allows_a_reserved_name_and_takes_it_back() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    let refused = bob.run_with_stdin(b"x", "set KUBECONFIG").expect_failure(1);
    refused.expect_text(&[
        "`KUBECONFIG` is reserved",
        "hint: an administrator allows it with `secrets org allow KUBECONFIG`",
    ]);
    bob.run("org allow KUBECONFIG").expect_failure(4);

    ann.run_ok("org allow KUBECONFIG PAGER").expect_text(&[
        "Allowed in acme: KUBECONFIG (redirects tools to another configuration or service), PAGER (",
        "Whoever sets a shared secret may use that.",
    ]);
    ann.run_ok("org show").expect_text(&["allowed reserved", "KUBECONFIG, PAGER"]);
    bob.set("/run/kube", "KUBECONFIG");
    assert_eq!(bob.run_ok("run --no-masking -- printenv KUBECONFIG").stdout, "/run/kube\n");

    ann.run_ok("org disallow KUBECONFIG").expect_text(&["No longer allowed in acme: KUBECONFIG."]);
    assert_eq!(ann.run_ok("org show -o json").json()["allowed_reserved"], serde_json::json!(["PAGER"]));
    bob.run_with_stdin(b"x", "set KUBECONFIG").expect_failure(1).expect_text(&["reserved"]);
    ann.run("org disallow KUBECONFIG").expect_failure(3).expect_text(&["`KUBECONFIG` is not allowed in acme"]);
    ann.run_ok("audit list").expect_text(&["+KUBECONFIG, +PAGER", "-KUBECONFIG"]);
}

#[test]
fn a_path_is_allowed_as_it_is_typed_wherever_home_is() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    let set = "set CONFIG --file ~/.cargo/config.toml";
    let refused = bob.run_with_stdin(b"x", set).expect_failure(1);
    refused.expect_text(&["path is reserved by `~/.cargo/config.toml`", "secrets org allow '~/.cargo/config.toml'"]);
    // As a shell expands `~`.
    ann.run_ok(&format!("org allow {}/.cargo/config.toml", ann.home.display()));
    bob.run_with_stdin(b"x", set).expect_success(set);
}

#[test]
fn what_runs_code_is_never_allowed() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    for (entry, rule) in [
        ("LD_PRELOAD", "`LD_PRELOAD` can't be allowed, since it loads code into every program"),
        ("~/.bashrc", "path is reserved by `~/.bashrc`"),
        ("LINEAR_API_KEY", "`LINEAR_API_KEY` is not reserved"),
    ] {
        ann.run(&format!("org allow {entry}")).expect_failure(2).expect_text(&[rule]);
    }
    let refused = ann.run_with_stdin(b"x", "set LD_PRELOAD --org").expect_failure(1).expect_text(&["reserved"]);
    refused.reject_text("org allow");
}
