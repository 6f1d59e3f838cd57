//! The API's fields and calls in the words of the command line: a person typed flags and names, and reads of those.
//!
//! A field that several commands send under different flags is named as a word that fits all of them.

use secrets_core::{BindingName, RoleResourceName, ScopeName, SecretName, ServiceAccountName, SessionName, TokenName};

/// What a field of the API is on the command line.
const FIELDS: &[(&str, &str)] = &[
    ("secret_id", "secret name"),
    ("secret_ids", "secret name"),
    ("required_secret_ids", "secret name"),
    ("only_secret_ids", "--only"),
    ("value", "value"),
    ("version", "version"),
    ("uid", "--uid"),
    ("secret.target", "target"),
    ("secret.target.file.path", "--file"),
    ("secret.target.file.mode", "--mode"),
    ("secret.target.registry.host", "--registry"),
    ("secret.target.registry.username", "--username"),
    ("secret.description", "--description"),
    ("secret.labels", "--label"),
    ("secret.group", "--group"),
    ("secret.visibility", "--for-project and --for-workspace"),
    ("secret.visibility.mode", "--for-project and --for-workspace"),
    ("secret.visibility.projects", "--for-project"),
    ("secret.visibility.workspaces", "--for-workspace"),
    ("secret.override_policy", "--lock"),
    ("secret.redaction", "--no-redact"),
    ("secret.expire_time", "--expires"),
    ("filter", "--filter"),
    ("order_by", "--order-by"),
    ("dotenv", "file"),
    ("json", "file"),
    ("source", "file"),
    ("context", "context"),
    ("context.organization", "--organization"),
    ("context.project", "--project"),
    ("context.workspace", "--workspace"),
    ("context.user", "--user"),
    ("restrictions", "--only, --kind and --from"),
    ("restrictions.secret_ids", "--only"),
    ("restrictions.kinds", "--kind"),
    ("restrictions.scopes", "--from"),
    ("external_id", "--external-id"),
    ("ttl", "--ttl"),
    ("invitation_ttl", "--ttl"),
    ("code", "invitation code"),
    ("organization_id", "organization"),
    ("admin_user_id", "--admin"),
    ("organization.display_name", "--display-name"),
    ("organization.name_policy", "--name-policy"),
    ("organization.limits", "limits"),
    ("organization.allowed_reserved", "reserved name"),
    ("organization.limits.value_bytes", "--value-bytes"),
    ("organization.limits.secrets_per_scope", "--secrets-per-scope"),
    ("organization.limits.bytes_per_scope", "--bytes-per-scope"),
    ("organization.limits.versions_per_secret", "--versions-per-secret"),
    ("value_bytes", "--value-bytes"),
    ("secrets_per_scope", "--secrets-per-scope"),
    ("bytes_per_scope", "--bytes-per-scope"),
    ("versions_per_secret", "--versions-per-secret"),
    ("project.display_name", "--display-name"),
    ("user.display_name", "--display-name"),
    ("workspace.display_name", "--display-name"),
    ("service_account.display_name", "--display-name"),
    ("display_name", "--name"),
    ("workspace.project", "--project"),
    ("workspace.owner", "--owner"),
    ("new_owner", "--to"),
    ("binding.principal", "principal"),
    ("binding.role", "--role"),
    ("principal", "principal"),
    ("secret", "--secret"),
    ("action", "--action"),
    ("outcome", "--denied"),
    ("scope", "--project or --workspace"),
    ("start_time", "--since"),
    ("end_time", "--until"),
    ("destroy_secrets", "--destroy-secrets"),
    ("without_user", "--without-user"),
    ("name", "name"),
    ("parent", "scope"),
];

/// What calls, kinds and states of the API are on the command line.
const WORDS: &[(&str, &str)] = &[
    ("CreateSecret", "`secrets set`"),
    ("UpdateSecret", "`secrets set`"),
    ("ListSecretVersions", "`secrets history`"),
    ("UndeleteSecret", "`secrets undelete`"),
    ("TransferWorkspace", "`secrets workspace transfer`"),
    ("LOCKED", "locked"),
    ("SELECTED", "limited to projects or workspaces"),
    ("ADMIN", "admin"),
    ("MEMBER", "member"),
    ("AUDITOR", "auditor"),
    ("RESOLVER", "resolver"),
    ("DELEGATE", "delegate"),
    ("PROVISIONER", "provisioner"),
];

/// Rules of fields that a flag sets to one value only: what the API says of its other values would mean nothing to whoever
/// typed that flag.
const RULES: &[(&str, &str)] = &[
    // It is a method of ours, which an older service does not have.
    ("action", "the service has no such action; `secrets audit list` shows what it has"),
    ("secret.override_policy", "only secrets of the organization (--org) or of a project (--project) can be locked"),
    ("secret.visibility.mode", "only secrets of the organization can be limited to projects or workspaces"),
];

