//! The projects of an organization.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{ProjectId, Timestamp, Uid};

use super::StoreError;
use super::entity::project::{ActiveModel, Column, Entity, Model};
use super::row::{Row, reading, time};

const TABLE: &str = "projects";

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub uid: Uid,
    pub organization: Uid,
    /// Its name in resource names.
    pub project_id: ProjectId,
    /// Its name for people.
    pub display_name: String,
    pub create_time: Timestamp,
}

/// Adds a project.
pub async fn insert(db: &impl ConnectionTrait, row: &Project) -> Result<(), StoreError> {
    let row = ActiveModel {
        uid: Set(row.uid),
        organization_uid: Set(row.organization),
        project_id: Set(row.project_id.as_str().to_owned()),
        display_name: Set(row.display_name.clone()),
        create_time: Set(row.create_time.as_micros()),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The project of this id.
pub async fn by_id(
    db: &impl ConnectionTrait,
    organization: Uid,
    id: &ProjectId,
) -> Result<Option<Project>, StoreError> {
    let row = in_organization(organization)
        .filter(Column::ProjectId.eq(id.as_str()))
        .one(db)
        .await
        .map_err(reading(TABLE))?;
    row.map(read).transpose()
}

/// The projects of these ids, in no particular order; the ones that are not there are left out.
pub async fn by_ids<'a>(
    db: &impl ConnectionTrait,
    organization: Uid,
    ids: impl IntoIterator<Item = &'a ProjectId>,
) -> Result<Vec<Project>, StoreError> {
    all(db, in_organization(organization).filter(Column::ProjectId.is_in(ids.into_iter().map(ProjectId::as_str)))).await
}

/// The projects of these uids, in no particular order; the ones that are not there are left out.
pub async fn by_uids(
    db: &impl ConnectionTrait,
    organization: Uid,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<Project>, StoreError> {
    all(db, in_organization(organization).filter(Column::Uid.is_in(uids))).await
}

/// Up to `limit` projects in the order of their ids, those after `after`.
pub async fn list(
    db: &impl ConnectionTrait,
    organization: Uid,
    after: Option<&ProjectId>,
    limit: u64,
) -> Result<Vec<Project>, StoreError> {
    let mut query = in_organization(organization).order_by_asc(Column::ProjectId).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::ProjectId.gt(after.as_str()));
    }
    all(db, query).await
}

/// How many projects the organization has.
pub async fn count(db: &impl ConnectionTrait, organization: Uid) -> Result<u64, StoreError> {
    Ok(in_organization(organization).count(db).await?)
}

/// Removes a project; false if it was not there. It must have no workspaces ([`StoreError::ReferenceViolation`]), and
/// its secrets, bindings and what is visible to it ([`super::secret::forget_resource`]) go in the same transaction.
pub async fn delete(db: &impl ConnectionTrait, organization: Uid, uid: Uid) -> Result<bool, StoreError> {
    let query = Entity::delete_many().filter(Column::OrganizationUid.eq(organization)).filter(Column::Uid.eq(uid));
    Ok(query.exec(db).await?.rows_affected == 1)
}

fn in_organization(organization: Uid) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization))
}

async fn all(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Vec<Project>, StoreError> {
    query.all(db).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

pub(super) fn read(model: Model) -> Result<Project, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    Ok(Project {
        uid: model.uid,
        organization: model.organization_uid,
        project_id: row.parse("project_id", &model.project_id)?,
        create_time: time(model.create_time),
        display_name: model.display_name,
    })
}
