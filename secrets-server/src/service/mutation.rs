//! A mutation: one transaction that holds its organization's lock, and ends with the change, its audit event and, for a
//! repeatable request, its first result, all durable or none.
//!
//! Its way is in its types: [`Service::lock`] takes a first permit and gives a [`Locked`] organization, in which the caller was
//! read again and the use case locates again what it changes; [`Locked::mutate`] authorizes, asks whether the request is a
//! repeat, and only then gives the [`Mutation`] of the right that was granted, which [`Mutation::finish`] ends. A mutation takes no
//! permit but a [`LockedPermit`]: what was decided before the wait for the lock only spares the wait.

use prost::Message;
use secrets_core::authorize::{Permit, Right};
use secrets_core::{Binding, Scope, ScopeKind, Timestamp, Uid};
use zeroize::Zeroizing;

use super::Service;
use super::current_caller;
use super::open_call::{Authorize, Located, OpenCall};
use crate::call::Call;
use crate::crypto::MacPurpose;
use crate::error::{Error, Reason};
use crate::store::credential::Credential;
use crate::store::revision::{Revision, RevisionLock};
use crate::store::{PLATFORM, WriteTransaction, idempotency, revision};

/// How many bytes of first results a principal has in one organization, about.
const MAX_RESULT_BYTES: u64 = 64 * 1024 * 1024;
/// After this many first results of its own, on average, a principal's oldest are looked for.
const MAX_RESULTS_BETWEEN_CHECKS: u64 = 256;

/// What a mutation ends with.
#[derive(Debug)]
pub enum MutationOutcome<T> {
    /// It was done now.
    Applied(T),
    /// It had been done under the same request id: the encoded first result.
    Replayed(Vec<u8>),
}

/// What a deletion ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted;

/// The request id of a mutation, if it has one, and how its result is stored for a repeat.
pub struct IdempotencyKey<T> {
    request: Option<RequestFingerprint>,
    encode: Encode<T>,
}

type Encode<T> = Box<dyn Fn(&T) -> Vec<u8> + Send + Sync>;

struct RequestFingerprint {
    id: Uid,
    /// Keyed, since a plain hash of a short value can be guessed.
    mac: Vec<u8>,
    key_version: u32,
}

impl Service {
    /// The key under which the result of `message` is stored; `encode` leaves out what is shown only once.
    pub fn idempotency_key<M: Message, T: 'static, R: Message + 'static>(
        &self,
        message: &M,
        request_id: &str,
        encode: fn(&T) -> R,
    ) -> Result<IdempotencyKey<T>, Error> {
        let request = if request_id.is_empty() {
            None
        } else {
            let id = Uid::try_parse(request_id).map_err(|_| {
                let rule = "must be a UUID, for instance `7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11`";
                Error::field(Reason::InvalidRequestId, "request_id", rule)
            })?;
            // The encoded request holds the value: wiped when dropped.
            let payload = Zeroizing::new(message.encode_to_vec());
            let key = self.keys.fingerprint();
            let mac = key.mac(MacPurpose::RequestFingerprint, &payload).to_vec();
            Some(RequestFingerprint { id, mac, key_version: key.version() })
        };
        Ok(IdempotencyKey { request, encode: Box::new(move |result| encode(result).encode_to_vec()) })
    }

    /// Begins a transaction, takes the lock of an organization, or with [`PLATFORM`] that of the platform, and reads the caller
    /// again: they may have lost their credential or their roles while they waited. Whoever has no `first` permit does not wait,
    /// and nobody waits for them; it decides nothing more.
    pub async fn lock<A: Right>(
        &self,
        call: &mut OpenCall,
        organization: Uid,
        _first: Permit<A>,
    ) -> Result<Locked<'_>, Error> {
        let transaction = call.begin(self, organization).await?;
        let lock = if organization == PLATFORM {
            revision::lock_platform(&transaction).await?
        } else {
            revision::lock(&transaction, organization).await?.ok_or_else(Error::denied)?
        };
        let credential = current_caller::read_under_lock(&transaction, call, organization, self.clock.now()).await?;
        Ok(Locked { service: self, transaction, before: lock.current(), lock, credential })
    }
}

/// An organization whose lock is held. Dropping it releases the lock.
pub struct Locked<'a> {
    service: &'a Service,
    transaction: WriteTransaction,
    lock: RevisionLock,
    /// Where the history stood at the beginning.
    before: Revision,
    /// The caller's, as it was read under the lock.
    credential: Credential,
}

/// A permit that was given under the lock. Only [`Locked`] makes one.
#[must_use]
pub struct LockedPermit<A: Right>(Permit<A>);

/// A mutation that was authorized, or the first result of the same request.
#[expect(clippy::large_enum_variant, reason = "taken apart where it is returned, once a mutation")]
pub enum Begun<'a, A: Right, T> {
    New(Mutation<'a, A>),
    Replayed(MutationOutcome<T>),
}

impl<'a> Locked<'a> {
    /// Where statements go.
    pub fn db(&self) -> &WriteTransaction {
        &self.transaction
    }

    /// Asks the policy, with the caller's own bindings as they are under the lock.
    pub(super) fn authorize<A: Right>(
        &self,
        call: &mut OpenCall,
        located: &impl Located,
    ) -> Result<LockedPermit<A>, Error> {
        self.authorize_with(call, &[], located)
    }

    /// The same with `more`: the bindings of a context's user, read under the lock too.
    pub(super) fn authorize_with<A: Right>(
        &self,
        call: &mut OpenCall,
        more: &[Binding],
        located: &impl Located,
    ) -> Result<LockedPermit<A>, Error> {
        Ok(LockedPermit(call.authorize_with(more, located)?))
    }

