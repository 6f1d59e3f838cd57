//! Sessions get another creator: with that they end from then on, and no later.

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect};
use secrets_core::{Timestamp, Uid};

use super::origin::{Origin, is_session};
use super::{ActiveModel, Column, Credential, Entity, MAX_CREDENTIALS_PER_STATEMENT, TABLE, is_live, read};
use crate::store::row::reading;
use crate::store::{StoreError, organization_or_platform};

/// A token that a session gets as its creator, and when: a new period begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCreator {
    pub credential: Uid,
    pub time: Timestamp,
}

/// Sets when a session that is not revoked expires and, unless it keeps the one it has, its creator; false if there is no
/// such session.
pub async fn renew(
    db: &impl ConnectionTrait,
    organization: Uid,
    session: Uid,
    expire_time: Timestamp,
    creator: Option<NewCreator>,
) -> Result<bool, StoreError> {
    let query = Entity::update_many()
        .set(ActiveModel {
            expire_time: Set(Some(expire_time.as_micros())),
            creator_uid: creator.map_or(NotSet, |creator| Set(Some(creator.credential))),
            period_start_time: creator.map_or(NotSet, |creator| Set(Some(creator.time.as_micros()))),
            ..Default::default()
        })
        .filter(Column::OrganizationUid.eq(organization_or_platform(Some(organization))))
        .filter(Column::Uid.eq(session))
        .filter(Column::RevokeTime.is_null());
    let renewed = query.exec(db).await?.rows_affected == 1;
    if creator.is_some() {
        // What it was bound to before may end later.
        end_by(db, &[session], expire_time).await?;
    }
    Ok(renewed)
}

/// The live token of the same principal that was created with `token` and ends last, the newest of several; held until the
/// transaction ends, so that whoever revokes it meanwhile finds what it is handed.
pub async fn successor(
    db: &impl ConnectionTrait,
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
    let rows = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // None is never.
    Ok(rows.into_iter().max_by_key(|row| (row.expire_time.is_none(), row.expire_time, row.create_time)))
}

/// Gives the live sessions of the credential `from` to the credential `to`, with which they end from then on; returns how
/// many.
pub async fn hand_over_sessions(
    db: &impl ConnectionTrait,
    from: Uid,
    to: &Credential,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let query = Entity::update_many()
        .set(ActiveModel { creator_uid: Set(Some(to.uid)), ..Default::default() })
        .filter(Column::CreatorUid.eq(from))
        .filter(is_session())
        .filter(is_live(now));
    let moved = query.exec(db).await?.rows_affected;
    if let Some(end) = to.expire_time {
        end_by(db, &[to.uid], end).await?;
    }
    Ok(moved)
}

/// Ends the sessions of these creators, and those that were created with them, at `end` where they would end later.
async fn end_by(db: &impl ConnectionTrait, creators: &[Uid], end: Timestamp) -> Result<(), StoreError> {
    let mut generation = creators.to_vec();
    while !generation.is_empty() {
        let mut next = Vec::new();
        for creators in generation.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
            let later = Column::CreatorUid.is_in(creators.iter().copied()).and(is_session());
            let later = later.and(Column::RevokeTime.is_null()).and(Column::ExpireTime.gt(end.as_micros()));
            let query = Entity::find().select_only().column(Column::Uid).filter(later.clone());
            let found: Vec<Uid> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
            if !found.is_empty() {
                let query = Entity::update_many()
                    .set(ActiveModel { expire_time: Set(Some(end.as_micros())), ..Default::default() })
                    .filter(later);
                query.exec(db).await?;
            }
            // No session ends later than the one that created it: the others have none to look at.
            next.extend(found);
        }
        generation = next;
    }
    Ok(())
}
