//! What a fallback keeps, and when it is used.

use std::os::unix::fs::PermissionsExt as _;

use secrets_client::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::answers::{VALUE, answer, variable};
use super::caller::Caller;
use crate::support::{HostileService, Reply};

const RUN: &str = "run --fallback kept --fallback-key-file key --no-masking -- printenv A";

#[test]
fn a_malformed_answer_is_no_outage_and_changes_no_fallback() {
    let service = HostileService::start(|_| Reply::message(&answer(vec![variable("A")])));
    let caller = Caller::of(&service);
    let key = caller.home().join("key");
    std::fs::write(&key, "0".repeat(64)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(caller.run(RUN).expect_success(RUN).stdout, format!("{VALUE}\n"));
    let kept = std::fs::read(caller.home().join("kept")).unwrap();

    service.answer_with(|_| Reply::message(&answer(vec![variable("A"), variable("PATH")])));
    let refused = caller.run(RUN).expect_failure(125).expect_text(&["`PATH` is reserved"]);
    assert_eq!(refused.stdout, "");
    assert_eq!(std::fs::read(caller.home().join("kept")).unwrap(), kept);

    // The control: an outage.
    service.answer_with(|_| Reply::Refused(Status::unavailable("not now")));
    assert_eq!(caller.run(RUN).expect_success(RUN).stdout, format!("{VALUE}\n"));
}

#[test]
fn a_service_that_says_what_is_missing_and_then_nothing_has_answered() {
    let service = HostileService::start(|_| Reply::message(&answer(vec![variable("A")])));
    let caller = Caller::of(&service);
    let key = caller.home().join("key");
    std::fs::write(&key, "0".repeat(64)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    caller.run(RUN).expect_success(RUN);
    service.answer_with(|method| {
        if method != "Resolve" {
            return Reply::stream(&[] as &[v1::ExplainResponse]);
        }
        let mut details = ErrorDetails::new();
        details.set_error_info("SECRET_REQUIRED_MISSING", "secretsapi.v1", [("secret_ids".to_owned(), "A".to_owned())]);
        Reply::Refused(Status::with_error_details(Code::FailedPrecondition, "missing", details))
    });
    let refused = caller.run(RUN).expect_failure(5).expect_text(&["gets no `A`"]);
    assert!(refused.stdout.is_empty() && !refused.stderr.contains("using what it gave"), "{refused:?}");
}