    /// Authorizes, and then asks whether the request is a repeat: a repeat is authorized anew.
    pub async fn mutate<A: Right, T>(
        self,
        call: &mut OpenCall,
        located: &impl Located,
        key: &IdempotencyKey<T>,
    ) -> Result<Begun<'a, A, T>, Error> {
        let permit = self.authorize::<A>(call, located)?;
        self.mutate_with(call, permit, key).await
    }

    /// The same for a caller who has the permit already.
    pub(super) async fn mutate_with<A: Right, T>(
        self,
        call: &Call,
        permit: LockedPermit<A>,
        key: &IdempotencyKey<T>,
    ) -> Result<Begun<'a, A, T>, Error> {
        match self.first_result(call, key).await? {
            Some(first) => Ok(Begun::Replayed(MutationOutcome::Replayed(first))),
            None => Ok(Begun::New(self.mutate_anew(call, permit))),
        }
    }

    /// The same for a request that is done again when it comes again.
    pub(super) fn mutate_anew<A: Right>(self, call: &Call, permit: LockedPermit<A>) -> Mutation<'a, A> {
        Mutation { locked: self, _permit: permit.0, now: call.now, changed: Vec::new() }
    }

    async fn first_result<T>(&self, call: &Call, key: &IdempotencyKey<T>) -> Result<Option<Vec<u8>>, Error> {
        let Some(request) = &key.request else { return Ok(None) };
        let found = idempotency::find(&self.transaction, &self.stored_key(call, request.id))
            .await?
            .filter(|found| found.expire_time > call.now);
        match found {
            None => Ok(None),
            Some(found) if found.fingerprint == request.mac && found.fingerprint_key_version == request.key_version => {
                Ok(Some(found.response))
            }
            Some(_) => Err(Error::field(
                Reason::RequestIdReused,
                "request_id",
                "was used with another payload; use a new UUID for another request",
            )),
        }
    }

    /// Forgets the principal's oldest first results, where there are too many. Counting them costs more than adding one, so that
    /// it is done now and then, and nobody can tell when.
    async fn make_room(&self, key: &idempotency::IdempotencyKey) -> Result<(), Error> {
        let most = self.service.retention.request_ids_per_principal;
        let between = (most / 16).clamp(1, MAX_RESULTS_BETWEEN_CHECKS);
        let mut drawn = [0; 8];
        self.service.random.fill(&mut drawn)?;
        if u64::from_le_bytes(drawn).is_multiple_of(between) {
            let (organization, principal) = (key.organization, key.principal);
            idempotency::keep_newest(&self.transaction, organization, principal, most, MAX_RESULT_BYTES).await?;
        }
        Ok(())
    }

    fn stored_key(&self, call: &Call, request_id: Uid) -> idempotency::IdempotencyKey {
        idempotency::IdempotencyKey {
            organization: self.lock.organization(),
            principal: call.caller.principal_uid(),
            method: call.method.to_string(),
            request_id,
        }
    }
}

/// A mutation under way, by somebody who has the right `A` to it. Dropping it undoes it.
pub struct Mutation<'a, A: Right> {
    locked: Locked<'a>,
    _permit: Permit<A>,
    now: Timestamp,
    /// The scopes that it changed, for those who watch.
    changed: Vec<Uid>,
}

impl<A: Right> Mutation<'_, A> {
    /// Where statements go.
    pub fn db(&self) -> &WriteTransaction {
        &self.locked.transaction
    }

    /// The caller's credential, as it is under the lock.
    pub(super) fn credential(&self) -> &Credential {
        &self.locked.credential
    }

    /// The organization whose lock is held.
    pub(super) fn organization(&self) -> Uid {
        self.locked.lock.organization()
    }

    /// Where the organization's history stands in this transaction.
    pub fn revision(&self) -> Revision {
        self.locked.lock.current()
    }

    /// Counts a change of `scope` and returns the new revision.
    pub async fn bump(&mut self, scope: Scope) -> Result<Revision, Error> {
        let change_id = self.locked.service.uid()?;
        self.locked.lock.bump(&self.locked.transaction, scope, change_id, self.now).await?;
        self.changed.push(scope.uid);
        Ok(self.locked.lock.current())
    }

    /// Writes the first result and the audit event, and commits: after `Ok`, all of it is durable.
    pub async fn finish<T>(
        mut self,
        call: &mut OpenCall,
        key: &IdempotencyKey<T>,
        result: T,
    ) -> Result<MutationOutcome<T>, Error> {
        // What ends on the platform (an account, its tokens, a role) may end rights in every organization.
        if self.locked.lock.organization() == PLATFORM {
            self.bump(Scope::new(ScopeKind::Organization, PLATFORM)).await?;
        }
        let Self { locked, now, changed, .. } = self;
        if let Some(request) = &key.request {
            let row = idempotency::IdempotencyRecord {
                key: locked.stored_key(call, request.id),
                fingerprint: request.mac.clone(),
                fingerprint_key_version: request.key_version,
                response: (key.encode)(&result),
                expire_time: now.saturating_add(locked.service.retention.request_ids),
            };
            locked.make_room(&row.key).await?;
            idempotency::insert(&locked.transaction, &row).await?;
        }
        let (organization, after) = (locked.lock.organization(), locked.lock.current());
        call.commit(locked.service, locked.transaction, after.revision).await?;
        if !changed.is_empty() {
            locked.service.changes.committed(organization, locked.before, after, &changed);
        }
        Ok(MutationOutcome::Applied(result))
    }

    /// Undoes everything and hands out what would have come of it.
    pub fn discard<T>(self, result: T) -> MutationOutcome<T> {
        MutationOutcome::Applied(result)
    }
}
