//! The service's answers as JSON. To add one: a function named after the message, with the field names of the `.proto`.

mod access;
mod field;

use secrets_client::v1;
use secrets_client::v1::target::Kind;
use serde_json::{Map, Value, json};

pub(crate) use self::access::{
    admin_invitation, binding, context, invitation, recovery_codes, session, sign_in_code, token, who_am_i,
};
use self::field::text;
pub(crate) use self::field::{time, word};

pub(crate) fn secret(secret: &v1::Secret) -> Value {
    json!({
        "name": secret.name,
        "uid": secret.uid,
        "secret_id": secret.secret_id,
        "scope": word(secret.scope().as_str_name(), "SCOPE_KIND_"),
        "target": target(secret.target.as_ref()),
        "description": secret.description,
        "labels": secret.labels,
        "group": secret.group,
        "visibility": secret.visibility.as_ref().map(visibility),
        "override_policy": word(secret.override_policy().as_str_name(), "OVERRIDE_POLICY_"),
        "disabled": secret.disabled,
        "redaction": word(secret.redaction().as_str_name(), "REDACTION_"),
        "expire_time": time(secret.expire_time.as_ref()),
        "current_version": secret.current_version,
        "etag": secret.etag,
        "create_time": time(secret.create_time.as_ref()),
        "creator": secret.creator,
        "update_time": time(secret.update_time.as_ref()),
        "updater": secret.updater,
        "delete_time": time(secret.delete_time.as_ref()),
        "purge_time": time(secret.purge_time.as_ref()),
        "masked_value": secret.masked_value,
        "inherited": secret.inherited,
        "read_only": secret.read_only,
        "shadowed_by": text(&secret.shadowed_by),
    })
}

/// A secret that was changed, with the revision after it and the warnings.
pub(crate) fn changed(changed: Option<&v1::Secret>, revision: &str, warnings: &[v1::Warning]) -> Value {
    json!({
        "secret": changed.map(secret),
        "revision": revision,
        "warnings": warnings.iter().map(warning).collect::<Vec<_>>(),
    })
}

/// The same of a change that was given a value, which may be the one that is stored.
pub(crate) fn changed_value(secret: &v1::Secret, unchanged: bool, revision: &str, warnings: &[v1::Warning]) -> Value {
    let mut changed = changed(Some(secret), revision, warnings);
    if let Some(members) = changed.as_object_mut() {
        members.insert("value_unchanged".to_owned(), unchanged.into());
    }
    changed
}

pub(crate) fn warning(warning: &v1::Warning) -> Value {
    json!({
        "code": word(warning.code().as_str_name(), "WARNING_CODE_"),
        "secret_id": text(&warning.secret_id),
        "message": warning.message,
    })
}

fn visibility(visibility: &v1::Visibility) -> Value {
    json!({
        "mode": word(visibility.mode().as_str_name(), "VISIBILITY_MODE_"),
        "projects": visibility.projects,
        "workspaces": visibility.workspaces,
    })
}

pub(crate) fn target(target: Option<&v1::Target>) -> Value {
    match target.and_then(|target| target.kind.as_ref()) {
        None => Value::Null,
        Some(Kind::EnvironmentVariable(_)) => json!({ "kind": "ENVIRONMENT_VARIABLE" }),
        Some(Kind::File(file)) => json!({
            "kind": "FILE",
            "path": file.path,
            "mode": format!("{:04o}", if file.mode == 0 { 0o600 } else { file.mode }),
        }),
        Some(Kind::Registry(registry)) => {
            json!({ "kind": "REGISTRY", "host": registry.host, "username": registry.username })
        }
        Some(Kind::ApiOnly(_)) => json!({ "kind": "API_ONLY" }),
    }
}

pub(crate) fn secret_version(version: &v1::SecretVersion) -> Value {
    json!({
        "version": version.version,
        "target": target(version.target.as_ref()),
        "current": version.current,
        "create_time": time(version.create_time.as_ref()),
        "creator": version.creator,
        "destroy_time": time(version.destroy_time.as_ref()),
        "source_version": (version.source_version != 0).then_some(version.source_version),
        "masked_value": version.masked_value,
    })
}

pub(crate) fn imported_entry(entry: &v1::ImportedEntry) -> Value {
    json!({
        "line": entry.line,
        "secret_id": entry.secret_id,
        "outcome": word(entry.outcome().as_str_name(), "IMPORT_OUTCOME_"),
        "reason": text(&entry.reason),
        "suggested_secret_id": text(&entry.suggested_secret_id),
        "renamed_secret_id": text(&entry.renamed_secret_id),
    })
}

pub(crate) fn explanation(explanation: &v1::Explanation) -> Value {
    json!({
        "secret_id": explanation.secret_id,
        "winner": explanation.winner.as_ref().map(explained_secret),
        "not_chosen": explanation.not_chosen.iter().map(|other| json!({
            "secret": other.secret.as_ref().map(explained_secret),
            "reason": word(other.reason().as_str_name(), "NOT_CHOSEN_REASON_"),
            "blocked_by": text(&other.blocked_by),
        })).collect::<Vec<_>>(),
    })
}

