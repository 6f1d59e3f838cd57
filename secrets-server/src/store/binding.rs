//! Who has which role on what. Bindings on the platform reach into every organization; workspace ownership is in the
//! workspace's row instead.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, Select};
use secrets_core::Binding;
use secrets_core::principal::PrincipalRef;
use secrets_core::role::{Role, RoleResource, RoleResourceKind};
use secrets_core::{Timestamp, Uid};

use super::connection::KeyedConnection;
use super::entity::binding::{Column, Entity, Model};
use super::row::{Row, reading, time};
use super::row_mac::{self, intact, page, sealed};
use super::{PLATFORM, StoreError, organization_or_platform, unless_platform};

const TABLE: &str = "bindings";
/// Databases limit how many parameters a statement has.
const MAX_RESOURCES_PER_STATEMENT: usize = 500;

/// A binding with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRecord {
    pub uid: Uid,
    /// Who has which role where.
    pub binding: Binding,
    pub create_time: Timestamp,
    /// Who made it, as a resource name or uid.
    pub creator: String,
}

/// Adds a binding; [`super::UniqueIndex::Binding`] if the principal has the role there already.
pub async fn insert(db: &impl KeyedConnection, row: &BindingRecord) -> Result<(), StoreError> {
    let Binding { principal, role, resource: on } = row.binding;
    let row = Model {
        uid: row.uid,
        organization_uid: organization_or_platform(on.organization()),
        resource_kind: on.kind().as_str().to_owned(),
        resource_uid: on.uid(),
        principal_kind: principal.kind.as_str().to_owned(),
        principal_uid: principal.uid,
        role: role.as_str().to_owned(),
        create_time: row.create_time.as_micros(),
        creator: row.creator.clone(),
        row_mac: None,
    };
    Ok(row_mac::insert::<Entity>(db, row).await?)
}

/// The binding of this uid, of the organization or of the platform.
pub async fn by_uid(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    uid: Uid,
) -> Result<Option<BindingRecord>, StoreError> {
    one(db, in_organization(organization).filter(Column::Uid.eq(uid))).await
}

/// The row of exactly this binding.
pub async fn find(db: &impl KeyedConnection, binding: &Binding) -> Result<Option<BindingRecord>, StoreError> {
    let query = on(binding.resource)
        .filter(Column::PrincipalUid.eq(binding.principal.uid))
        .filter(Column::Role.eq(binding.role.as_str()));
    one(db, query).await
}

/// All bindings of these principals in the organization and on the platform: what a decision needs.
pub async fn of_principals(
    db: &impl KeyedConnection,
    organization: Uid,
    principals: &[PrincipalRef],
) -> Result<Vec<Binding>, StoreError> {
    // By uid alone, which an index answers; that the kind is the same is checked here.
    let query = Entity::find()
        .filter(Column::OrganizationUid.is_in([organization, PLATFORM]))
        .filter(Column::PrincipalUid.is_in(principals.iter().map(|principal| principal.uid)))
        .order_by_asc(Column::Uid);
    let rows = all(db, query).await?;
    Ok(rows.into_iter().map(|row| row.binding).filter(|binding| principals.contains(&binding.principal)).collect())
}

/// All bindings of one principal, wherever they are: for a service account of the platform.
pub async fn of_principal_everywhere(
    db: &impl KeyedConnection,
    principal: PrincipalRef,
) -> Result<Vec<Binding>, StoreError> {
    let query = Entity::find().filter(is(principal)).order_by_asc(Column::Uid);
    Ok(all(db, query).await?.into_iter().map(|row| row.binding).collect())
}

/// The same with what is known of them.
pub async fn rows_of_principal(
    db: &impl KeyedConnection,
    principal: PrincipalRef,
) -> Result<Vec<BindingRecord>, StoreError> {
    all(db, Entity::find().filter(is(principal)).order_by_asc(Column::Uid)).await
}

