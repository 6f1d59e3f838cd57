//! A call at work, and how it ends: never without its audit event.
//!
//! Only [`Service::run`] makes an [`OpenCall`], which every use case takes; so whoever runs a use case has its event written.
//! What the event names is handed over by type: without a [`Located`] there is no permit.

use std::fmt::Display;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use secrets_core::authorize::{Permit, Resource, Right};
use secrets_core::{Binding, RoleResource, Uid};

use super::{Service, refusal};
use crate::audit::{DeliveredSet, Detail, Event, Source, Subject};
use crate::call::{Call, Caller};
use crate::error::{Error, Reason};
use crate::store::{self, Confirmation, FirstWrite, WriteTransaction, Writer, audit};

/// The future of a use case.
pub type UseCase<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// What was located: it can be authorized, and named in the audit log.
pub trait Located {
    /// What the audit event is about.
    fn subject(&self) -> Subject;
    /// What is authorized.
    fn resource(&self) -> Resource;

    /// The resource path of what is authorized, which a refusal names to whoever may know it; none if that depends on more
    /// than the resource says.
    fn path(&self) -> Option<String> {
        None
    }

    /// The resource paths of a context's user and of what the user is no member of.
    fn membership(&self, _of: RoleResource) -> Option<(String, String)> {
        None
    }
}

/// What is authorized by the name of what it belongs to: the scope of a secret, or where something is to be created.
impl<N: Display> Located for (Subject, Resource, N) {
    fn subject(&self) -> Subject {
        self.0.clone()
    }

    fn resource(&self) -> Resource {
        self.1
    }

    fn path(&self) -> Option<String> {
        Some(self.2.to_string())
    }
}

impl Located for (Subject, Resource) {
    fn subject(&self) -> Subject {
        self.0.clone()
    }

    fn resource(&self) -> Resource {
        self.1
    }
}

/// Whoever asks for a permit: a call, whose event will name what it asked for, or an open watch that looks again.
pub trait Authorize: Deref<Target = Call> {
    /// The caller, to be brought up to date.
    fn caller_mut(&mut self) -> &mut Caller;

    /// Asks the policy, with the caller's own bindings and `more`: those of a context's user.
    fn authorize_with<A: Right>(&mut self, more: &[Binding], located: &impl Located) -> Result<Permit<A>, Error>;
}

/// An open watch looks again: the call that opened it has its event already. Only a refusal has one of its own.
pub(super) struct Unrecorded(pub(super) Call);

impl Deref for Unrecorded {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.0
    }
}

impl Authorize for Unrecorded {
    fn caller_mut(&mut self) -> &mut Caller {
        &mut self.0.caller
    }

    fn authorize_with<A: Right>(&mut self, more: &[Binding], located: &impl Located) -> Result<Permit<A>, Error> {
        refusal::authorize(&self.0, more, located)
    }
}

/// A call at work.
pub struct OpenCall {
    call: Call,
    subject: Option<Subject>,
    detail: Detail,
    /// What its caller learns of values, if they do.
    delivered: Option<DeliveredSet>,
    /// Tells whether what the answer was read from is durable.
    confirmation: Option<Confirmation>,
    /// Whether its transaction has written anything.
    first_write: FirstWrite,
    /// The audit event is durable.
    is_recorded: bool,
}

impl Deref for OpenCall {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Authorize for OpenCall {
    fn caller_mut(&mut self) -> &mut Caller {
        &mut self.call.caller
    }

    fn authorize_with<A: Right>(&mut self, more: &[Binding], located: &impl Located) -> Result<Permit<A>, Error> {
        self.identify(located.subject());
        refusal::authorize(&self.call, more, located)
    }
}

impl OpenCall {
    fn new(call: Call) -> Self {
        Self {
            call,
            subject: None,
            detail: Detail::default(),
            delivered: None,
            confirmation: None,
            first_write: FirstWrite::default(),
            is_recorded: false,
        }
    }

    /// Whether its transaction has written anything: until then it can be dropped when the caller hangs up.
    pub fn first_write(&self) -> FirstWrite {
        self.first_write.clone()
    }

    /// Asks the policy, with the caller's own bindings.
    pub(super) fn authorize<A: Right>(&mut self, located: &impl Located) -> Result<Permit<A>, Error> {
        self.authorize_with(&[], located)
    }

    /// The same where nothing later demands the permit.
    pub(super) fn require<A: Right>(&mut self, located: &impl Located) -> Result<(), Error> {
        self.authorize::<A>(located).map(|_permit| ())
    }

    /// Names in the event what is known more precisely than at the authorization: what was created or found.
    pub(super) fn identify(&mut self, subject: Subject) {
        self.subject = Some(subject);
    }