/// A violation as a person reads it: `--mode: …`, or `--mode must be …`.
pub(super) fn violation(field: &str, description: &str) -> String {
    let subject = find(FIELDS, field).unwrap_or(field);
    let rule = match find(RULES, field) {
        Some(rule) => rule.to_owned(),
        // These two are written in the API's own words.
        None if ["filter", "order_by"].contains(&field) => description.to_owned(),
        None => sentence(description),
    };
    match field {
        // A sentence about what is in the scope.
        "parent" if rule.starts_with('`') => rule,
        _ => about(subject, &rule),
    }
}

/// A rule of `subject`: `--mode: …`, or `--mode must be …`.
pub(crate) fn about(subject: &str, rule: &str) -> String {
    // The rule names its subject itself: `value of an environment variable must …`.
    if rule.strip_prefix(subject).is_some_and(|rest| rest.starts_with(' ')) {
        return rule.to_owned();
    }
    let nouns = ["names ", "path ", "registry ", ""];
    match nouns.iter().find_map(|noun| rule.strip_prefix(noun).filter(|rest| rest.starts_with("must "))) {
        Some(rule) => format!("{subject} {rule}"),
        None => format!("{subject}: {rule}"),
    }
}

/// A sentence of the service with its fields, calls and resource paths in a person's words.
pub(super) fn sentence(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    // Every other part stood between backticks.
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 0 {
            said.push_str(&plain(part));
        } else {
            said.push_str(&quoted(part));
        }
    }
    said
}

/// What stood between backticks: a field as its flag, a resource by its name.
fn quoted(part: &str) -> String {
    if let Ok(SecretName { scope, secret_id }) = part.parse::<SecretName>() {
        let place = match &scope {
            ScopeName::Organization(_) => "in the organization".to_owned(),
            ScopeName::User(_, user) => format!("of user {user}"),
            other => format!("in {} {}", other.kind(), other.id()),
        };
        return format!("`{secret_id}` {place}");
    }
    if let Some(flag) = find(FIELDS, part).filter(|_| part.contains('_') || part.contains('.')) {
        return format!("`{flag}`");
    }
    format!("`{}`", identifier(part).unwrap_or_else(|| part.to_owned()))
}

/// The identifier of a resource, given its resource path; none for another text. Tokens and bindings of the platform
/// keep their whole path.
fn identifier(path: &str) -> Option<String> {
    if let Ok(name) = path.parse::<ScopeName>() {
        return Some(name.id().to_owned());
    }
    if let Ok(name) = path.parse::<ServiceAccountName>() {
        return Some(name.id.to_string());
    }
    if let Ok(SessionName { uid, .. }) = path.parse() {
        return Some(uid.to_string());
    }
    if let Ok(TokenName { organization: Some(_), uid }) = path.parse() {
        return Some(uid.to_string());
    }
    if let Ok(BindingName { resource: RoleResourceName::Scope(_), uid }) = path.parse() {
        return Some(uid.to_string());
    }
    None
}

/// What stood outside of backticks: names of calls and states are words of their own.
fn plain(part: &str) -> String {
    let mut said = part.to_owned();
    for (word, ours) in WORDS {
        if said.split(|c: char| !c.is_ascii_alphanumeric()).any(|found| found == *word) {
            said = said.replace(word, ours);
        }
    }
    said
}

fn find(table: &'static [(&str, &str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| *name == key).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fields_by_their_flags() {
        assert_eq!(violation("secret.expire_time", "must be in the future"), "--expires must be in the future");
        assert_eq!(
            violation("end_time", "expected a time after `start_time`"),
            "--until: expected a time after `--since`"
        );
        assert_eq!(violation("new_in_the_api", "must be short"), "new_in_the_api must be short");
        assert_eq!(violation("secret_id", "names must be upper case"), "secret name must be upper case");
        let rule = "value of an environment variable must be UTF-8";
        assert_eq!(violation("value", rule), rule);
        assert_eq!(violation("value", "values must be short"), "value: values must be short");
        assert_eq!(violation("order_by", "expected `secret_id`"), "--order-by: expected `secret_id`");
        assert!(
            violation("action", "must be the full name of a method").starts_with("--action: the service has no such")
        );
        assert!(violation("secret.override_policy", "ALLOWED or LOCKED").ends_with("can be locked"));
    }

    #[test]
    fn names_calls_and_resources_as_a_person_does() {
        for (text, expected) in [
            ("there is no secret `organizations/acme/projects/api/secrets/A`", "there is no secret `A` in project api"),
            ("there is no secret `organizations/acme/users/bob/secrets/A`", "there is no secret `A` of user bob"),
            ("there is no project `organizations/acme/projects/web`", "there is no project `web`"),
            ("there is no service account `serviceAccounts/ci`", "there is no service account `ci`"),
            (
                "there is no token `organizations/acme/tokens/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11`",
                "there is no token `7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11`",
            ),
            ("expected `organizations/{organization}`", "expected `organizations/{organization}`"),
            ("`A` exists; UpdateSecret gives it a new value", "`A` exists; `secrets set` gives it a new value"),
            ("give the user the role MEMBER first", "give the user the role member first"),
            ("`value` and `A_B` are not fields", "`value` and `A_B` are not fields"),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