/// Up to `limit` bindings on one resource in the order of their uids, those after `after`.
pub async fn list(
    db: &impl KeyedConnection,
    resource: RoleResource,
    after: Option<Uid>,
    limit: u64,
) -> Result<Vec<BindingRecord>, StoreError> {
    let mut query = on(resource).order_by_asc(Column::Uid);
    if let Some(after) = after {
        query = query.filter(Column::Uid.gt(after));
    }
    page(db, query, limit).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// Up to `limit` bindings of one role on these resources of an organization, in the order of their uids.
pub async fn of_role_on(
    db: &impl KeyedConnection,
    organization: Uid,
    role: Role,
    resources: &[Uid],
    limit: usize,
) -> Result<Vec<BindingRecord>, StoreError> {
    let mut found = Vec::new();
    for resources in resources.chunks(MAX_RESOURCES_PER_STATEMENT) {
        let kinds = [RoleResourceKind::Organization, RoleResourceKind::Project, RoleResourceKind::Workspace];
        let query = in_organization(Some(organization))
            .filter(Column::ResourceKind.is_in(kinds.map(RoleResourceKind::as_str)))
            .filter(Column::ResourceUid.is_in(resources.iter().copied()))
            .filter(Column::Role.eq(role.as_str()))
            .order_by_asc(Column::Uid);
        let missing = limit.saturating_sub(found.len()) as u64;
        let rows = page(db, query, missing).await.map_err(reading(TABLE))?;
        for row in rows {
            found.push(read(row)?);
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// How many bindings there are on one resource.
pub async fn count(db: &impl ConnectionTrait, resource: RoleResource) -> Result<u64, StoreError> {
    Ok(on(resource).count(db).await?)
}

/// How many admins the organization has. Ask under its [`super::revision::lock`] before one is removed.
pub async fn count_admins(db: &impl ConnectionTrait, organization: Uid) -> Result<u64, StoreError> {
    Ok(on(RoleResource::Organization(organization)).filter(Column::Role.eq(Role::Admin.as_str())).count(db).await?)
}

/// All who are admin of the organization. Ask under its [`super::revision::lock`] before one is removed.
pub async fn admins(db: &impl KeyedConnection, organization: Uid) -> Result<Vec<PrincipalRef>, StoreError> {
    let query = on(RoleResource::Organization(organization)).filter(Column::Role.eq(Role::Admin.as_str()));
    Ok(all(db, query).await?.into_iter().map(|row| row.binding.principal).collect())
}

/// Removes a binding; false if it was not there.
pub async fn delete(db: &impl ConnectionTrait, organization: Option<Uid>, uid: Uid) -> Result<bool, StoreError> {
    Ok(delete_where(db, organization, Column::Uid.eq(uid)).await? == 1)
}

/// Removes all bindings of a principal in the organization, or on the platform; returns how many.
pub async fn delete_of_principal(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    principal: PrincipalRef,
) -> Result<u64, StoreError> {
    delete_where(db, organization, is(principal)).await
}

/// Removes all bindings of a principal wherever they are: for a service account of the platform that ends.
pub async fn delete_of_principal_everywhere(
    db: &impl ConnectionTrait,
    principal: PrincipalRef,
) -> Result<u64, StoreError> {
    Ok(Entity::delete_many().filter(is(principal)).exec(db).await?.rows_affected)
}

/// Removes all bindings on a project or workspace of the organization; returns how many.
pub async fn delete_on(db: &impl ConnectionTrait, organization: Uid, resource: Uid) -> Result<u64, StoreError> {
    delete_where(db, Some(organization), Column::ResourceUid.eq(resource)).await
}

fn in_organization(organization: Option<Uid>) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization_or_platform(organization)))
}

fn on(resource: RoleResource) -> Select<Entity> {
    in_organization(resource.organization())
        .filter(Column::ResourceKind.eq(resource.kind().as_str()))
        .filter(Column::ResourceUid.eq(resource.uid()))
}

fn is(principal: PrincipalRef) -> SimpleExpr {
    Column::PrincipalKind.eq(principal.kind.as_str()).and(Column::PrincipalUid.eq(principal.uid))
}

async fn delete_where(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    condition: SimpleExpr,
) -> Result<u64, StoreError> {
    let organization = organization_or_platform(organization);
    let query = Entity::delete_many().filter(Column::OrganizationUid.eq(organization)).filter(condition);
    Ok(query.exec(db).await?.rows_affected)
}

async fn all(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Vec<BindingRecord>, StoreError> {
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    rows.into_iter().filter_map(|row| intact(db, row)).map(read).collect()
}

async fn one(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Option<BindingRecord>, StoreError> {
    let row = query.one(db).await.map_err(reading(TABLE))?;
    row.and_then(|row| intact(db, row)).map(read).transpose()
}

sealed!(
    Model,
    TABLE,
    [uid, organization_uid, resource_kind, resource_uid, principal_kind, principal_uid, role, create_time, creator]
);

pub(super) fn read(model: Model) -> Result<BindingRecord, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    let kind = row.parse("principal_kind", &model.principal_kind)?;
    let organization = unless_platform(model.organization_uid);
    let on = match (row.parse("resource_kind", &model.resource_kind)?, organization) {
        (RoleResourceKind::Platform, None) => RoleResource::Platform,
        (RoleResourceKind::Organization, Some(organization)) => RoleResource::Organization(organization),
        (RoleResourceKind::Project, Some(organization)) => {
            RoleResource::Project { organization, project: model.resource_uid }
        }
        (RoleResourceKind::Workspace, Some(organization)) => {
            RoleResource::Workspace { organization, workspace: model.resource_uid }
        }
        _ => return Err(row.corrupt("organization_uid")),
    };
    Ok(BindingRecord {
        uid: model.uid,
        binding: Binding {
            principal: PrincipalRef { kind, uid: model.principal_uid },
            role: row.parse("role", &model.role)?,
            resource: on,
        },
        create_time: time(model.create_time),
        creator: model.creator,
    })
}
