//! What organization secrets with a selected visibility reach.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::Query;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use secrets_core::{Uid, Visibility};

use super::Secret;
use crate::store::StoreError;
use crate::store::entity::secret;
use crate::store::entity::secret_visibility::{ActiveModel, Column, Entity};
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

/// An empty selection: it reaches nobody.
pub(super) fn nothing() -> Visibility {
    Visibility::Selected { projects: BTreeSet::new(), workspaces: BTreeSet::new() }
}

/// Removes a project or workspace that is deleted from all selections of the organization; returns from how many.
pub async fn forget_resource(db: &impl ConnectionTrait, organization: Uid, resource: Uid) -> Result<u64, StoreError> {
    let secrets = Query::select()
        .column(secret::Column::Uid)
        .from(secret::Entity)
        .and_where(secret::Column::OrganizationUid.eq(organization))
        .to_owned();
    let query =
        Entity::delete_many().filter(Column::ResourceUid.eq(resource)).filter(Column::SecretUid.in_subquery(secrets));
    Ok(query.exec(db).await?.rows_affected)
}

pub(super) async fn insert(db: &impl ConnectionTrait, secret: &Secret) -> Result<(), StoreError> {
    let Visibility::Selected { projects, workspaces } = &secret.visibility else { return Ok(()) };
    let selected = projects.iter().map(|uid| (*uid, PROJECT)).chain(workspaces.iter().map(|uid| (*uid, WORKSPACE)));
    let rows: Vec<_> = selected
        .map(|(uid, kind)| ActiveModel {
            secret_uid: Set(secret.uid),
            resource_uid: Set(uid),
            kind: Set(kind.to_owned()),
        })
        .collect();
    if !rows.is_empty() {
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

pub(super) async fn replace(db: &impl ConnectionTrait, secret: &Secret) -> Result<(), StoreError> {
    Entity::delete_many().filter(Column::SecretUid.eq(secret.uid)).exec(db).await?;
    insert(db, secret).await
}

/// The selections of those secrets that have one, by the secret's uid; an empty one may be left out. One query, or
/// none.
pub(super) async fn load(
    db: &impl ConnectionTrait,
    secrets: impl Iterator<Item = &secret::Model>,
) -> Result<HashMap<Uid, Visibility>, StoreError> {
    let selected: Vec<_> = secrets.filter(|secret| secret.visibility == SELECTED).map(|secret| secret.uid).collect();
    let mut selections = HashMap::new();
    if selected.is_empty() {
        return Ok(selections);
    }
    let rows = Entity::find().filter(Column::SecretUid.is_in(selected)).all(db).await.map_err(reading(TABLE))?;
    for row in rows {
        let Visibility::Selected { projects, workspaces } = selections.entry(row.secret_uid).or_insert_with(nothing)
        else {
            continue;
        };
        match row.kind.as_str() {
            PROJECT => projects.insert(row.resource_uid),
            WORKSPACE => workspaces.insert(row.resource_uid),
            _ => return Err(Row::new(TABLE, &row.secret_uid).corrupt("kind")),
        };
    }
    Ok(selections)
}
