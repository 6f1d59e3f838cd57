//! A mutation: one transaction that holds its organization's lock, and ends with the change, its audit event and, for a
//! repeatable request, its first result, all durable or none.

use prost::Message;
use secrets_core::authorize::{Permit, Right};
use secrets_core::{Scope, ScopeKind, Uid};
use zeroize::Zeroizing;

use crate::audit::Event;
use crate::call::Call;
use crate::crypto::{MacPurpose, random_uid};
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::store::revision::{Revision, RevisionLock};
use crate::store::{self, PLATFORM, WriteTransaction, audit, idempotency, revision};

/// How long the first result of a request id is kept.
const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// What a mutation ends with.
#[derive(Debug)]
pub enum Done<T> {
    /// It was done now.
    Fresh(T),
    /// It had been done under the same request id: the encoded first result.
    Repeated(Vec<u8>),
}

/// What a deletion ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted;

/// How a mutation's result is kept for a repeat.
pub struct Keep<T> {
    request: Option<KeptRequest>,
    encode: Encode<T>,
}

type Encode<T> = Box<dyn Fn(&T) -> Vec<u8> + Send + Sync>;

struct KeptRequest {
    id: Uid,
    /// Keyed, since a plain hash of a short value can be guessed.
    fingerprint: Vec<u8>,
    key_version: u32,
}

impl Service {
    /// Prepares to keep the result of `message` under `request_id`; `encode` leaves out what is shown only once.
    pub fn keep<M: Message, T: 'static, R: Message + 'static>(
        &self,
        message: &M,
        request_id: &str,
        encode: fn(&T) -> R,
    ) -> Result<Keep<T>, Error> {
        let request = if request_id.is_empty() {
            None
        } else {
            let id = Uid::try_parse(request_id).map_err(|_| {
                let rule = "a UUID passes, for instance `7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11`";
                Error::field(Reason::InvalidRequestId, "request_id", rule)
            })?;
            // The encoded request holds the value: wiped when dropped.
            let payload = Zeroizing::new(message.encode_to_vec());
            let key = self.keys.fingerprint();
            let fingerprint = key.mac(MacPurpose::RequestFingerprint, &payload).to_vec();
            Some(KeptRequest { id, fingerprint, key_version: key.version() })
        };
        Ok(Keep { request, encode: Box::new(move |result| encode(result).encode_to_vec()) })
    }

    /// Begins a mutation of an organization, or with [`PLATFORM`] of the platform; waits for its lock.
    pub async fn begin<'a>(&'a self, call: &'a Call, organization: Uid) -> Result<Change<'a>, Error> {
        let transaction = self.store.begin().await?;
        call.rely_on(transaction.confirmation());
        let lock = if organization == PLATFORM {
            revision::lock_platform(&transaction).await?
        } else {
            revision::lock(&transaction, organization).await?.ok_or_else(Error::denied)?
        };
        let begun = lock.current();
        Ok(Change { service: self, call, transaction, lock, begun, changed: Vec::new() })
    }
}

/// A mutation under way. Dropping it undoes it.
pub struct Change<'a> {
    service: &'a Service,
    call: &'a Call,
    transaction: WriteTransaction,
    lock: RevisionLock,
    /// Where the history stood at its beginning.
    begun: Revision,
    /// The scopes that it changed, for those who watch.
    changed: Vec<Uid>,
}

impl Change<'_> {
    /// Where its statements go.
    pub fn db(&self) -> &WriteTransaction {
        &self.transaction
    }

    /// Where the organization's history stands in this transaction.
    pub fn revision(&self) -> Revision {
        self.lock.current()
    }

    /// The first result, when this request was done before. Ask after authorizing: a repeat is authorized anew.
    pub async fn repeated<T>(&self, keep: &Keep<T>) -> Result<Option<Done<T>>, Error> {
        let Some(request) = &keep.request else { return Ok(None) };
        let found = idempotency::find(&self.transaction, &self.key(request.id))
            .await?
            .filter(|kept| kept.expire_time > self.call.now);
        match found {
            None => Ok(None),
            Some(kept)
                if kept.fingerprint == request.fingerprint && kept.fingerprint_key_version == request.key_version =>
            {
                Ok(Some(Done::Repeated(kept.response)))
            }
            Some(_) => Err(Error::field(
                Reason::RequestIdReused,
                "request_id",
                "it was used with another payload; use a new UUID for another request",
            )),
        }
    }

    /// Counts a change of `scope` and returns the new revision.
    pub async fn bump(&mut self, scope: Scope) -> Result<Revision, Error> {
        let change_id = random_uid(self.service.random.as_ref())?;
        self.lock.bump(&self.transaction, scope, change_id, self.call.now).await?;
        self.changed.push(scope.uid);
        Ok(self.lock.current())
    }

    /// Writes the first result and the audit event, and commits: after `Ok`, all of it is durable. Without a permit nothing is.
    pub async fn finish<A: Right, T>(
        mut self,
        _permit: &Permit<A>,
        keep: &Keep<T>,
        result: T,
    ) -> Result<Done<T>, Error> {
        // What ends on the platform (an account, its tokens, a role) may end rights in every organization.
        if self.lock.organization() == PLATFORM {
            self.bump(Scope::new(ScopeKind::Organization, PLATFORM)).await?;
        }
        if let Some(request) = &keep.request {
            let row = idempotency::IdempotencyRecord {
                key: self.key(request.id),
                fingerprint: request.fingerprint.clone(),
                fingerprint_key_version: request.key_version,
                response: (keep.encode)(&result),
                expire_time: self.call.now.saturating_add(KEPT_FOR),
            };
            idempotency::insert(&self.transaction, &row).await?;
        }
        let event = Event::allowed(self.call, self.service.random.as_ref())?;
        audit::insert_many(&self.transaction, &[event.into_row(Some(self.lock.current().revision))]).await?;
        store::commit(self.transaction).await?;
        self.call.set_audited();
        if !self.changed.is_empty() {
            let (organization, now) = (self.lock.organization(), self.lock.current());
            self.service.changes.committed(organization, self.begun, now, &self.changed);
        }
        Ok(Done::Fresh(result))
    }

    /// Undoes everything and hands out what would have come of it.
    pub async fn discard<T>(self, result: T) -> Result<Done<T>, Error> {
        drop(self.transaction);
        Ok(Done::Fresh(result))
    }

    fn key(&self, request_id: Uid) -> idempotency::IdempotencyKey {
        idempotency::IdempotencyKey {
            organization: self.lock.organization(),
            principal: self.call.caller.principal_uid(),
            method: self.call.method.to_string(),
            request_id,
        }
    }
}
