//! The event of one call.

use secrets_core::{Timestamp, Uid};
use secrets_proto::Method;

use super::Detail;
use crate::call::Call;
use crate::call::purpose::Purpose;
use crate::crypto::{Random, RandomError, random_uid};
use crate::error::{Error, Reason};
use crate::store::audit::{AuditKind, AuditRecord, AuditSet};

/// Recorded in the place of what was given as a name and is none: it may be anything, also a value that was pasted by mistake.
const INVALID_NAME: &str = "an invalid name";

/// What a call is about.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// None for the platform.
    pub organization: Option<Uid>,
    pub name: String,
    /// Once it is known.
    pub uid: Option<Uid>,
}

impl Subject {
    /// The resource `name` of an organization, or with none of the platform.
    pub fn new(organization: impl Into<Option<Uid>>, name: impl ToString, uid: impl Into<Option<Uid>>) -> Self {
        Self { organization: organization.into(), name: name.to_string(), uid: uid.into() }
    }

    /// Something of an organization that was asked for by what is no name.
    pub fn invalid_name(organization: impl Into<Option<Uid>>) -> Self {
        Self::new(organization, INVALID_NAME, None)
    }

    /// The same for what was located: the nil uid stands for what does not exist.
    pub fn located(organization: impl Into<Option<Uid>>, name: impl ToString, uid: Uid) -> Self {
        Self::new(organization, name, (!uid.is_nil()).then_some(uid))
    }
}

/// Whether a call was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Allowed,
    /// The caller was not allowed to.
    Denied,
    /// Allowed, and failed.
    Failed,
}

impl Outcome {
    /// The word for it in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "ALLOWED",
            Self::Denied => "DENIED",
            Self::Failed => "FAILED",
        }
    }
}

/// What a call delivered: the digest of the list, and the list itself, which is stored once a distinct digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveredSet {
    /// SHA-256 over the ordered list of (secret uid, version).
    pub digest: Vec<u8>,
    pub secrets: Vec<(Uid, u32)>,
}

impl DeliveredSet {
    /// The delivery of these versions, in this order.
    pub fn new(secrets: Vec<(Uid, u32)>) -> Self {
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for (secret, version) in &secrets {
            context.update(secret.as_bytes());
            context.update(&version.to_be_bytes());
        }
        Self { digest: context.finish().as_ref().to_vec(), secrets }
    }
}

/// The event of one call. Its fields are an allow-list: nothing of the request but the names in `subject` and `detail`.
#[derive(Clone, Debug)]
pub struct Event {
    uid: Uid,
    time: Timestamp,
    request_id: String,
    caller_request_id: String,
    purpose: Option<Purpose>,
    principal_kind: &'static str,
    principal_uid: Option<Uid>,
    principal_name: String,
    credential: Option<Uid>,
    peer: String,
    method: Method,
    subject: Subject,
    outcome: Outcome,
    reason: &'static str,
    delivery: Option<DeliveredSet>,
    detail: String,
}

impl Event {
    /// The event of a call that was done.
    pub fn allowed(call: &Call, subject: Subject, random: &dyn Random) -> Result<Self, RandomError> {
        Self::new(call, subject, random, Outcome::Allowed, "")
    }

    /// The event of a call that was denied or failed.
    pub fn refused(call: &Call, subject: Subject, random: &dyn Random, error: &Error) -> Result<Self, RandomError> {
        let outcome = match error.reason() {
            Reason::PermissionDenied | Reason::Unauthenticated => Outcome::Denied,
            _ => Outcome::Failed,
        };
        let subject = if error.is_invalid_name() { Subject::invalid_name(subject.organization) } else { subject };
        Self::new(call, subject, random, outcome, error.reason().as_str())
    }

    /// The same event, with what the call delivered, if it did.
    #[must_use]
    pub fn with_delivery(self, delivery: Option<DeliveredSet>) -> Self {
        Self { delivery, ..self }
    }

    /// The same event, with what it says beside the fields that every event has.
    pub fn described(self, detail: &Detail) -> Result<Self, Error> {
        let detail = detail.to_text().map_err(Error::internal)?;
        Ok(Self { detail, ..self })
    }

    fn new(
        call: &Call,
        subject: Subject,
        random: &dyn Random,
        outcome: Outcome,
        reason: &'static str,
    ) -> Result<Self, RandomError> {
        Ok(Self {
            uid: random_uid(random)?,
            time: call.now,
            request_id: call.request_id.clone(),
            caller_request_id: call.caller_request_id.clone(),
            purpose: call.purpose,
            principal_kind: call.caller.principal_kind(),
            principal_uid: Some(call.caller.principal_uid()),
            principal_name: call.caller.name.to_string(),
            credential: Some(call.caller.credential),
            peer: call.peer.clone(),
            method: call.method,
            subject,
            outcome,
            reason,
            delivery: None,
            detail: String::new(),
        })
    }

    /// Whether the call was denied: such events have a queue of their own.
    pub fn is_denial(&self) -> bool {
        self.outcome == Outcome::Denied
    }

    /// What the call was for, as far as its caller's word is taken: no call that changed or delivered something, was denied or failed
    /// is to be left out by those who read the log.
    fn purpose(&self) -> Option<Purpose> {
        let is_plain = self.outcome == Outcome::Allowed && self.delivery.is_none();
        self.purpose.filter(|purpose| is_plain && purpose.suits(self.method))
    }

    /// For how long it is kept depends on it.
    fn kind(&self) -> AuditKind {
        match (self.outcome, self.method) {
            // What was learned before it failed was learned.
            (Outcome::Failed, _) if self.delivery.is_some() => AuditKind::Delivery,
            (Outcome::Denied | Outcome::Failed, _) => AuditKind::Refusal,
            (Outcome::Allowed, Method::Resolve | Method::Watch) => AuditKind::Delivery,
            (Outcome::Allowed, method) if method.is_mutation() => match self.delivery {
                Some(_) => AuditKind::DeliveringChange,
                None => AuditKind::Change,
            },
            (Outcome::Allowed, _) => AuditKind::Read,
        }
    }

    /// The list it delivered, to be stored once a digest.
    pub fn set(&self) -> Option<AuditSet> {
        let delivery = self.delivery.as_ref()?;
        Some(AuditSet {
            digest: delivery.digest.clone(),
            organization: self.subject.organization?,
            secrets: delivery.secrets.clone(),
        })
    }

    /// The row, with the revision a mutation made.
    pub fn into_row(self, revision: Option<u64>) -> AuditRecord {
        AuditRecord {
            uid: self.uid,
            kind: self.kind(),
            purpose: self.purpose(),
            create_time: self.time,
            organization: self.subject.organization,
            request_id: self.request_id,
            caller_request_id: self.caller_request_id,
            principal_kind: self.principal_kind.to_owned(),
            principal_uid: self.principal_uid,
            principal_name: self.principal_name,
            credential: self.credential,
            peer: self.peer,
            action: self.method.to_string(),
            resource_name: self.subject.name,
            resource_uid: self.subject.uid,
            outcome: self.outcome.as_str().to_owned(),
            reason: self.reason.to_owned(),
            revision,
            set_digest: self.delivery.map(|delivery| delivery.digest),
            detail: self.detail,
        }
    }
}
