//! Tokens, sessions and invitations. What is stored of one is a MAC of its text; the text is shown once and kept nowhere.

mod admin_invitation;
mod code;
mod hand_over;
mod live_sessions;
mod origin;
mod revoke;
mod sessions_of;
mod sign_in;

use sea_orm::sea_query::{Condition, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    Select,
};
use secrets_core::principal::PrincipalRef;
use secrets_core::{CredentialKind, Role, Timestamp, Uid};

pub use admin_invitation::{
    anybody_can_sign_in, redeemed_admin_invitations, revoke_admin_invitations, unredeemed_admin_invitations,
};
pub use code::{recovery_codes, redeem, revoke_all_but, revoke_all_but_recovery_codes, revoke_recovery_codes};
pub use hand_over::{NewCreator, hand_over_sessions, renew, successor};
pub use live_sessions::{count_live_line, count_live_sessions};
pub use origin::Origin;
pub use revoke::{
    Revoked, purge_ended, revoke, revoke_all, revoke_alone, revoke_of_organization, revoke_of_principal,
    revoke_sessions_for_user, revoke_sessions_in, revoke_sessions_of,
};
pub use sessions_of::sessions_of;
pub use sign_in::{SIGN_IN_TTL, extend_used};

use super::connection::KeyedConnection;
use super::entity::credential::{ActiveModel, Column, Entity, Model};
use super::row::{Row, optional_time, reading, time};
use super::row_mac::{self, intact, page, sealed};
use super::{PLATFORM, StoreError, organization_or_platform, unless_platform};

const TABLE: &str = "credentials";
/// Databases limit how many parameters a statement has.
const MAX_CREDENTIALS_PER_STATEMENT: usize = 500;

/// A credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub uid: Uid,
    pub kind: CredentialKind,
    /// The organization it is for; a session's is that of its context. None for the operator and for tokens of the
    /// platform's service accounts.
    pub organization: Option<Uid>,
    /// Whose it is; for a session, the account that created it, or the first one of its line.
    pub principal: PrincipalRef,
    /// The MAC of its text.
    pub mac: [u8; 32],
    /// The version of the pepper under which `mac` was made.
    pub pepper_version: u32,
    /// Its name for people.
    pub display_name: String,
    pub create_time: Timestamp,
    /// The first time at which it no longer serves.
    pub expire_time: Option<Timestamp>,
    /// When it was revoked, or redeemed if it is a code.
    pub revoke_time: Option<Timestamp>,
    /// When it was last used, roughly.
    pub last_used_time: Option<Timestamp>,
    /// How it was created.
    pub origin: Origin,
    /// The credential with which it was created; of a session, the one with which it ends.
    pub creator: Option<Uid>,
    /// The caller's own name for a session.
    pub external_id: Option<String>,
    /// The project of a session's context.
    pub context_project: Option<Uid>,
    /// The workspace of a session's context.
    pub context_workspace: Option<Uid>,
    /// The user of a session's context.
    pub context_user: Option<Uid>,
    /// What narrows a session, as the service wrote it (JSON).
    pub restrictions: Option<String>,
    /// Since when a session has renewed itself: since a token created or renewed it.
    pub period_start_time: Option<Timestamp>,
    /// Until when use extends it, if it is a sign-in that lives by use.
    pub sign_in_end_time: Option<Timestamp>,
    /// The address from which a code was redeemed: of the token that it was redeemed for.
    pub address: Option<String>,
    /// The token for which a code was redeemed.
    pub redeemed_for: Option<Uid>,
    /// The first time at which a code can be redeemed, if that is later than its creation.
    pub start_time: Option<Timestamp>,
    /// The role on the organization that redeeming an invitation gives.
    pub granted_role: Option<Role>,
    /// What making an invitation has ended, as the service wrote it (JSON).
    pub effects: Option<String>,
}

impl Credential {
    /// Whether it no longer serves.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.revoke_time.is_some() || self.expire_time.is_some_and(|end| end <= now)
    }
}

/// Which credentials to list. The default lists those of all kinds that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialFilter {
    /// Only these kinds; empty: all.
    pub kinds: Vec<CredentialKind>,
    /// Only those of this principal; of sessions, those it created.
    pub principal: Option<PrincipalRef>,
    /// Only sessions for this user.
    pub context_user: Option<Uid>,
    /// Only sessions that were created with this credential.
    pub creator: Option<Uid>,
    /// Only sessions of this name.
    pub external_id: Option<String>,
    /// Only those that are neither revoked nor expired at this time.
    pub live_at: Option<Timestamp>,
}

