//! From the names in a context to the rows they stand for, and back, in one query.

use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, IntoIden, JoinType, Query, SelectStatement, SimpleExpr};
use sea_orm::{EntityName, FromQueryResult, IdenStatic, Iterable, QueryResult};
use secrets_core::{Context, ContextName, OrganizationId};

use super::StoreError;
use super::connection::KeyedConnection;
use super::entity::{organization, project, user, workspace};
use super::organization::Organization;
use super::project::Project;
use super::row::reading;
use super::row_mac::intact;
use super::user::User;
use super::workspace::Workspace;

/// What of a context is there. Whether it belongs together, and what to say of what is missing, is the caller's matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub organization: Organization,
    /// The project that is named; if none is, the one that the workspace belongs to.
    pub project: Option<Project>,
    /// The workspace that is named.
    pub workspace: Option<Workspace>,
    /// The live user who is named.
    pub user: Option<User>,
}

/// Finds all that `context` names; `None` if there is no such live organization.
pub async fn locate(db: &impl KeyedConnection, context: &ContextName) -> Result<Option<Located>, StoreError> {
    let wanted = Wanted {
        organization: &context.organization,
        project: context.project.as_ref().map(|id| Expr::col(("p", project::Column::ProjectId)).eq(id.as_str())),
        workspace: context
            .workspace
            .as_ref()
            .map(|id| Expr::col(("w", workspace::Column::WorkspaceId)).eq(id.as_str())),
        user: context.user.as_ref().map(|id| Expr::col(("u", user::Column::UserId)).eq(id.as_str())),
    };
    find(db, wanted).await
}

/// The name of a context; `None` unless all of it still exists.
pub async fn name(
    db: &impl KeyedConnection,
    organization: &OrganizationId,
    context: &Context,
) -> Result<Option<ContextName>, StoreError> {
    let wanted = Wanted {
        organization,
        project: context.project.map(|uid| Expr::col(("p", project::Column::Uid)).eq(uid)),
        workspace: context.workspace.map(|uid| Expr::col(("w", workspace::Column::Uid)).eq(uid)),
        user: context.user.map(|uid| Expr::col(("u", user::Column::Uid)).eq(uid)),
    };
    let Some(found) = find(db, wanted).await? else { return Ok(None) };
    let name = ContextName {
        organization: found.organization.organization_id,
        // Not the one that the workspace belongs to.
        project: context.project.and(found.project).map(|row| row.project_id),
        workspace: found.workspace.map(|row| row.workspace_id),
        user: found.user.map(|row| row.user_id),
    };
    let is_whole = name.project.is_some() == context.project.is_some()
        && name.workspace.is_some() == context.workspace.is_some()
        && name.user.is_some() == context.user.is_some();
    Ok(is_whole.then_some(name))
}

/// Which rows are looked for, beside the organization: by identifier or by uid.
struct Wanted<'a> {
    organization: &'a OrganizationId,
    project: Option<SimpleExpr>,
    workspace: Option<SimpleExpr>,
    user: Option<SimpleExpr>,
}

async fn find(db: &impl KeyedConnection, wanted: Wanted<'_>) -> Result<Option<Located>, StoreError> {
    let is_named = wanted.project.is_some();
    let Some(row) = db.query_one(&query(wanted)).await? else { return Ok(None) };
    let organization = organization::Model::from_query_result(&row, "o_").map_err(reading("organizations"))?;
    let workspace = joined::<workspace::Model>(&row, "w_", "workspaces")?.and_then(|row| intact(db, row));
    let user = joined::<user::Model>(&row, "u_", "users")?.and_then(|row| intact(db, row));
    // A workspace that does not verify implies none.
    let project = joined::<project::Model>(&row, "p_", "projects")?.filter(|_| is_named || workspace.is_some());
    Ok(Some(Located {
        organization: super::organization::read(organization)?,
        project: project.map(super::project::read).transpose()?,
        workspace: workspace.map(super::workspace::read).transpose()?,
        user: user.map(super::user::read).transpose()?,
    }))
}

/// A row that is joined under this prefix, if there is one.
pub(super) fn joined<M: FromQueryResult>(
    row: &QueryResult,
    prefix: &str,
    table: &'static str,
) -> Result<Option<M>, StoreError> {
    // A row that was not joined has NULL even where the table has none; one that was not asked for has no columns.
    let uid = format!("{prefix}uid");
    if row.column_names().contains(&uid) {
        M::from_query_result_optional(row, prefix).map_err(reading(table))
    } else {
        Ok(None)
    }
}

fn query(wanted: Wanted<'_>) -> SelectStatement {
    let mut query = Query::select();
    query
        .from_as(organization::Entity.table_ref(), "o")
        .and_where(Expr::col(("o", organization::Column::OrganizationId)).eq(wanted.organization.as_str()))
        .and_where(Expr::col(("o", organization::Column::Live)).eq(1));
    columns::<organization::Column>(&mut query, "o");
    let implied = wanted
        .workspace
        .is_some()
        .then(|| Expr::col(("p", project::Column::Uid)).equals(("w", workspace::Column::ProjectUid)));
    if let Some(workspace) = wanted.workspace {
        query.join_as(JoinType::LeftJoin, workspace::Entity.table_ref(), "w", within("w").add(workspace));
        columns::<workspace::Column>(&mut query, "w");
    }
    if let Some(project) = wanted.project.or(implied) {
        query.join_as(JoinType::LeftJoin, project::Entity.table_ref(), "p", within("p").add(project));
        columns::<project::Column>(&mut query, "p");
    }
    if let Some(user) = wanted.user {
        let live = Expr::col(("u", user::Column::Live)).eq(1);
        query.join_as(JoinType::LeftJoin, user::Entity.table_ref(), "u", within("u").add(user).add(live));
        columns::<user::Column>(&mut query, "u");
    }
    query
}

/// Everything is looked for in the one organization.
fn within(table: &'static str) -> Condition {
    Condition::all().add(Expr::col((table, "organization_uid")).equals(("o", organization::Column::Uid)))
}

/// Selects all columns of a table, each under the prefix of its alias.
pub(super) fn columns<C: Iterable + IdenStatic + IntoIden>(query: &mut SelectStatement, table: &'static str) {
    for column in C::iter() {
        query.expr_as(Expr::col((table, column)), Alias::new(format!("{table}_{}", column.as_str())));
    }
}
