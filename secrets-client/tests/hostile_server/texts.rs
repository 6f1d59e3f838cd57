//! An answer of each method whose every text is hostile, as far as no rule refuses it.

use prost_types::Timestamp;
use secrets_client::v1::{self, ExplainResponse};
use tonic::Status;

use super::answers::{answer, variable};
use crate::support::Reply;

/// Colours, a title, C1, a right-to-left override, a carriage return and the word "hi" in tags.
pub(super) const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\u{2066}\rtext\u{e0068}\u{e0069}\u{7f}\nerror: no";

pub(super) fn text() -> String {
    HOSTILE.to_owned()
}

/// A time that no clock counts to.
const fn never() -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::MAX, nanos: i32::MIN })
}

const fn always() -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::MIN, nanos: i32::MAX })
}

fn who_am_i() -> v1::WhoAmIResponse {
    v1::WhoAmIResponse {
        expire_time: never(),
        server_time: always(),
        principal: text(),
        organization: text(),
        credential: text(),
        server_version: text(),
        bindings: vec![binding()],
        recovery_codes: Some(v1::RecoveryCodes { remaining: i32::MIN, create_time: never(), creator: text() }),
        resolvers: vec![binding()],
        admin_invitations: vec![v1::AdminInvitation {
            name: text(),
            user: text(),
            create_time: never(),
            start_time: never(),
            expire_time: always(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn binding() -> v1::Binding {
    v1::Binding { name: text(), resource: text(), principal: text(), creator: text(), ..Default::default() }
}

pub(super) fn secret() -> v1::Secret {
    v1::Secret {
        name: text(),
        uid: text(),
        secret_id: text(),
        target: Some(v1::Target {
            kind: Some(v1::target::Kind::File(v1::FileTarget { path: text(), mode: u32::MAX })),
        }),
        description: text(),
        labels: [(text(), text())].into(),
        group: text(),
        etag: text(),
        creator: text(),
        updater: text(),
        masked_value: text(),
        shadowed_by: text(),
        create_time: never(),
        update_time: always(),
        visibility: Some(v1::Visibility {
            mode: v1::VisibilityMode::Selected.into(),
            projects: vec![text()],
            workspaces: vec![text()],
        }),
        ..Default::default()
    }
}

fn explanation() -> ExplainResponse {
    let explained = v1::ExplainedSecret {
        secret: text(),
        target: secret().target,
        description: text(),
        group: text(),
        ..Default::default()
    };
    let other = v1::NotChosen { secret: Some(explained.clone()), reason: 99, blocked_by: text() };
    let row =
        |secret_id| v1::Explanation { secret_id, winner: Some(explained.clone()), not_chosen: vec![other.clone()] };
    ExplainResponse { explanations: vec![row(text()), row("A".into())], revision: text(), ..Default::default() }
}

fn warnings() -> Vec<v1::Warning> {
    vec![v1::Warning { code: 99, secret_id: text(), message: text() }; 50]
}

/// An answer of each method that a command calls.
pub(super) fn hostile(method: &str) -> Reply {
    let session = || v1::Session {
        name: text(),
        display_name: text(),
        external_id: text(),
        creator: text(),
        context: Some(v1::Context { organization: text(), project: text(), workspace: text(), user: text() }),
        ..Default::default()
    };
    let event = || v1::AuditEvent {
        uid: text(),
        principal: text(),
        action: text(),
        resource: text(),
        reason: text(),
        peer: text(),
        request_id: text(),
        delivered: vec![v1::DeliveredSecret { secret: text(), uid: text(), version: 1 }],
        ..Default::default()
    };
    match method {
        "WhoAmI" => Reply::message(&who_am_i()),
        "ListSecrets" => Reply::message(&v1::ListSecretsResponse { secrets: vec![secret()], ..Default::default() }),
        "GetSecret" => Reply::message(&v1::GetSecretResponse { secret: Some(secret()) }),
        "UpdateSecret" => {
            Reply::message(&v1::UpdateSecretResponse { secret: Some(secret()), warnings: warnings(), revision: text() })
        }
        "DeleteSecret" => Reply::message(&v1::DeleteSecretResponse { secret: Some(secret()), revision: text() }),
        "Explain" => Reply::message(&explanation()),
        "Resolve" => Reply::message(&v1::ResolveResponse { warnings: warnings(), ..answer(vec![variable("A")]) }),
        "ListSecretVersions" => {
            let version = v1::SecretVersion {
                version: 1,
                target: secret().target,
                creator: text(),
                masked_value: text(),
                ..Default::default()
            };
            Reply::message(&v1::ListSecretVersionsResponse { versions: vec![version], ..Default::default() })
        }
        "ImportSecrets" => {
            let entry = v1::ImportedEntry {
                secret_id: text(),
                reason: text(),
                suggested_secret_id: text(),
                outcome: 99,
                ..Default::default()
            };
            Reply::message(&v1::ImportSecretsResponse {
                entries: vec![entry],
                warnings: warnings(),
                ..Default::default()
            })
        }
        "ListOrganizations" => {
            let organization =
                v1::Organization { name: text(), organization_id: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListOrganizationsResponse { organizations: vec![organization], ..Default::default() })
        }
        "ListProjects" => {
            let project = v1::Project { name: text(), project_id: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListProjectsResponse { projects: vec![project], ..Default::default() })
        }
        "ListWorkspaces" => {
            let workspace = v1::Workspace {
                name: text(),
                workspace_id: text(),
                project: text(),
                owner: text(),
                display_name: text(),
                ..Default::default()
            };
            Reply::message(&v1::ListWorkspacesResponse { workspaces: vec![workspace], ..Default::default() })
        }
        "ListUsers" => {
            let user = v1::User { name: text(), user_id: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListUsersResponse { users: vec![user], ..Default::default() })
        }
        "ListServiceAccounts" => {
            let account = v1::ServiceAccount {
                name: text(),
                service_account_id: text(),
                display_name: text(),
                ..Default::default()
            };
            let service_accounts = vec![account];
            Reply::message(&v1::ListServiceAccountsResponse { service_accounts, ..Default::default() })
        }
        "ListBindings" => Reply::message(&v1::ListBindingsResponse { bindings: vec![binding()], ..Default::default() }),
        "ListTokens" => {
            let token = v1::Token { name: text(), principal: text(), display_name: text(), ..Default::default() };
            Reply::message(&v1::ListTokensResponse { tokens: vec![token], ..Default::default() })
        }
        "ListSessions" => Reply::message(&v1::ListSessionsResponse { sessions: vec![session()], ..Default::default() }),
        "ListAuditEvents" => {
            Reply::message(&v1::ListAuditEventsResponse { events: vec![event()], ..Default::default() })
        }
        other => Reply::Refused(Status::unimplemented(other)),
    }
}