/// Adds a credential.
pub async fn insert(db: &impl KeyedConnection, row: &Credential) -> Result<(), StoreError> {
    Ok(row_mac::insert::<Entity>(db, write(row)).await?)
}

/// The credential whose text has this MAC, ended or not. The one look-up that fixes no organization: it finds out which.
pub async fn by_mac(db: &impl KeyedConnection, mac: &[u8; 32]) -> Result<Option<Credential>, StoreError> {
    one(db, Entity::find().filter(Column::Mac.eq(mac.to_vec()))).await
}

/// The credential of this uid, of the organization or of the platform, ended or not.
pub async fn by_uid(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    uid: Uid,
) -> Result<Option<Credential>, StoreError> {
    one(db, in_organization(organization).filter(Column::Uid.eq(uid))).await
}

/// The credential with which another was created, of the same organization or of the platform, ended or not.
pub async fn creator(db: &impl KeyedConnection, of: &Credential) -> Result<Option<Credential>, StoreError> {
    let Some(uid) = of.creator else { return Ok(None) };
    let organizations = [organization_or_platform(of.organization), PLATFORM];
    one(db, Entity::find().filter(Column::OrganizationUid.is_in(organizations)).filter(Column::Uid.eq(uid))).await
}

/// Up to `limit` credentials, the newest first, those after `after` (the creation time and uid of the last one seen).
pub async fn list(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    filter: &CredentialFilter,
    after: Option<(Timestamp, Uid)>,
    limit: u64,
) -> Result<Vec<Credential>, StoreError> {
    let query = newest_first(matching(organization, filter), after);
    page(db, query, limit).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// Those before `after`, the newest first.
fn newest_first(query: Select<Entity>, after: Option<(Timestamp, Uid)>) -> Select<Entity> {
    let query = query.order_by_desc(Column::CreateTime).order_by_desc(Column::Uid);
    let Some((time, uid)) = after else { return query };
    let same_time = Column::CreateTime.eq(time.as_micros()).and(Column::Uid.lt(uid));
    // The bound on the time alone is for the index; the uid decides among those of the same time.
    query.filter(Column::CreateTime.lte(time.as_micros()).and(Column::CreateTime.lt(time.as_micros()).or(same_time)))
}

/// How many credentials match the filter.
pub async fn count(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    filter: &CredentialFilter,
) -> Result<u64, StoreError> {
    Ok(matching(organization, filter).count(db).await?)
}

/// Whether the operator has a token that serves: without one, nobody could make the next.
pub async fn has_working_operator(db: &impl KeyedConnection, now: Timestamp) -> Result<bool, StoreError> {
    let kinds = vec![CredentialKind::Operator];
    let working = CredentialFilter { kinds, live_at: Some(now), ..Default::default() };
    // Not counted: one that does not verify serves nobody.
    Ok(!list(db, None, &working, None, 1).await?.is_empty())
}

/// Notes that credentials were used at `time`.
pub async fn touch(
    db: &impl ConnectionTrait,
    uids: impl IntoIterator<Item = Uid>,
    time: Timestamp,
) -> Result<(), StoreError> {
    let before = Column::LastUsedTime.is_null().or(Column::LastUsedTime.lt(time.as_micros()));
    Entity::update_many()
        .set(ActiveModel { last_used_time: Set(Some(time.as_micros())), ..Default::default() })
        .filter(Column::Uid.is_in(uids))
        .filter(before)
        .exec(db)
        .await?;
    Ok(())
}

fn in_organization(organization: Option<Uid>) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization_or_platform(organization)))
}