fn explained_secret(secret: &v1::ExplainedSecret) -> Value {
    json!({
        "secret": secret.secret,
        "scope": word(secret.scope().as_str_name(), "SCOPE_KIND_"),
        "target": target(secret.target.as_ref()),
        "description": secret.description,
        "version": secret.version,
        "group": secret.group,
        "override_policy": word(secret.override_policy().as_str_name(), "OVERRIDE_POLICY_"),
        "expire_time": time(secret.expire_time.as_ref()),
    })
}

pub(crate) fn organization(organization: &v1::Organization) -> Value {
    json!({
        "name": organization.name,
        "uid": organization.uid,
        "organization_id": organization.organization_id,
        "display_name": organization.display_name,
        "name_policy": word(organization.name_policy().as_str_name(), "NAME_POLICY_"),
        "limits": organization.limits.map(|limits| json!({
            "value_bytes": limits.value_bytes,
            "secrets_per_scope": limits.secrets_per_scope,
            "bytes_per_scope": limits.bytes_per_scope,
            "versions_per_secret": limits.versions_per_secret,
        })),
        "allowed_reserved": organization.allowed_reserved,
        "admin_invitations": organization.admin_invitations.iter().map(admin_invitation).collect::<Vec<_>>(),
        "create_time": time(organization.create_time.as_ref()),
    })
}

pub(crate) fn project(project: &v1::Project) -> Value {
    json!({
        "name": project.name,
        "uid": project.uid,
        "project_id": project.project_id,
        "display_name": project.display_name,
        "create_time": time(project.create_time.as_ref()),
    })
}

pub(crate) fn workspace(workspace: &v1::Workspace) -> Value {
    json!({
        "name": workspace.name,
        "uid": workspace.uid,
        "workspace_id": workspace.workspace_id,
        "project": text(&workspace.project),
        "owner": text(&workspace.owner),
        "display_name": workspace.display_name,
        "create_time": time(workspace.create_time.as_ref()),
    })
}

pub(crate) fn user(user: &v1::User) -> Value {
    json!({
        "name": user.name,
        "uid": user.uid,
        "user_id": user.user_id,
        "display_name": user.display_name,
        "state": word(user.state().as_str_name(), "USER_STATE_"),
        "create_time": time(user.create_time.as_ref()),
    })
}

pub(crate) fn service_account(account: &v1::ServiceAccount) -> Value {
    json!({
        "name": account.name,
        "uid": account.uid,
        "service_account_id": account.service_account_id,
        "display_name": account.display_name,
        "create_time": time(account.create_time.as_ref()),
    })
}

pub(crate) fn audit_event(event: &v1::AuditEvent) -> Value {
    json!({
        "uid": event.uid,
        "event_time": time(event.event_time.as_ref()),
        "request_id": event.request_id,
        "caller_request_id": event.caller_request_id,
        "principal": text(&event.principal),
        "credential_uid": text(&event.credential_uid),
        "peer": event.peer,
        "action": event.action,
        "resource": event.resource,
        "source": text(&event.source),
        "outcome": word(event.outcome().as_str_name(), "AUDIT_OUTCOME_"),
        "reason": text(&event.reason),
        "delivered": event.delivered.iter().map(|delivered| json!({
            "secret": text(&delivered.secret),
            "uid": delivered.uid,
            "version": delivered.version,
        })).collect::<Vec<_>>(),
        "allowed_reserved": event.allowed_reserved,
        "disallowed_reserved": event.disallowed_reserved,
        "changed_fields": event.changed_fields,
        "purpose": word(event.purpose().as_str_name(), "CALL_PURPOSE_"),
    })
}

pub(crate) fn received_secret(secret: &v1::ReceivedSecret) -> Value {
    json!({
        "secret": text(&secret.secret),
        "uid": secret.uid,
        "version": secret.version,
        "first_time": time(secret.first_time.as_ref()),
        "last_time": time(secret.last_time.as_ref()),
        "count": secret.count,
        "actions": secret.actions,
        "copied_from": text(&secret.copied_from),
    })
}

/// `object` with one more member.
pub(crate) fn with(object: Value, member: &str, value: impl Into<Value>) -> Value {
    let mut map = match object {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    map.insert(member.to_owned(), value.into());
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn writes_enumerations_without_prefix_and_times_as_rfc_3339() {
        let secret = secret(&v1::Secret {
            scope: v1::ScopeKind::Workspace.into(),
            create_time: Some(Timestamp { seconds: 1_769_851_800, nanos: 0 }),
            ..Default::default()
        });
        assert_eq!(secret["scope"], "WORKSPACE");
        assert_eq!(secret["create_time"], "2026-01-31T09:30:00Z");
        assert_eq!(secret["redaction"], Value::Null);
    }

    #[test]
    fn writes_the_mode_of_a_file_as_chmod_takes_it() {
        let file = v1::FileTarget { path: "/k".into(), mode: 0o440 };
        let target = target(Some(&v1::Target { kind: Some(Kind::File(file)) }));
        assert_eq!(target, json!({ "kind": "FILE", "path": "/k", "mode": "0440" }));
    }

    #[test]
    fn adds_a_member() {
        assert_eq!(with(json!({ "a": 1 }), "token", "t"), json!({ "a": 1, "token": "t" }));
    }
}
