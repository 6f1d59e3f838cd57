//! The workspaces of an organization.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    Select,
};
use secrets_core::{Timestamp, Uid, WorkspaceId};

use super::StoreError;
use super::connection::KeyedConnection;
use super::entity::workspace::{ActiveModel, Column, Entity, Model};
use super::row::{Row, reading, time};
use super::row_mac::{self, intact, page, sealed};

const TABLE: &str = "workspaces";

/// Databases limit how many parameters a statement has.
const MAX_UIDS_PER_STATEMENT: usize = 16_000;

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub uid: Uid,
    pub organization: Uid,
    /// Its name in resource names.
    pub workspace_id: WorkspaceId,
    /// The project it belongs to, from its beginning to its end.
    pub project: Option<Uid>,
    /// The user who owns it; none once that user is gone for good.
    pub owner: Option<Uid>,
    /// Its name for people.
    pub display_name: String,
    pub create_time: Timestamp,
}

/// Adds a workspace.
pub async fn insert(db: &impl KeyedConnection, row: &Workspace) -> Result<(), StoreError> {
    let row = Model {
        uid: row.uid,
        organization_uid: row.organization,
        workspace_id: row.workspace_id.as_str().to_owned(),
        project_uid: row.project,
        owner_uid: row.owner,
        display_name: row.display_name.clone(),
        create_time: row.create_time.as_micros(),
        row_mac: None,
    };
    Ok(row_mac::insert::<Entity>(db, row).await?)
}

/// The workspace of this id.
pub async fn by_id(
    db: &impl KeyedConnection,
    organization: Uid,
    id: &WorkspaceId,
) -> Result<Option<Workspace>, StoreError> {
    let row = in_organization(organization)
        .filter(Column::WorkspaceId.eq(id.as_str()))
        .one(db)
        .await
        .map_err(reading(TABLE))?;
    row.and_then(|row| intact(db, row)).map(read).transpose()
}

/// The workspaces of these ids, in no particular order; the ones that are not there are left out.
pub async fn by_ids<'a>(
    db: &impl KeyedConnection,
    organization: Uid,
    ids: impl IntoIterator<Item = &'a WorkspaceId>,
) -> Result<Vec<Workspace>, StoreError> {
    all(db, in_organization(organization).filter(Column::WorkspaceId.is_in(ids.into_iter().map(WorkspaceId::as_str))))
        .await
}

/// The workspaces of these uids, in no particular order; the ones that are not there are left out. At least one query.
pub async fn by_uids(
    db: &impl KeyedConnection,
    organization: Uid,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<Workspace>, StoreError> {
    among(db, organization, None, uids).await
}

/// The same, and those that `owner` owns, each once.
pub async fn owned_by_or_among(
    db: &impl KeyedConnection,
    organization: Uid,
    owner: Uid,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<Workspace>, StoreError> {
    let mut found = among(db, organization, Some(owner), uids).await?;
    found.sort_unstable_by_key(|row| row.uid);
    found.dedup_by_key(|row| row.uid);
    Ok(found)
}

async fn among(
    db: &impl KeyedConnection,
    organization: Uid,
    mut owner: Option<Uid>,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<Workspace>, StoreError> {
    let uids: Vec<_> = uids.into_iter().collect();
    let (first, more) = uids.split_at(uids.len().min(MAX_UIDS_PER_STATEMENT));
    let mut found = Vec::new();
    for some in std::iter::once(first).chain(more.chunks(MAX_UIDS_PER_STATEMENT)) {
        let these = Condition::any()
            .add(Column::Uid.is_in(some.iter().copied()))
            .add_option(owner.take().map(|owner| Column::OwnerUid.eq(owner)));
        found.extend(all(db, in_organization(organization).filter(these)).await?);
    }
    Ok(found)
}

/// Up to `limit` workspaces in the order of their ids, those after `after`; of one project, if `project` is given.
pub async fn list(
    db: &impl KeyedConnection,
    organization: Uid,
    project: Option<Uid>,
    after: Option<&WorkspaceId>,
    limit: u64,
) -> Result<Vec<Workspace>, StoreError> {
    let mut query = within(organization, project).order_by_asc(Column::WorkspaceId);
    if let Some(after) = after {
        query = query.filter(Column::WorkspaceId.gt(after.as_str()));
    }
    page(db, query, limit).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// How many workspaces the organization, or the project of it, has.
pub async fn count(db: &impl ConnectionTrait, organization: Uid, project: Option<Uid>) -> Result<u64, StoreError> {
    Ok(within(organization, project).count(db).await?)
}

/// The workspaces that `owner` owns, in the order of their ids.
pub async fn owned_by(db: &impl KeyedConnection, organization: Uid, owner: Uid) -> Result<Vec<Workspace>, StoreError> {
    all(db, in_organization(organization).filter(Column::OwnerUid.eq(owner)).order_by_asc(Column::WorkspaceId)).await
}

/// Gives a workspace to another owner, or to none; false if it is not there.
pub async fn transfer(
    db: &impl KeyedConnection,
    organization: Uid,
    uid: Uid,
    owner: Option<Uid>,
) -> Result<bool, StoreError> {
    let row = in_organization(organization).filter(Column::Uid.eq(uid)).one(db).await.map_err(reading(TABLE))?;
    let Some(mut row) = row.and_then(|row| intact(db, row)) else { return Ok(false) };
    row.owner_uid = owner;
    let row_mac = Set(Some(row_mac::mac_of(db, &row)));
    let query = Entity::update_many()
        .set(ActiveModel { owner_uid: Set(owner), row_mac, ..Default::default() })
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::Uid.eq(uid));
    Ok(query.exec(db).await?.rows_affected == 1)
}

/// Removes a workspace; false if it was not there. Its secrets, bindings and what is visible to it
/// ([`super::secret::forget_resource`]) go in the same transaction.
pub async fn delete(db: &impl ConnectionTrait, organization: Uid, uid: Uid) -> Result<bool, StoreError> {
    let query = Entity::delete_many().filter(Column::OrganizationUid.eq(organization)).filter(Column::Uid.eq(uid));
    Ok(query.exec(db).await?.rows_affected == 1)
}

fn in_organization(organization: Uid) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization))
}

fn within(organization: Uid, project: Option<Uid>) -> Select<Entity> {
    match project {
        Some(project) => in_organization(organization).filter(Column::ProjectUid.eq(project)),
        None => in_organization(organization),
    }
}

async fn all(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Vec<Workspace>, StoreError> {
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    rows.into_iter().filter_map(|row| intact(db, row)).map(read).collect()
}

sealed!(Model, TABLE, [uid, organization_uid, workspace_id, project_uid, owner_uid, create_time]);

pub(super) fn read(model: Model) -> Result<Workspace, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    Ok(Workspace {
        uid: model.uid,
        organization: model.organization_uid,
        workspace_id: row.parse("workspace_id", &model.workspace_id)?,
        project: model.project_uid,
        owner: model.owner_uid,
        create_time: time(model.create_time),
        display_name: model.display_name,
    })
}
