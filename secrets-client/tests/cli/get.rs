use super::terminal::on_terminal;
use crate::support::TestServer;

#[test]
fn get_shows_a_value_only_when_asked_to() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_canary", "LINEAR_API_KEY");
    let shown = bob
        .run_ok("get LINEAR_API_KEY")
        .reject_text("canary")
        .expect_text(&["`--raw` prints it alone, on a terminal with a newline behind it"]);
    assert_eq!(shown.row("LINEAR_API_KEY"), ["LINEAR_API_KEY", "••••••••", "user bob", "variable"]);
    bob.run_ok("get LINEAR_API_KEY -o json").reject_text("canary").expect_text(&["masked_value"]);
    assert_eq!(bob.run_ok("get LINEAR_API_KEY --raw").stdout, "lin_canary");
    bob.run("get NOPE").expect_failure(5);
    bob.run("get linear_api_key").expect_failure(5).expect_text(&["did you mean LINEAR_API_KEY?"]);
    bob.run("get").expect_failure(2);
    bob.run_ok("edit LINEAR_API_KEY --disable");
    let refused = bob.run("get LINEAR_API_KEY").expect_failure(5);
    refused.expect_text(&[
        "this context gets no `LINEAR_API_KEY`",
        "it is there, but not delivered from user bob: disabled",
    ]);
}

#[test]
fn a_value_has_a_line_of_its_own_on_a_terminal() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_canary", "LINEAR_API_KEY");
    bob.run_with_stdin(b"two\nlines\n", "set LINES --raw").expect_success("set");
    for (line, shown) in [
        ("get LINEAR_API_KEY --raw", "lin_canary\r\n"),
        ("resolve LINEAR_API_KEY --raw", "lin_canary\r\n"),
        ("get LINES --raw", "two\r\nlines\r\n"),
    ] {
        assert_eq!(on_terminal(&bob, line, &[]), (0, shown.to_owned()), "{line}");
    }
}
