//! Responses of `SecretService`. Of a value they have the mask alone.

use secrets_core::import::{Outcome, Reviewed};
use secrets_core::{Group, Labels, MASK, OverridePolicy, Redaction, SecretId, SecretName};
use secrets_proto::v1;

use super::target::{scope_kind, target};
use super::warning::warnings;
use super::{revision, time};
use crate::service::secret::copy::CopiedSecret;
use crate::service::secret::destroy::DestroyedVersion;
use crate::service::secret::etag::etag;
use crate::service::secret::import::Imported;
use crate::service::secret::list::ListedSecrets;
use crate::service::secret::patch::VisibilityNames;
use crate::service::secret::versions::ListedVersions;
use crate::service::secret::view::{ChangedSecret, SecretView};
use crate::store::version::SecretVersion;

pub fn created(changed: &ChangedSecret) -> v1::CreateSecretResponse {
    v1::CreateSecretResponse {
        secret: changed.secret.as_ref().map(secret),
        revision: revision(&changed.revision),
        warnings: warnings(&changed.warnings),
    }
}

pub fn got(shown: SecretView) -> v1::GetSecretResponse {
    v1::GetSecretResponse { secret: Some(secret(&shown)) }
}

pub fn listed(listed: ListedSecrets) -> v1::ListSecretsResponse {
    v1::ListSecretsResponse {
        secrets: listed.secrets.iter().map(secret).collect(),
        next_page_token: listed.next,
        total_size: size(listed.total),
    }
}

pub fn updated(changed: &ChangedSecret) -> v1::UpdateSecretResponse {
    v1::UpdateSecretResponse {
        secret: changed.secret.as_ref().map(secret),
        revision: revision(&changed.revision),
        warnings: warnings(&changed.warnings),
        value_unchanged: changed.value_unchanged,
    }
}

pub fn deleted(changed: &ChangedSecret) -> v1::DeleteSecretResponse {
    v1::DeleteSecretResponse { secret: changed.secret.as_ref().map(secret), revision: revision(&changed.revision) }
}

pub fn undeleted(changed: &ChangedSecret) -> v1::UndeleteSecretResponse {
    v1::UndeleteSecretResponse {
        secret: changed.secret.as_ref().map(secret),
        revision: revision(&changed.revision),
        warnings: warnings(&changed.warnings),
    }
}

pub fn listed_versions(listed: ListedVersions) -> v1::ListSecretVersionsResponse {
    v1::ListSecretVersionsResponse {
        versions: listed.versions.iter().map(|stored| version(stored, listed.current)).collect(),
        next_page_token: listed.next,
        total_size: size(listed.total),
    }
}

pub fn rolled_back(changed: &ChangedSecret) -> v1::RollbackSecretResponse {
    v1::RollbackSecretResponse {
        secret: changed.secret.as_ref().map(secret),
        revision: revision(&changed.revision),
        warnings: warnings(&changed.warnings),
        value_unchanged: changed.value_unchanged,
    }
}

pub fn copied(copied: &CopiedSecret) -> v1::CopySecretResponse {
    v1::CopySecretResponse {
        secret: copied.copy.secret.as_ref().map(secret),
        revision: revision(&copied.copy.revision),
        warnings: warnings(&copied.copy.warnings),
    }
}

pub fn moved(moved: &CopiedSecret) -> v1::MoveSecretResponse {
    v1::MoveSecretResponse {
        secret: moved.copy.secret.as_ref().map(secret),
        revision: revision(&moved.copy.revision),
        warnings: warnings(&moved.copy.warnings),
        source: moved.source.as_ref().map(secret),
    }
}

/// The current version is never destroyed.
pub fn destroyed(destroyed: &DestroyedVersion) -> v1::DestroySecretVersionResponse {
    v1::DestroySecretVersionResponse {
        version: Some(version(&destroyed.version, 0)),
        revision: revision(&destroyed.revision),
    }
}

pub fn imported(imported: &Imported) -> v1::ImportSecretsResponse {
    v1::ImportSecretsResponse {
        entries: imported.review.entries.iter().map(entry).collect(),
        applied: imported.applied,
        created: size(imported.review.count(Outcome::Created)),
        updated: size(imported.review.count(Outcome::Updated)),
        revision: revision(&imported.revision),
        warnings: warnings(&imported.warnings),
    }
}

