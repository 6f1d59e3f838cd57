//! The versions of secrets: sealed values, each with the target that is authenticated with it.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{FileMode, FilePath, Target, TargetKind, Timestamp, Uid};

use super::entity::secret;
use super::entity::secret_version::{ActiveModel, Column, Entity, Model};
use super::row::{Row, optional_time, reading, time};
use super::{StoreError, WriteTransaction};

const TABLE: &str = "secret_versions";
/// Databases limit how many parameters a statement has, and a long one keeps others waiting.
const MAX_SECRETS_PER_STATEMENT: usize = 100;

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    pub secret: Uid,
    /// Counts from 1 in each secret.
    pub version: u32,
    /// Where its value lands.
    pub target: Target,
    /// The sealed value; empty once it is destroyed.
    pub blob: Vec<u8>,
    /// The version of the data key under which it is sealed.
    pub data_key_version: u32,
    /// How long the value is, in bytes.
    pub value_bytes: u32,
    pub create_time: Timestamp,
    /// Who made it, as a resource name or uid.
    pub creator: String,
    pub destroy_time: Option<Timestamp>,
    /// The version that it has its value from: of a rollback, of a change of the target alone, or of a copy.
    pub source_version: Option<u32>,
    /// Of a copy: the other secret whose version that is.
    pub source_secret: Option<Uid>,
}

/// That a version has its value from another one; each is a secret and the number of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSource {
    pub version: (Uid, u32),
    pub source: (Uid, u32),
}

/// Adds version rows, each with its organization, at most as many as a statement has parameters for; [`super::secret`] keeps the
/// secrets' rows in step.
pub(super) async fn insert_many<'a>(
    db: &impl ConnectionTrait,
    versions: impl Iterator<Item = (Uid, &'a SecretVersion)>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = versions.map(|(organization, version)| write(organization, version)).collect();
    Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

fn write(organization: Uid, version: &SecretVersion) -> ActiveModel {
    ActiveModel {
        secret_uid: Set(version.secret),
        version: Set(version.version.into()),
        organization_uid: Set(organization),
        blob: Set(version.blob.clone()),
        data_key_version: Set(version.data_key_version.into()),
        value_bytes: Set(version.value_bytes.into()),
        create_time: Set(version.create_time.as_micros()),
        creator: Set(version.creator.clone()),
        destroy_time: Set(version.destroy_time.map(Timestamp::as_micros)),
        source_version: Set(version.source_version.map(i64::from)),
        source_secret_uid: Set(version.source_secret),
        ..write_target(&version.target)
    }
}

/// All versions of a secret, the newest first, destroyed ones included.
pub async fn list(db: &impl ConnectionTrait, organization: Uid, secret: Uid) -> Result<Vec<SecretVersion>, StoreError> {
    let query = of_secret(organization, secret).order_by_desc(Column::Version);
    query.all(db).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// One version of a secret.
pub async fn by_number(
    db: &impl ConnectionTrait,
    organization: Uid,
    secret: Uid,
    version: u32,
) -> Result<Option<SecretVersion>, StoreError> {
    let query = of_secret(organization, secret).filter(Column::Version.eq(i64::from(version)));
    query.one(db).await.map_err(reading(TABLE))?.map(read).transpose()
}

/// Which versions of these secrets have their values from others, and which others have theirs from these secrets: one step. Up to
/// `limit` of them, one that is both twice.
pub async fn value_sources(
    db: &impl ConnectionTrait,
    organization: Uid,
    secrets: &[Uid],
    limit: usize,
) -> Result<Vec<ValueSource>, StoreError> {
    let mut sources = Vec::new();
    for some in secrets.chunks(MAX_SECRETS_PER_STATEMENT) {
        let columns = [
            Column::OrganizationUid,
            Column::SecretUid,
            Column::Version,
            Column::SourceSecretUid,
            Column::SourceVersion,
        ];
        let query = Entity::find().select_only().columns(columns).filter(Column::SourceVersion.is_not_null());
        for column in [Column::SecretUid, Column::SourceSecretUid] {
            let left = limit.saturating_sub(sources.len()) as u64;
            let query = query.clone().filter(column.is_in(some.iter().copied())).limit(left);
            let rows: Vec<(Uid, Uid, i64, Option<Uid>, i64)> =
                query.into_tuple().all(db).await.map_err(reading(TABLE))?;
            // Asked for the organization too, SQLite would read all versions that it has.
            for (_, secret, version, source, source_version) in
                rows.into_iter().filter(|(within, ..)| *within == organization)
            {
                let row = Row::new(TABLE, &secret);
                sources.push(ValueSource {
                    version: (secret, row.number("version", version)?),
                    source: (source.unwrap_or(secret), row.number("source_version", source_version)?),
                });
            }
        }
    }
    Ok(sources)
}

/// How many versions a secret has, destroyed ones included.
pub async fn count(db: &impl ConnectionTrait, organization: Uid, secret: Uid) -> Result<u64, StoreError> {
    Ok(of_secret(organization, secret).count(db).await?)
}

/// Wipes the value of a version; false if it is not there or was destroyed before. That it is not the current one is
/// for the caller to check, under the organization's lock.
pub async fn destroy(
    db: &WriteTransaction,
    organization: Uid,
    secret: Uid,
    version: u32,
    time: Timestamp,
) -> Result<bool, StoreError> {
    let set = ActiveModel { blob: Set(Vec::new()), destroy_time: Set(Some(time.as_micros())), ..Default::default() };
    let query = Entity::update_many()
        .set(set)
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::SecretUid.eq(secret))
        .filter(Column::Version.eq(i64::from(version)))
        .filter(Column::DestroyTime.is_null());
    let rows = query.exec(db).await?.rows_affected;
    db.destroyed(rows);
    Ok(rows == 1)
}

/// Removes a version altogether, to make room for a new one; false if it was not there.
pub async fn remove(db: &WriteTransaction, organization: Uid, secret: Uid, version: u32) -> Result<bool, StoreError> {
    let query = Entity::delete_many()
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::SecretUid.eq(secret))
        .filter(Column::Version.eq(i64::from(version)));
    let rows = query.exec(db).await?.rows_affected;
    db.outdated(rows);
    Ok(rows == 1)
}

