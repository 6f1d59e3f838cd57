//! Sessions get another creator: with that they end from then on, and no later.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockType, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect};
use secrets_core::{Timestamp, Uid};

use super::origin::{Origin, is_session};
use super::{ActiveModel, Column, Credential, Entity, MAX_CREDENTIALS_PER_STATEMENT, Model, TABLE, is_live, read};
use crate::store::row::reading;
use crate::store::row_mac::{intact, mac_of};
use crate::store::{KeyedConnection, StoreError};

/// A token that a session gets as its creator, and when: a new period begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCreator {
    pub credential: Uid,
    pub time: Timestamp,
}

/// Sets when a session that is not revoked expires and, unless it keeps the one it has, its creator; false if there is no
/// such session.
pub async fn renew(
    db: &impl KeyedConnection,
    organization: Uid,
    session: Uid,
    expire_time: Timestamp,
    creator: Option<NewCreator>,
) -> Result<bool, StoreError> {
    let named = Column::OrganizationUid.eq(organization).and(Column::Uid.eq(session));
    let mut renewed = false;
    for mut row in held(db, named.and(Column::RevokeTime.is_null())).await? {
        row.expire_time = Some(expire_time.as_micros());
        if let Some(creator) = creator {
            row.creator_uid = Some(creator.credential);
            row.period_start_time = Some(creator.time.as_micros());
        }
        store(db, row).await?;
        renewed = true;
    }
    if creator.is_some() {
        // What it was bound to before may end later.
        end_by(db, &[session], expire_time).await?;
    }
    Ok(renewed)
}

/// The live token of the same principal that was created with `token` and ends last, the newest of several; held until the
/// transaction ends, so that whoever revokes it meanwhile finds what it is handed.
pub async fn successor(
    db: &impl KeyedConnection,
    token: &Credential,
    now: Timestamp,
) -> Result<Option<Credential>, StoreError> {
    let query = Entity::find()
        .filter(Column::CreatorUid.eq(token.uid))
        .filter(Column::Origin.is_in([Origin::SignIn, Origin::Own].map(Origin::as_str)))
        .filter(Column::PrincipalKind.eq(token.principal.kind.as_str()))
        .filter(Column::PrincipalUid.eq(token.principal.uid))
        .filter(is_live(now))
        .lock(LockType::Share);
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    let rows = rows.into_iter().filter_map(|row| intact(db, row)).map(read).collect::<Result<Vec<_>, _>>()?;
    // None is never.
    Ok(rows.into_iter().max_by_key(|row| (row.expire_time.is_none(), row.expire_time, row.create_time)))
}

/// Gives the live sessions of the credential `from` to the credential `to`, with which they end from then on; returns how
/// many.
pub async fn hand_over_sessions(
    db: &impl KeyedConnection,
    from: Uid,
    to: &Credential,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut moved = 0;
    for mut row in held(db, Column::CreatorUid.eq(from).and(is_session()).and(is_live(now))).await? {
        row.creator_uid = Some(to.uid);
        store(db, row).await?;
        moved += 1;
    }
    if let Some(end) = to.expire_time {
        end_by(db, &[to.uid], end).await?;
    }
    Ok(moved)
}

/// Ends the sessions of these creators, and those that were created with them, at `end` where they would end later.
async fn end_by(db: &impl KeyedConnection, creators: &[Uid], end: Timestamp) -> Result<(), StoreError> {
    let mut generation = creators.to_vec();
    while !generation.is_empty() {
        let mut next = Vec::new();
        for creators in generation.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
            let later = Column::CreatorUid.is_in(creators.iter().copied()).and(is_session());
            let later = later.and(Column::RevokeTime.is_null()).and(Column::ExpireTime.gt(end.as_micros()));
            let mut found = Vec::new();
            for mut row in held(db, later).await? {
                row.expire_time = Some(end.as_micros());
                found.push(row.uid);
                store(db, row).await?;
            }
            // No session ends later than the one that created it: the others have none to look at.
            next.extend(found);
        }
        generation = next;
    }
    Ok(())
}

/// The credentials that meet the condition, held until the transaction ends: another one, under another lock, may be at them.
pub(super) async fn held(db: &impl KeyedConnection, condition: SimpleExpr) -> Result<Vec<Model>, StoreError> {
    let rows = Entity::find().filter(condition).lock(LockType::Update).all(db).await.map_err(reading(TABLE))?;
    Ok(rows.into_iter().filter_map(|row| intact(db, row)).collect())
}

/// Stores when a credential ends, with whom, and when its period began.
pub(super) async fn store(db: &impl KeyedConnection, row: Model) -> Result<(), StoreError> {
    let row_mac = Set(Some(mac_of(db, &row)));
    let set = ActiveModel {
        expire_time: Set(row.expire_time),
        creator_uid: Set(row.creator_uid),
        period_start_time: Set(row.period_start_time),
        row_mac,
        ..Default::default()
    };
    Entity::update_many().set(set).filter(Column::Uid.eq(row.uid)).exec(db).await?;
    Ok(())
}
