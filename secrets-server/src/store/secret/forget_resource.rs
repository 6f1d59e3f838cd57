//! What is deleted leaves all selections.

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrets_core::{Uid, Visibility};

use super::head::Head;
use super::{all, in_organization};
use crate::store::entity::secret;
use crate::store::entity::secret_visibility::{Column, Entity};
use crate::store::row_mac::store_mac;
use crate::store::{KeyedConnection, StoreError};

/// Removes a project or workspace that is deleted from all selections of the organization; returns from how many.
pub async fn forget_resource(db: &impl KeyedConnection, organization: Uid, resource: Uid) -> Result<u64, StoreError> {
    let selecting =
        Query::select().column(Column::SecretUid).from(Entity).and_where(Column::ResourceUid.eq(resource)).to_owned();
    let query = in_organization(organization).filter(secret::Column::Uid.in_subquery(selecting));
    let selecting = all(db, query).await?;
    let secrets = Query::select()
        .column(secret::Column::Uid)
        .from(secret::Entity)
        .and_where(secret::Column::OrganizationUid.eq(organization))
        .to_owned();
    let query =
        Entity::delete_many().filter(Column::ResourceUid.eq(resource)).filter(Column::SecretUid.in_subquery(secrets));
    let forgotten = query.exec(db).await?.rows_affected;
    for mut each in selecting {
        if let Visibility::Selected { projects, workspaces } = &mut each.secret.visibility {
            projects.remove(&resource);
            workspaces.remove(&resource);
        }
        store_mac(db, &Head::new(&each.secret)).await?;
    }
    Ok(forgotten)
}
