//! One call: who makes it, when, and what it turns out to be about. Made once a call, read everywhere below.

pub mod peer;
pub mod request_id;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use secrets_core::authorize::{self, Permit, Resource, Right};
use secrets_core::{Binding, ContextName, Principal, SessionRestrictions, Timestamp, Uid};
use secrets_proto::Method;

use crate::error::Error;
use crate::store::Confirmation;

/// An authenticated caller with all that decides what they may do.
#[derive(Debug)]
pub struct Caller {
    /// Who calls.
    pub principal: Principal,
    /// Resource path of the principal, for instance `organizations/acme/users/bob`.
    pub name: String,
    /// The organization it belongs to; none for the operator and the platform's service accounts.
    pub organization: Option<CallerOrganization>,
    /// Uid of the credential that was used.
    pub credential: Uid,
    /// When that credential ends by itself.
    pub expire_time: Option<Timestamp>,
    /// All bindings of the principal; for a session, those of its context's user.
    pub bindings: Vec<Binding>,
    /// A session's context and what narrows it.
    pub session: Option<CallerSession>,
}

/// The organization of a caller.
#[derive(Clone, Debug)]
pub struct CallerOrganization {
    /// Its uid.
    pub uid: Uid,
    /// Its identifier.
    pub id: secrets_core::OrganizationId,
}

/// What a session carries besides its principal.
#[derive(Clone, Debug)]
pub struct CallerSession {
    /// The context by identifiers.
    pub context: ContextName,
    /// What narrows it.
    pub restrictions: SessionRestrictions,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    pub method: Method,
    /// As in the log and in the answer's `x-request-id`.
    pub request_id: String,
    /// The address it came from; empty if unknown.
    pub peer: String,
    /// The time of the call: read once, used for every decision in it.
    pub now: Timestamp,
    subject: Mutex<Option<Subject>>,
    audited: AtomicBool,
    relies_on: Mutex<Option<Confirmation>>,
}

/// What a call is about, for the audit record.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The organization concerned; none for the platform.
    pub organization: Option<Uid>,
    /// Resource path.
    pub name: String,
    /// Uid of the resource, once it is known.
    pub uid: Option<Uid>,
}

impl Call {
    /// A call of `caller`.
    pub fn new(caller: Caller, method: Method, request_id: String, peer: String, now: Timestamp) -> Self {
        Self {
            caller,
            method,
            request_id,
            peer,
            now,
            subject: Mutex::new(None),
            audited: AtomicBool::new(false),
            relies_on: Mutex::new(None),
        }
    }

    /// UsageBuffer what the call is about, as soon as it is known; the first word stands.
    pub fn about(&self, organization: Option<Uid>, name: impl Into<String>, uid: Option<Uid>) {
        // A repeated attempt of the same call says the same again.
        let mut subject = self.subject.lock().unwrap_or_else(PoisonError::into_inner);
        subject.get_or_insert_with(|| Subject { organization, name: name.into(), uid });
    }

    /// UsageBuffer more precisely what the call is about: this replaces what was said before.
    pub fn about_precisely(&self, organization: Option<Uid>, name: impl Into<String>, uid: Option<Uid>) {
        let subject = Subject { organization, name: name.into(), uid };
        *self.subject.lock().unwrap_or_else(PoisonError::into_inner) = Some(subject);
    }

    /// What the call is about; the caller's organization when nothing more is known.
    pub fn subject(&self) -> Subject {
        let subject = self.subject.lock().unwrap_or_else(PoisonError::into_inner).clone();
        subject.unwrap_or_else(|| Subject {
            organization: self.caller.organization.as_ref().map(|organization| organization.uid),
            ..Subject::default()
        })
    }

    /// UsageBuffer that the audit record of the call is durable, or is part of a transaction that was committed.
    pub fn set_audited(&self) {
        self.audited.store(true, Ordering::Release);
    }

    /// Whether the audit record of the call is durable.
    pub fn is_audited(&self) -> bool {
        self.audited.load(Ordering::Acquire)
    }

    /// UsageBuffer the transaction that the answer comes from; of several attempts, the last.
    pub fn rely_on(&self, confirmation: Confirmation) {
        *self.relies_on.lock().unwrap_or_else(PoisonError::into_inner) = Some(confirmation);
    }

    /// Returns when what the answer relies on is durable; an error means that it never will be. An answer that comes from
    /// a transaction which was not committed (a repeat, a rehearsal, a refusal) waits for this.
    pub async fn confirmed(&self) -> Result<(), Error> {
        let confirmation = self.relies_on.lock().unwrap_or_else(PoisonError::into_inner).take();
        match confirmation {
            Some(confirmation) => Ok(confirmation.wait().await?),
            None => Ok(()),
        }
    }

    /// Asks the policy, with the caller's own bindings.
    pub fn authorize<A: Right>(&self, resource: &Resource) -> Result<Permit<A>, Error> {
        self.authorize_with(&[], resource)
    }

    /// Asks the policy, with the caller's own bindings and `more`: those of a context's user.
    pub fn authorize_with<A: Right>(&self, more: &[Binding], resource: &Resource) -> Result<Permit<A>, Error> {
        let bindings = [self.caller.bindings.as_slice(), more].concat();
        authorize::authorize::<A>(&self.caller.principal, &bindings, resource).map_err(|denial| {
            tracing::debug!(method = self.method.as_str(), %denial, "denied");
            Error::denied()
        })
    }
}

impl Caller {
    /// Uid of the principal; the nil uid for the operator.
    pub fn principal_uid(&self) -> Uid {
        self.principal.reference().uid
    }

    /// The kind of principal, as the database spells it.
    pub fn principal_kind(&self) -> &'static str {
        self.principal.reference().kind.as_str()
    }
}