    /// Says in the event of a change what it consists of.
    pub(super) fn describe(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// Names in the event, whichever it will be, the versions of whose values the caller is about to learn something.
    pub(super) fn deliver(&mut self, delivered: DeliveredSet) {
        self.delivered = Some(delivered);
    }

    /// The same of what is copied, by the name that it has now: it may be gone when somebody reads the event.
    pub(super) fn deliver_source(&mut self, source: Source, delivered: DeliveredSet) {
        self.detail.source = Some(source);
        self.deliver(delivered);
    }

    /// Begins a transaction of an organization, or of [`store::PLATFORM`]. The answer relies on it; of several attempts, on the
    /// last.
    pub(super) async fn begin(&mut self, service: &Service, organization: Uid) -> Result<WriteTransaction, Error> {
        // What an attempt before has written is undone.
        self.first_write.reset();
        let transaction = service.store.begin_for(Writer::Organization(organization)).await?;
        self.confirmation = Some(transaction.confirmation());
        Ok(transaction.with_first_write(self.first_write.clone()))
    }

    /// Commits a transaction with the event of this call in it: after `Ok` both are durable.
    pub(super) async fn commit(
        &mut self,
        service: &Service,
        transaction: WriteTransaction,
        revision: u64,
    ) -> Result<(), Error> {
        let event = Event::allowed(&self.call, self.subject(), service.random.as_ref())?
            .described(&self.detail)?
            .with_delivery(self.delivered.clone());
        // Before the event that names it.
        audit::insert_sets(&transaction, event.set().as_slice()).await?;
        audit::insert_many(&transaction, &[event.into_row(Some(revision))]).await?;
        store::commit(transaction).await?;
        self.is_recorded = true;
        Ok(())
    }

    /// Records what the call delivers: after `Ok` the event is durable, and the values may leave.
    pub(super) async fn record_delivery(&mut self, service: &Service, delivered: DeliveredSet) -> Result<(), Error> {
        let event = Event::allowed(&self.call, self.subject(), service.random.as_ref())?.with_delivery(Some(delivered));
        service.audit.record(event).await?;
        self.is_recorded = true;
        Ok(())
    }

    /// What the call is about; the caller's organization when nothing more is known.
    pub(super) fn subject(&self) -> Subject {
        self.subject
            .clone()
            .unwrap_or_else(|| Subject { organization: self.call.caller.organization_uid(), ..Subject::default() })
    }
}

/// What is left of a call whose stream stays open: enough for an event that says how it ended.
pub(super) struct StreamedCall {
    call: Call,
    subject: Subject,
}

impl StreamedCall {
    pub(super) fn new(call: &OpenCall) -> Self {
        let mut left = call.call.clone();
        // They are looked up again before they decide.
        left.caller.bindings = Vec::new();
        Self { call: left, subject: call.subject() }
    }

    /// Records that the caller was refused; returns what to answer.
    pub(super) async fn refused(&mut self, service: &Service, error: Error) -> Error {
        self.call.now = service.clock.now();
        let event = Event::refused(&self.call, self.subject.clone(), service.random.as_ref(), &error);
        let recorded = match event {
            Ok(event) if !event.is_denial() => return error,
            Ok(event) => service.audit.record(event).await,
            Err(random) => Err(random.into()),
        };
        match recorded {
            Ok(()) => error,
            Err(unrecorded) => {
                error.log_cause();
                unrecorded
            }
        }
    }
}

impl Service {
    /// Runs a use case and ends its call: writes the audit event, unless a transaction of the use case already did, and only
    /// then hands out the result.
    pub async fn run<T, F>(&self, call: Call, case: F) -> Result<T, Error>
    where
        F: for<'a> FnOnce(&'a Self, &'a mut OpenCall) -> UseCase<'a, T>,
    {
        let mut call = OpenCall::new(call);
        let result = case(self, &mut call).await;
        // Of a call that was given up before anything was decided there is nothing to record.
        if call.is_recorded || result.as_ref().is_err_and(Error::is_abandoned) {
            return result;
        }
        // It may come from what others wrote and still wait to commit: a repeat, a rehearsal, a refusal.
        let confirmed = match call.confirmation.take() {
            Some(confirmation) => confirmation.wait().await.map_err(Error::from),
            None => Ok(()),
        };
        let result = confirmed.and(result);
        let (subject, random) = (call.subject(), self.random.as_ref());
        let event = match &result {
            Ok(_) => Event::allowed(&call, subject, random),
            // The record was tried; its caller has waited for it long enough.
            Err(error) if error.reason() == Reason::AuditUnavailable => return result,
            // Counted, and recorded with others: whoever is refused may call again at once.
            Err(error) if error.reason() == Reason::RateLimited => return result,
            Err(error) => Event::refused(&call, subject, random, error),
        };
        // Nothing was changed; what was learned, was.
        let learned = Detail { source: call.detail.source.take(), ..Detail::default() };
        let event = event?.described(&learned)?.with_delivery(call.delivered.take());
        if let Err(unrecorded) = self.audit.record(event).await {
            if let Err(error) = result {
                error.log_cause();
            }
            return Err(unrecorded);
        }
        result
    }
}
