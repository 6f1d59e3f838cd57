//! Changes to a secret's fields, as `set` and `edit` send them.

use prost_types::FieldMask;
use secrets_client::v1;
use zeroize::Zeroizing;

use crate::args::time::TimeArg;

/// A secret, and which of its fields are to be changed.
#[derive(Clone)]
pub(crate) struct SecretPatch {
    secret: v1::Secret,
    changed: Vec<Field>,
}

/// A field of a secret that a flag changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Value,
    Target,
    Description,
    Labels,
    Group,
    Visibility,
    OverridePolicy,
    Disabled,
    Redaction,
    ExpireTime,
}

impl SecretPatch {
    /// No changes yet to `secret`: as it is stored, or empty for one that may be new.
    pub(crate) fn new(secret: v1::Secret) -> Self {
        Self { secret, changed: Vec::new() }
    }

    pub(crate) fn secret(&self) -> &v1::Secret {
        &self.secret
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// What is changed, in words for a person: `description, locked`.
    pub(crate) fn words(&self) -> String {
        self.changed.iter().map(|field| field.word_in(&self.secret)).collect::<Vec<_>>().join(", ")
    }

    /// The same without the target: what is changed where the value and target that were given are those that are stored.
    pub(crate) fn words_of_metadata(&self) -> String {
        let metadata = self.changed.iter().filter(|field| **field != Field::Target);
        metadata.map(|field| field.word()).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn target(&mut self, target: Option<v1::Target>) {
        self.change(Field::Target, target, |secret, target| secret.target = Some(target));
    }

    pub(crate) fn description(&mut self, description: Option<String>) {
        self.change(Field::Description, description, |secret, description| secret.description = description);
    }

    /// Takes away the labels in `remove`, and then sets those in `add`.
    pub(crate) fn labels(&mut self, add: &[(String, String)], remove: &[String]) {
        let changes = (!add.is_empty() || !remove.is_empty()).then_some(());
        self.change(Field::Labels, changes, |secret, ()| {
            secret.labels.retain(|key, _| !remove.contains(key));
            secret.labels.extend(add.iter().cloned());
        });
    }

    /// An empty group is none.
    pub(crate) fn group(&mut self, group: Option<String>) {
        self.change(Field::Group, group, |secret, group| secret.group = group);
    }

    pub(crate) fn visibility(&mut self, visibility: Option<v1::Visibility>) {
        self.change(Field::Visibility, visibility, |secret, visibility| secret.visibility = Some(visibility));
    }

    pub(crate) fn locked(&mut self, locked: Option<bool>) {
        self.change(Field::OverridePolicy, locked, |secret, locked| {
            let policy = if locked { v1::OverridePolicy::Locked } else { v1::OverridePolicy::Allowed };
            secret.override_policy = policy.into();
        });
    }

    pub(crate) fn disabled(&mut self, disabled: Option<bool>) {
        self.change(Field::Disabled, disabled, |secret, disabled| secret.disabled = disabled);
    }

    pub(crate) fn redacted(&mut self, redacted: Option<bool>) {
        self.change(Field::Redaction, redacted, |secret, redacted| {
            let redaction = if redacted { v1::Redaction::Default } else { v1::Redaction::Off };
            secret.redaction = redaction.into();
        });
    }

    /// `Some(None)` is never.
    pub(crate) fn expires(&mut self, expires: Option<Option<TimeArg>>) {
        self.change(Field::ExpireTime, expires, |secret, expires| secret.expire_time = expires.map(TimeArg::ahead));
    }

    /// The request that makes these changes, and gives the secret this value, if there is one.
    pub(crate) fn request(mut self, value: Option<&Zeroizing<Vec<u8>>>) -> v1::UpdateSecretRequest {
        let value = value.map(|value| secrets_client::secret_value(value));
        if value.is_some() {
            self.changed.push(Field::Value);
        }
        let paths = self.changed.iter().map(|field| field.path().to_owned()).collect();
        v1::UpdateSecretRequest {
            secret: Some(self.secret),
            update_mask: Some(FieldMask { paths }),
            value,
            ..Default::default()
        }
    }

    fn change<T>(&mut self, field: Field, new: Option<T>, apply: impl FnOnce(&mut v1::Secret, T)) {
        if let Some(new) = new {
            apply(&mut self.secret, new);
            self.changed.push(field);
        }
    }
}

/// Only the contexts of these projects and workspaces.
pub(crate) fn selected(
    projects: impl IntoIterator<Item = impl ToString>,
    workspaces: impl IntoIterator<Item = impl ToString>,
) -> v1::Visibility {
    v1::Visibility {
        mode: v1::VisibilityMode::Selected.into(),
        projects: projects.into_iter().map(|id| id.to_string()).collect(),
        workspaces: workspaces.into_iter().map(|id| id.to_string()).collect(),
    }
}

impl Field {
    /// As a field mask names it.
    const fn path(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Target => "target",
            Self::Description => "description",
            Self::Labels => "labels",
            Self::Group => "group",
            Self::Visibility => "visibility",
            Self::OverridePolicy => "override_policy",
            Self::Disabled => "disabled",
            Self::Redaction => "redaction",
            Self::ExpireTime => "expire_time",
        }
    }

    /// As a person knows it from the flags.
    const fn word(self) -> &'static str {
        match self {
            Self::OverridePolicy => "lock",
            Self::Disabled => "delivery",
            Self::ExpireTime => "expiry",
            other => other.path(),
        }
    }

    /// The same, with what it is in `secret` where there are but two ways.
    fn word_in(self, secret: &v1::Secret) -> &'static str {
        match self {
            Self::OverridePolicy if secret.override_policy() == v1::OverridePolicy::Locked => "locked",
            Self::OverridePolicy => "unlocked",
            Self::Disabled if secret.disabled => "disabled",
            Self::Disabled => "enabled",
            Self::Redaction if secret.redaction() == v1::Redaction::Off => "not masked",
            Self::Redaction => "masked",
            Self::ExpireTime if secret.expire_time.is_none() => "never expires",
            other => other.word(),
        }
    }
}