pub fn secret(shown: &SecretView) -> v1::Secret {
    let stored = &shown.current.secret;
    v1::Secret {
        name: shown.name.to_string(),
        uid: stored.uid.to_string(),
        secret_id: stored.secret_id.to_string(),
        target: Some(target(&shown.current.version.target)),
        description: stored.description.to_string(),
        labels: labels(&stored.labels),
        group: stored.group.as_ref().map(Group::to_string).unwrap_or_default(),
        visibility: Some(visibility(&shown.visibility)),
        override_policy: override_policy(stored.override_policy).into(),
        disabled: stored.disabled,
        redaction: redaction(stored.redaction).into(),
        expire_time: stored.expire_time.map(time),
        current_version: stored.current_version,
        etag: etag(stored),
        create_time: Some(time(stored.create_time)),
        creator: stored.creator.clone(),
        update_time: Some(time(stored.update_time)),
        updater: stored.updater.clone(),
        delete_time: stored.delete_time.map(time),
        purge_time: stored.purge_time.map(time),
        masked_value: MASK.to_owned(),
        inherited: shown.inherited,
        read_only: shown.read_only,
        shadowed_by: shown.shadowed_by.as_ref().map(SecretName::to_string).unwrap_or_default(),
        scope: scope_kind(stored.scope.kind).into(),
    }
}

pub fn redaction(redaction: Redaction) -> v1::Redaction {
    match redaction {
        Redaction::Default => v1::Redaction::Default,
        Redaction::Off => v1::Redaction::Off,
    }
}

pub fn override_policy(policy: OverridePolicy) -> v1::OverridePolicy {
    match policy {
        OverridePolicy::Allowed => v1::OverridePolicy::Allowed,
        OverridePolicy::Locked => v1::OverridePolicy::Locked,
    }
}

fn visibility(names: &VisibilityNames) -> v1::Visibility {
    match names {
        VisibilityNames::All => v1::Visibility { mode: v1::VisibilityMode::All.into(), ..Default::default() },
        VisibilityNames::Selected { projects, workspaces } => v1::Visibility {
            mode: v1::VisibilityMode::Selected.into(),
            projects: projects.iter().map(ToString::to_string).collect(),
            workspaces: workspaces.iter().map(ToString::to_string).collect(),
        },
    }
}

fn labels(labels: &Labels) -> std::collections::BTreeMap<String, String> {
    labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn version(stored: &SecretVersion, current: u32) -> v1::SecretVersion {
    v1::SecretVersion {
        version: stored.version,
        target: Some(target(&stored.target)),
        current: stored.version == current,
        create_time: Some(time(stored.create_time)),
        creator: stored.creator.clone(),
        destroy_time: stored.destroy_time.map(time),
        // A number of another secret's version says nothing here.
        source_version: stored.source_version.filter(|_| stored.source_secret.is_none()).unwrap_or_default(),
        masked_value: MASK.to_owned(),
    }
}

fn entry(reviewed: &Reviewed) -> v1::ImportedEntry {
    let outcome = match reviewed.outcome {
        Outcome::Created => v1::ImportOutcome::Created,
        Outcome::Updated => v1::ImportOutcome::Updated,
        Outcome::SkippedExists => v1::ImportOutcome::SkippedExists,
        Outcome::SkippedEmpty => v1::ImportOutcome::SkippedEmpty,
        Outcome::OverriddenLater => v1::ImportOutcome::OverriddenLater,
        Outcome::Rejected => v1::ImportOutcome::Rejected,
        Outcome::Unchanged => v1::ImportOutcome::Unchanged,
        Outcome::SkippedNotSelected => v1::ImportOutcome::SkippedNotSelected,
    };
    v1::ImportedEntry {
        line: size(reviewed.line),
        secret_id: reviewed.key.clone().unwrap_or_default(),
        outcome: outcome.into(),
        reason: reviewed.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
        renamed_secret_id: reviewed.renamed().map(SecretId::to_string).unwrap_or_default(),
        suggested_secret_id: reviewed.suggestion.as_ref().map(SecretId::to_string).unwrap_or_default(),
    }
}

fn size(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
