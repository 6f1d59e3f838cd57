//! Executable files that do not come from the caller's own secrets.

use secrets_client::v1::{self, ResolveResponse, ResolvedSecret, ScopeKind};

use super::answers::{answer, file};
use super::caller::Caller;
use crate::support::{HostileService, ProgramOutput, Reply};

/// A set with the file `TOOL` of this scope, which everybody may execute.
fn set(scope: &str, kind: ScopeKind) -> ResolveResponse {
    let secret = format!("organizations/acme{scope}/secrets/TOOL");
    let tool = ResolvedSecret { secret, scope: kind.into(), ..file("TOOL", "~/tools/tool", 0o755) };
    let id = |kind: &str| scope.strip_prefix(kind).unwrap_or_default().to_owned();
    let context = v1::Context {
        organization: "acme".into(),
        project: id("/projects/"),
        workspace: id("/workspaces/"),
        user: id("/users/"),
    };
    ResolveResponse { context: Some(context), ..answer(vec![tool]) }
}

fn warnings(ended: &ProgramOutput) -> Vec<&str> {
    ended.stderr.lines().filter(|line| line.contains("execute bits")).collect()
}

#[test]
fn a_shared_file_loses_its_execute_bits_and_is_named_once_unless_a_flag_keeps_them() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = Caller::of(&service);
    for (scope, kind, flag, from) in [
        ("", ScopeKind::Organization, "", "organization"),
        ("/projects/api", ScopeKind::Project, " --project api", "project api"),
        ("/workspaces/ws1", ScopeKind::Workspace, " --workspace ws1", "workspace ws1"),
    ] {
        service.answer_with(move |_| Reply::message(&set(scope, kind)));
        let run = |allow: &str| caller.run(&format!("run{flag}{allow} -- stat -c %a tools/tool")).expect_success(allow);
        for allow in ["", " --allow-executable=OTHER"] {
            let ended = run(allow);
            assert_eq!(ended.stdout, "644\n", "{ended:?}");
            let said = warnings(&ended);
            assert!(said.len() == 1 && said[0].contains("TOOL") && said[0].contains(from), "{ended:?}");
        }
        for allow in [" --allow-executable", " --allow-executable=TOOL", " --allow-executable=OTHER,TOOL"] {
            let ended = run(allow);
            assert_eq!((ended.stdout.as_str(), warnings(&ended).len()), ("755\n", 0), "{ended:?}");
        }
    }
}

#[test]
fn a_file_of_ones_own_stays_executable() {
    let service = HostileService::start(|_| Reply::message(&set("/users/bob", ScopeKind::User)));
    let caller = Caller::of(&service);
    let ended = caller.run("run -- stat -c %a tools/tool").expect_success("run");
    assert_eq!((ended.stdout.as_str(), warnings(&ended).len()), ("755\n", 0), "{ended:?}");
}

#[test]
fn a_directory_holds_no_executable_file_of_others() {
    let service = HostileService::start(|_| Reply::message(&set("", ScopeKind::Organization)));
    let caller = Caller::of(&service);
    let mode =
        || std::os::unix::fs::PermissionsExt::mode(&caller.home().join("out/TOOL").metadata().unwrap().permissions());
    let ended = caller.run("materialize --dir out").expect_success("materialize");
    assert_eq!((mode() & 0o777, warnings(&ended).len()), (0o644, 1));
    let ended = caller.run("materialize --dir out --allow-executable=TOOL").expect_success("materialize");
    assert_eq!((mode() & 0o777, warnings(&ended).len()), (0o755, 0));
}

#[test]
fn whoever_stores_one_is_warned() {
    let target = file("TOOL", "~/tools/tool", 0o755).target;
    let stored = v1::Secret { secret_id: "TOOL".into(), target, current_version: 1, ..Default::default() };
    let service = HostileService::start(move |method| match method {
        "GetSecret" => Reply::message(&v1::GetSecretResponse { secret: Some(stored.clone()) }),
        "WhoAmI" => Reply::message(&v1::WhoAmIResponse {
            principal: "organizations/acme/users/bob".into(),
            organization: "acme".into(),
            ..Default::default()
        }),
        _ => Reply::message(&v1::UpdateSecretResponse { secret: Some(stored.clone()), ..Default::default() }),
    });
    let caller = Caller::of(&service);
    for (line, warned) in [
        ("set TOOL --org --file ~/tools/tool --mode 0755", 1),
        ("set TOOL --project api --file ~/tools/tool --mode 0755", 1),
        ("set TOOL --file ~/tools/tool --mode 0755", 0),
        ("edit TOOL --org --file ~/tools/tool --mode 0755", 1),
        ("edit TOOL --org --description text", 0),
    ] {
        let ended = caller.run_with_stdin(b"#!/bin/sh", line).expect_success(line);
        assert_eq!(warnings(&ended).len(), warned, "{line}: {ended:?}");
    }
}