/// Removes the oldest versions of each of these secrets, all but its `keep` newest; returns how many.
pub async fn remove_oldest(
    db: &WriteTransaction,
    organization: Uid,
    secrets: &[Uid],
    keep: u64,
) -> Result<u64, StoreError> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let mut removed = 0;
    for some in secrets.chunks(MAX_SECRETS_PER_STATEMENT) {
        // From the secrets to the oldest of each by its key: how many versions there are does not matter.
        let newest = Expr::col((secret::Entity, secret::Column::CurrentVersion));
        let oldest = Query::select()
            .columns([(Entity, Column::SecretUid), (Entity, Column::Version)])
            .from(secret::Entity)
            .inner_join(
                Entity,
                Expr::col((Entity, Column::SecretUid))
                    .equals((secret::Entity, secret::Column::Uid))
                    .and(Expr::col((Entity, Column::Version)).lte(newest.sub(keep))),
            )
            .and_where(Expr::col((secret::Entity, secret::Column::Uid)).is_in(some.iter().copied()))
            .and_where(Expr::col((secret::Entity, secret::Column::OrganizationUid)).eq(organization))
            .to_owned();
        let key = Expr::tuple([Expr::col(Column::SecretUid), Expr::col(Column::Version)]);
        removed += Entity::delete_many().filter(key.in_subquery(oldest)).exec(db).await?.rows_affected;
    }
    db.outdated(removed);
    Ok(removed)
}

fn of_secret(organization: Uid, secret: Uid) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization)).filter(Column::SecretUid.eq(secret))
}

fn write_target(target: &Target) -> ActiveModel {
    let mut row = ActiveModel {
        target_kind: Set(target.kind().as_str().to_owned()),
        target_path: Set(None),
        target_mode: Set(None),
        target_host: Set(None),
        target_username: Set(None),
        ..Default::default()
    };
    match target {
        Target::EnvironmentVariable | Target::ApiOnly => {}
        Target::File { path, mode } => {
            row.target_path = Set(Some(path.as_str().to_owned()));
            row.target_mode = Set(Some(mode.bits().cast_signed()));
        }
        Target::Registry { host, username } => {
            row.target_host = Set(Some(host.as_str().to_owned()));
            row.target_username = Set(Some(username.as_str().to_owned()));
        }
    }
    row
}

fn read_target(row: &Row<'_>, model: &Model) -> Result<Target, StoreError> {
    let text = |column: &'static str, text: &Option<String>| text.clone().ok_or_else(|| row.corrupt(column));
    Ok(match row.parse("target_kind", &model.target_kind)? {
        TargetKind::EnvironmentVariable => Target::EnvironmentVariable,
        TargetKind::ApiOnly => Target::ApiOnly,
        TargetKind::File => Target::File {
            path: FilePath::parse_stored(&text("target_path", &model.target_path)?)
                .map_err(|_| row.corrupt("target_path"))?,
            mode: model
                .target_mode
                .and_then(|bits| FileMode::new(bits.cast_unsigned()).ok())
                .ok_or_else(|| row.corrupt("target_mode"))?,
        },
        TargetKind::Registry => Target::Registry {
            host: row.parse("target_host", &text("target_host", &model.target_host)?)?,
            username: row.parse("target_username", &text("target_username", &model.target_username)?)?,
        },
    })
}

pub(super) fn read(model: Model) -> Result<SecretVersion, StoreError> {
    let key = format!("{}/{}", model.secret_uid, model.version);
    let row = Row::new(TABLE, &key);
    Ok(SecretVersion {
        secret: model.secret_uid,
        version: row.number("version", model.version)?,
        target: read_target(&row, &model)?,
        data_key_version: row.number("data_key_version", model.data_key_version)?,
        value_bytes: row.number("value_bytes", model.value_bytes)?,
        create_time: time(model.create_time),
        destroy_time: optional_time(model.destroy_time),
        source_version: model.source_version.map(|version| row.number("source_version", version)).transpose()?,
        source_secret: model.source_secret_uid,
        creator: model.creator,
        blob: model.blob,
    })
}
