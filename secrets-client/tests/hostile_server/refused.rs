//! Refusals whose details are not what they should be, and a list of what there is that never comes.

use std::time::{Duration, Instant};

use secrets_client::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::caller::{Caller, expect_harmless};
use crate::support::{HostileService, Reply};

fn refused(metadata: &[(&str, &str)]) -> Reply {
    let mut details = ErrorDetails::new();
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    details.set_error_info("PERMISSION_DENIED", "secretsapi.v1", metadata.collect::<std::collections::HashMap<_, _>>());
    Reply::Refused(Status::with_error_details(Code::PermissionDenied, "denied\u{1b}[2J", details))
}

#[test]
fn a_refusal_is_told_from_names_and_words_alone() {
    for metadata in [
        &[
            ("permission", "secrets.list"),
            ("resource", "organizations/acme\u{1b}[31m"),
            ("needs", "ORGANIZATION_ADMIN"),
        ][..],
        &[("permission", "secrets.list\u{202e}"), ("resource", "organizations/acme")],
        &[
            ("permission", "secrets.list"),
            ("resource", "organizations/acme/projects/api"),
            ("needs", "\u{1b}]0;owned\u{7}"),
        ],
        &[
            ("permission", "secrets.list"),
            ("resource", "organizations/acme"),
            ("principal", "organizations/acme/users/bob\u{1b}c"),
            ("not_member_of", "organizations/acme/projects/api"),
        ],
    ] {
        let metadata: Vec<_> = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let service = HostileService::start(move |_| {
            refused(&metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>())
        });
        let ended = Caller::of(&service).run("list --project api").expect_failure(4);
        expect_harmless(&ended.stderr);
    }
}

#[test]
fn a_list_that_never_comes_changes_nothing_about_the_refusal() {
    let service = HostileService::start(|method| match method {
        "ListProjects" | "ListBindings" => Reply::Stream(Vec::<Vec<u8>>::new()),
        _ => refused(&[]),
    });
    let begin = Instant::now();
    let ended = Caller::of(&service).run("list --project api").expect_failure(4);
    ended.expect_text(&["project `api` (--project): not allowed, or there is none"]);
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let service = HostileService::start(|method| match method {
        "ListBindings" => Reply::Stream(Vec::<Vec<u8>>::new()),
        _ => refused(&[
            ("permission", "secrets.list"),
            ("resource", "organizations/acme/projects/api"),
            ("needs", "PROJECT_ADMIN"),
        ]),
    });
    let ended = Caller::of(&service).run("list --project api").expect_failure(4);
    ended.expect_text(&["you may not see the secrets of project `api` (--project): its admins may"]);
}

#[test]
fn what_there_is_has_only_names_in_it() {
    let service = HostileService::start(|method| match method {
        "ListProjects" => {
            let projects = ["web", "\u{1b}[2J", "a b", &"x".repeat(100_000), ""]
                .map(|project_id| v1::Project { project_id: project_id.into(), ..Default::default() });
            Reply::message(&v1::ListProjectsResponse { projects: projects.to_vec(), ..Default::default() })
        }
        _ => refused(&[]),
    });
    let ended = Caller::of(&service).run("list --project api").expect_failure(4);
    assert!(ended.stderr.ends_with("hint: you may see: web\n"), "{}", ended.stderr);
}