fn matching(organization: Option<Uid>, filter: &CredentialFilter) -> Select<Entity> {
    let mut all = Condition::all();
    if !filter.kinds.is_empty() {
        all = all.add(Column::Kind.is_in(filter.kinds.iter().map(|kind| kind.as_str())));
    }
    if let Some(principal) = filter.principal {
        all = all.add(Column::PrincipalKind.eq(principal.kind.as_str())).add(Column::PrincipalUid.eq(principal.uid));
    }
    all = all
        .add_option(filter.live_at.map(is_live))
        .add_option(filter.context_user.map(|user| Column::ContextUserUid.eq(user)))
        .add_option(filter.creator.map(|creator| Column::CreatorUid.eq(creator)))
        .add_option(filter.external_id.as_ref().map(|external_id| Column::ExternalId.eq(external_id)));
    in_organization(organization).filter(all)
}

/// Neither revoked nor expired.
fn is_live(now: Timestamp) -> SimpleExpr {
    let unexpired = Column::ExpireTime.is_null().or(Column::ExpireTime.gt(now.as_micros()));
    Column::RevokeTime.is_null().and(unexpired)
}

async fn one(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Option<Credential>, StoreError> {
    let row = query.one(db).await.map_err(reading(TABLE))?;
    row.and_then(|row| intact(db, row)).map(read).transpose()
}

// Whether it was revoked or redeemed and when it was last used are noted without the key.
sealed!(
    Model,
    TABLE,
    [
        uid,
        kind,
        organization_uid,
        principal_kind,
        principal_uid,
        mac,
        pepper_version,
        display_name,
        create_time,
        expire_time,
        origin,
        creator_uid,
        external_id,
        context_project_uid,
        context_workspace_uid,
        context_user_uid,
        restrictions,
        period_start_time,
        sign_in_end_time,
        address,
        start_time,
        granted_role,
        effects
    ],
    ended: revoke_time
);

fn write(row: &Credential) -> Model {
    Model {
        uid: row.uid,
        kind: row.kind.as_str().to_owned(),
        organization_uid: organization_or_platform(row.organization),
        principal_kind: row.principal.kind.as_str().to_owned(),
        principal_uid: row.principal.uid,
        mac: row.mac.to_vec(),
        pepper_version: row.pepper_version.into(),
        display_name: row.display_name.clone(),
        create_time: row.create_time.as_micros(),
        expire_time: row.expire_time.map(Timestamp::as_micros),
        revoke_time: row.revoke_time.map(Timestamp::as_micros),
        last_used_time: row.last_used_time.map(Timestamp::as_micros),
        origin: row.origin.as_str().to_owned(),
        creator_uid: row.creator,
        external_id: row.external_id.clone(),
        context_project_uid: row.context_project,
        context_workspace_uid: row.context_workspace,
        context_user_uid: row.context_user,
        restrictions: row.restrictions.clone(),
        period_start_time: row.period_start_time.map(Timestamp::as_micros),
        sign_in_end_time: row.sign_in_end_time.map(Timestamp::as_micros),
        address: row.address.clone(),
        redeemed_for_uid: row.redeemed_for,
        start_time: row.start_time.map(Timestamp::as_micros),
        granted_role: row.granted_role.map(|role| role.as_str().to_owned()),
        effects: row.effects.clone(),
        row_mac: None,
    }
}

pub(super) fn read(model: Model) -> Result<Credential, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    let principal =
        PrincipalRef { kind: row.parse("principal_kind", &model.principal_kind)?, uid: model.principal_uid };
    Ok(Credential {
        uid: model.uid,
        kind: row.parse("kind", &model.kind)?,
        organization: unless_platform(model.organization_uid),
        principal,
        mac: model.mac.try_into().map_err(|_| row.corrupt("mac"))?,
        pepper_version: row.number("pepper_version", model.pepper_version)?,
        display_name: model.display_name,
        create_time: time(model.create_time),
        expire_time: optional_time(model.expire_time),
        revoke_time: optional_time(model.revoke_time),
        last_used_time: optional_time(model.last_used_time),
        origin: row.parse("origin", &model.origin)?,
        creator: model.creator_uid,
        external_id: model.external_id,
        context_project: model.context_project_uid,
        context_workspace: model.context_workspace_uid,
        context_user: model.context_user_uid,
        restrictions: model.restrictions,
        period_start_time: optional_time(model.period_start_time),
        sign_in_end_time: optional_time(model.sign_in_end_time),
        address: model.address,
        redeemed_for: model.redeemed_for_uid,
        start_time: optional_time(model.start_time),
        granted_role: model.granted_role.map(|role| row.parse("granted_role", &role)).transpose()?,
        effects: model.effects,
    })
}
