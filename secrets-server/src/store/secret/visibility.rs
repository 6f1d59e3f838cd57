//! What organization secrets with a selected visibility reach.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use secrets_core::{Uid, Visibility};

use super::Secret;
use crate::store::StoreError;
use crate::store::entity::secret;
use crate::store::entity::secret_visibility::{ActiveModel, Column, Entity, Model};
use crate::store::row::{Row, reading};

const TABLE: &str = "secret_visibility";
const PROJECT: &str = "PROJECT";
const WORKSPACE: &str = "WORKSPACE";

/// `secrets.visibility` of [`Visibility::All`].
pub(super) const ALL: &str = "ALL";
/// `secrets.visibility` of [`Visibility::Selected`].
pub(super) const SELECTED: &str = "SELECTED";

/// As `secrets.visibility` has it.
pub(super) fn keyword(visibility: &Visibility) -> &'static str {
    match visibility {
        Visibility::All => ALL,
        Visibility::Selected { .. } => SELECTED,
    }
}

/// What is selected, as it is stored and in the order of the MAC.
pub(super) fn rows(projects: &BTreeSet<Uid>, workspaces: &BTreeSet<Uid>) -> impl Iterator<Item = (&'static str, Uid)> {
    let (projects, workspaces) = (projects.iter().copied(), workspaces.iter().copied());
    projects.map(|uid| (PROJECT, uid)).chain(workspaces.map(|uid| (WORKSPACE, uid)))
}

/// Databases limit how many parameters a statement has; a row takes 3.
const MAX_PER_STATEMENT: usize = 4_000;

pub(super) async fn insert<'a>(
    db: &impl ConnectionTrait,
    secrets: impl Iterator<Item = &'a Secret>,
) -> Result<(), StoreError> {
    let mut models = Vec::new();
    for secret in secrets {
        let Visibility::Selected { projects, workspaces } = &secret.visibility else { continue };
        models.extend(rows(projects, workspaces).map(|(kind, uid)| ActiveModel {
            secret_uid: Set(secret.uid),
            resource_uid: Set(uid),
            kind: Set(kind.to_owned()),
        }));
    }
    for some in models.chunks(MAX_PER_STATEMENT) {
        Entity::insert_many(some.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

pub(super) async fn replace(db: &impl ConnectionTrait, secret: &Secret) -> Result<(), StoreError> {
    Entity::delete_many().filter(Column::SecretUid.eq(secret.uid)).exec(db).await?;
    insert(db, [secret].into_iter()).await
}

/// The rows of the selections of those secrets that have one, by the secret's uid; an empty one is left out. One query, or
/// none.
pub(super) async fn load(
    db: &impl ConnectionTrait,
    secrets: impl Iterator<Item = &secret::Model>,
) -> Result<HashMap<Uid, Vec<Model>>, StoreError> {
    let selected: Vec<_> = secrets.filter(|secret| secret.visibility == SELECTED).map(|secret| secret.uid).collect();
    let mut selections = HashMap::<_, Vec<_>>::new();
    if selected.is_empty() {
        return Ok(selections);
    }
    let rows = Entity::find().filter(Column::SecretUid.is_in(selected)).all(db).await.map_err(reading(TABLE))?;
    for row in rows {
        selections.entry(row.secret_uid).or_default().push(row);
    }
    Ok(selections)
}

/// Takes as long as [`load`] for one secret, and finds nothing.
pub(super) async fn load_none(db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let query = Entity::find().filter(Column::SecretUid.is_in([Uid::nil()]));
    query.all(db).await.map_err(reading(TABLE)).map(drop)
}

/// What these rows select.
pub(super) fn selection(rows: Vec<Model>) -> Result<Visibility, StoreError> {
    let (mut projects, mut workspaces) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        match row.kind.as_str() {
            PROJECT => projects.insert(row.resource_uid),
            WORKSPACE => workspaces.insert(row.resource_uid),
            _ => return Err(Row::new(TABLE, &row.secret_uid).corrupt("kind")),
        };
    }
    Ok(Visibility::Selected { projects, workspaces })
}
