//! Between rows and structs.

use sea_orm::ActiveValue::Set;
use secrets_core::{NamePolicy, Scope, SecretId, Timestamp, Visibility};

use super::head::Head;
use super::{Secret, SecretWithVersion, TABLE, labels, visibility};
use crate::store::entity::secret::{ActiveModel, Model};
use crate::store::entity::secret_version;
use crate::store::row::{Row, optional_time, time};
use crate::store::row_mac::intact;
use crate::store::version::{self, SecretVersion};
use crate::store::{KeyedConnection, StoreError};

/// The columns that change without a new version.
pub(super) fn metadata(secret: &Secret) -> Result<ActiveModel, StoreError> {
    Ok(ActiveModel {
        description: Set(secret.description.as_str().to_owned()),
        labels: Set(labels::write(&secret.labels)),
        secret_group: Set(secret.group.as_ref().map(|group| group.as_str().to_owned())),
        visibility: Set(visibility::keyword(&secret.visibility).to_owned()),
        override_policy: Set(secret.override_policy.as_str().to_owned()),
        disabled: Set(secret.disabled),
        redaction: Set(secret.redaction.as_str().to_owned()),
        expire_time: Set(secret.expire_time.map(Timestamp::as_micros)),
        revision: Set(revision(secret, secret.revision)?),
        update_time: Set(secret.update_time.as_micros()),
        updater: Set(secret.updater.clone()),
        ..Default::default()
    })
}

/// And those that a version which comes to serve brings along.
pub(super) fn serving(secret: &Secret, version: &SecretVersion, metadata: ActiveModel) -> ActiveModel {
    ActiveModel {
        current_version: Set(version.version.into()),
        place_key: Set(version.target.destination(&secret.secret_id).map(|place| place.key())),
        ..metadata
    }
}

pub(super) fn revision(secret: &Secret, revision: u64) -> Result<i64, StoreError> {
    revision.try_into().map_err(|_| Row::new(TABLE, &secret.uid).corrupt("revision"))
}

/// Those of the rows that are as they were written.
pub(super) async fn current(
    db: &impl KeyedConnection,
    rows: Vec<(Model, Option<secret_version::Model>)>,
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let mut selections = visibility::load(db, rows.iter().map(|(secret, _)| secret)).await?;
    let mut secrets = Vec::with_capacity(rows.len());
    for (secret, version) in rows {
        let selection = selections.remove(&secret.uid).unwrap_or_default();
        // What was deleted with its scope has no MAC and never comes back.
        let is_gone = secret.row_mac.is_none() && secret.delete_time.is_some();
        if is_gone || intact(db, Head::stored(&secret, &selection)).is_none() {
            continue;
        }
        let row = Row::new(TABLE, &secret.uid);
        let version = version.ok_or_else(|| row.corrupt("current_version"))?;
        let visibility = match secret.visibility.as_str() {
            visibility::ALL => Visibility::All,
            visibility::SELECTED => visibility::selection(selection)?,
            _ => return Err(row.corrupt("visibility")),
        };
        secrets.push(SecretWithVersion { version: version::read(version)?, secret: stored(secret, visibility)? });
    }
    Ok(secrets)
}

fn stored(model: Model, visibility: Visibility) -> Result<Secret, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    let group = model.secret_group.as_deref().map(|group| row.parse("secret_group", group)).transpose()?;
    // Its organization may have been stricter since, and a name never changes.
    let secret_id = SecretId::parse(&model.secret_id, NamePolicy::Relaxed).map_err(|_| row.corrupt("secret_id"))?;
    Ok(Secret {
        uid: model.uid,
        organization: model.organization_uid,
        scope: Scope::new(row.parse("scope_kind", &model.scope_kind)?, model.scope_uid),
        secret_id,
        description: row.parse("description", &model.description)?,
        labels: labels::read(&model.labels).ok_or_else(|| row.corrupt("labels"))?,
        group,
        visibility,
        override_policy: row.parse("override_policy", &model.override_policy)?,
        disabled: model.disabled,
        redaction: row.parse("redaction", &model.redaction)?,
        expire_time: optional_time(model.expire_time),
        current_version: row.number("current_version", model.current_version)?,
        revision: row.number("revision", model.revision)?,
        create_time: time(model.create_time),
        creator: model.creator,
        update_time: time(model.update_time),
        updater: model.updater,
        delete_time: optional_time(model.delete_time),
        purge_time: optional_time(model.purge_time),
    })
}
