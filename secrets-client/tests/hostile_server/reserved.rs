//! Names and paths that an organization may allow itself: they are delivered, and named.

use super::answers::{VALUE, answer, file, variable};
use super::caller::Caller;
use crate::support::{HostileService, Reply};

#[test]
fn what_an_organization_may_allow_is_delivered_and_named_once() {
    let set = || answer(vec![variable("SSL_CERT_FILE"), file("CARGO", "~/.cargo/config.toml", 0o600)]);
    let service = HostileService::start(move |_| Reply::message(&set()));
    let caller = Caller::of(&service);
    for line in [
        "run --no-masking -- printenv SSL_CERT_FILE",
        "materialize --dir out",
        "resolve",
        "resolve --format shell",
        "resolve SSL_CERT_FILE CARGO",
    ] {
        let ended = caller.run(line).expect_success(line);
        for (name, said) in
            [("SSL_CERT_FILE", "SSL_CERT_FILE (variable)"), ("CARGO", "CARGO (file ~/.cargo/config.toml")]
        {
            let named: Vec<_> =
                ended.stderr.lines().filter(|line| line.starts_with("warning: ") && line.contains(said)).collect();
            assert_eq!(named.len(), 1, "{line}: {name}: {ended:?}");
        }
    }
    assert_eq!(caller.run("run --no-masking -- printenv SSL_CERT_FILE").stdout, format!("{VALUE}\n"));
}
