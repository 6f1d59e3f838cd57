//! What has a claim on what a secret claims: its name, its place, its group.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder};
use secrets_core::{Destination, Group, Scope, SecretId, Uid, Visibility};

use super::{SecretWithVersion, all, live, visibility};
use crate::store::entity::secret::Column;
use crate::store::{KeyedConnection, StoreError};

/// For how many secrets one statement looks. Few have a rival, so that what comes back is short.
const MAX_PER_STATEMENT: usize = 256;

/// The live secrets of the scopes that have this name, this place or this group, ordered by name.
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
    all(db, live(organization, scopes).filter(claims).order_by_asc(Column::SecretId).order_by_asc(Column::Uid)).await
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

/// The live secrets of the scopes that claim what one of `secrets` does, in as many queries for each few hundred of those,
/// whether or not one has a selection.
pub async fn claiming_any(
    db: &impl KeyedConnection,
    organization: Uid,
    scopes: &[Scope],
    secrets: &[&SecretWithVersion],
) -> Result<Rivals, StoreError> {
    let mut rivals = Rivals::default();
    if scopes.is_empty() {
        return Ok(rivals);
    }
    for some in secrets.chunks(MAX_PER_STATEMENT) {
        let claims = Condition::any()
            .add(Column::SecretId.is_in(some.iter().map(|each| each.secret.secret_id.as_str())))
            .add(Column::PlaceKey.is_in(some.iter().filter_map(|each| place_of(each)).map(|place| place.key())))
            .add(
                Column::SecretGroup.is_in(some.iter().filter_map(|each| each.secret.group.as_ref()).map(Group::as_str)),
            );
        let found = all(db, live(organization, scopes).filter(claims)).await?;
        evenly(db, &found).await?;
        rivals.extend(found);
    }
    Ok(rivals)
}

/// Secrets, by what they claim.
#[derive(Default)]
pub struct Rivals {
    all: BTreeMap<Uid, SecretWithVersion>,
    by_name: BTreeMap<SecretId, Vec<Uid>>,
    by_place: BTreeMap<String, Vec<Uid>>,
    by_group: BTreeMap<Group, Vec<Uid>>,
}

impl Rivals {
    /// Those that claim what this one does, each once.
    pub fn of(&self, secret: &SecretWithVersion) -> Vec<&SecretWithVersion> {
        let place = place_of(secret).map(|place| place.key());
        let claims = [
            self.by_name.get(&secret.secret.secret_id),
            place.and_then(|place| self.by_place.get(&place)),
            secret.secret.group.as_ref().and_then(|group| self.by_group.get(group)),
        ];
        let mut uids: Vec<_> = claims.into_iter().flatten().flatten().collect();
        uids.sort_unstable();
        uids.dedup();
        uids.into_iter().filter_map(|uid| self.all.get(uid)).collect()
    }
}

impl Extend<SecretWithVersion> for Rivals {
    fn extend<T: IntoIterator<Item = SecretWithVersion>>(&mut self, found: T) {
        for rival in found {
            let uid = rival.secret.uid;
            // The query of another piece may have found it.
            if self.all.contains_key(&uid) {
                continue;
            }
            self.by_name.entry(rival.secret.secret_id.clone()).or_default().push(uid);
            if let Some(place) = place_of(&rival) {
                self.by_place.entry(place.key()).or_default().push(uid);
            }
            if let Some(group) = &rival.secret.group {
                self.by_group.entry(group.clone()).or_default().push(uid);
            }
            self.all.insert(uid, rival);
        }
    }
}

fn place_of(secret: &SecretWithVersion) -> Option<Destination> {
    secret.version.target.destination(&secret.secret.secret_id)
}
