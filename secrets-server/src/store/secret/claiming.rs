//! What has a claim on what a secret claims: its name, its place, its group.

use std::collections::{BTreeMap, HashMap};

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use secrets_core::resolution::Candidate;
use secrets_core::{Destination, Group, Scope, SecretId, Uid, Visibility};

use super::{SecretWithVersion, TABLE, live, read, visibility};
use crate::store::entity::secret::{Column, Entity};
use crate::store::entity::secret_version;
use crate::store::row::reading;
use crate::store::{KeyedConnection, StoreError};

/// For how many secrets one statement looks. Few have a rival, so that what comes back is short.
pub const MAX_CLAIMING_PER_STATEMENT: usize = 512;
/// In how many scopes: databases limit how many parameters a statement has.
const MAX_SCOPES_PER_STATEMENT: usize = 16_000;
/// How many rivals are kept at once; with a row of about a kilobyte, some megabytes.
const MAX_RIVALS: usize = 20_000;

/// The live secrets of the scopes that have this name, this place or this group, ordered by name. Without their values.
pub async fn claiming(
    db: &impl KeyedConnection,
    organization: Uid,
    scopes: &[Scope],
    secret_id: &SecretId,
    place: Option<&Destination>,
    group: Option<&Group>,
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let claims = Condition::any()
        .add(Column::SecretId.eq(secret_id.as_str()))
        .add_option(place.map(|place| Column::PlaceKey.eq(place.key())))
        .add_option(group.map(|group| Column::SecretGroup.eq(group.as_str())));
    let query = live(organization, scopes).filter(claims);
    without_values(db, query.order_by_asc(Column::SecretId).order_by_asc(Column::Uid)).await
}

/// The same with as many statements where none of them has a selection: whoever may not know of one that is hidden can't tell.
pub async fn claiming_evenly(
    db: &impl KeyedConnection,
    organization: Uid,
    scopes: &[Scope],
    secret_id: &SecretId,
    place: Option<&Destination>,
    group: Option<&Group>,
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let found = claiming(db, organization, scopes, secret_id, place, group).await?;
    evenly(db, &found).await?;
    Ok(found)
}

/// Reads no selection where `found` has none.
async fn evenly(db: &impl KeyedConnection, found: &[SecretWithVersion]) -> Result<(), StoreError> {
    if !found.iter().any(|found| matches!(found.secret.visibility, Visibility::Selected { .. })) {
        visibility::load_none(db).await?;
    }
    Ok(())
}

/// The live secrets of the scopes that claim what one of up to [`MAX_CLAIMING_PER_STATEMENT`] secrets does, in as many queries
/// whether or not one has a selection. None if there are more than fit in memory.
pub async fn claiming_any(
    db: &impl KeyedConnection,
    organization: Uid,
    scopes: &[Scope],
    secrets: &[Candidate],
) -> Result<Option<Rivals>, StoreError> {
    let places = || secrets.iter().filter_map(|each| each.target.destination(&each.secret_id));
    let claims = Condition::any()
        .add(Column::SecretId.is_in(secrets.iter().map(|each| each.secret_id.as_str())))
        .add(Column::PlaceKey.is_in(places().map(|place| place.key())))
        .add(Column::SecretGroup.is_in(secrets.iter().filter_map(|each| each.group.as_ref()).map(Group::as_str)));
    let mut rivals = Rivals::default();
    for some in scopes.chunks(MAX_SCOPES_PER_STATEMENT) {
        let room = MAX_RIVALS.saturating_sub(rivals.count);
        // One more than there is room for tells that there are too many.
        let query = live(organization, some).filter(claims.clone()).limit(room.saturating_add(1) as u64);
        let found = without_values(db, query).await?;
        evenly(db, &found).await?;
        if found.len() > room {
            return Ok(None);
        }
        rivals.extend(found.iter().map(SecretWithVersion::candidate));
    }
    Ok(Some(rivals))
}

/// As they are stored, but for their sealed values: these are large, and a claim needs none.
async fn without_values(
    db: &impl KeyedConnection,
    query: Select<Entity>,
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let mut query = query.find_also_related(secret_version::Entity);
    QueryTrait::query(&mut query).exprs_mut_for_each(|column| {
        if column.alias.as_ref().is_some_and(|alias| alias.to_string() == BLOB) {
            column.expr = Expr::val(Vec::<u8>::new());
        }
    });
    read::current(db, query.all(db).await.map_err(reading(TABLE))?).await
}

/// As a query of two tables names the column of the second one.
const BLOB: &str = "B_blob";

/// What may be delivered in the place of a secret, by its scope and by what it claims.
#[derive(Default)]
pub struct Rivals {
    count: usize,
    of_scope: BTreeMap<Scope, OfScope>,
}

#[derive(Default)]
struct OfScope {
    all: Vec<Candidate>,
    claiming: HashMap<Claim, Vec<usize>>,
}

#[derive(PartialEq, Eq, Hash)]
enum Claim {
    Name(SecretId),
    Place(Destination),
    Group(Group),
}

impl Rivals {
    /// Those of these scopes that claim what this one does, each once.
    pub fn of(&self, secret: &Candidate, scopes: impl IntoIterator<Item = Scope>) -> Vec<&Candidate> {
        let claims: Vec<_> = claims(secret).collect();
        let mut found = Vec::new();
        for of_scope in scopes.into_iter().filter_map(|scope| self.of_scope.get(&scope)) {
            let mut indexes: Vec<_> =
                claims.iter().filter_map(|claim| of_scope.claiming.get(claim)).flatten().copied().collect();
            indexes.sort_unstable();
            indexes.dedup();
            found.extend(indexes.into_iter().filter_map(|index| of_scope.all.get(index)));
        }
        found
    }
}

impl Extend<Candidate> for Rivals {
    fn extend<T: IntoIterator<Item = Candidate>>(&mut self, found: T) {
        for rival in found {
            let OfScope { all, claiming } = self.of_scope.entry(rival.scope).or_default();
            for claim in claims(&rival) {
                claiming.entry(claim).or_default().push(all.len());
            }
            all.push(rival);
            self.count += 1;
        }
    }
}

fn claims(secret: &Candidate) -> impl Iterator<Item = Claim> {
    let name = Claim::Name(secret.secret_id.clone());
    let place = secret.target.destination(&secret.secret_id).map(Claim::Place);
    let group = secret.group.clone().map(Claim::Group);
    std::iter::once(name).chain(place).chain(group)
}
