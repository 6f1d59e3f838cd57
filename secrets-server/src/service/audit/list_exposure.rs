//! ListExposure: what a principal received, and whether it is still in use.

use std::collections::{BTreeSet, VecDeque};

use secrets_core::{OrganizationId, PrincipalName, Resource, ScopeName, SecretName, Timestamp, Uid, right};

use super::lineage::{Lineage, Related};
use super::names::Names;
use super::received::{ExposureState, Received, Tally};
use super::recipients::{Position, Recipients};
use crate::audit::Subject;
use crate::error::Error;
use crate::retention::ENDED_CREDENTIALS_RETENTION;
use crate::service::Service;
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::store::audit::{self, CallerEvent};
use crate::store::{ReadTransaction, secret};

/// What the page token is bound to begins with.
const QUERY: &str = "ListExposure";

/// Through how many events a page looks. The interface promises it.
const MAX_EVENTS: u64 = 10_000;
/// How many events are read at once.
const EVENTS_PER_QUERY: u64 = 500;
/// Of how many sessions a page reads the events: one that did nothing takes a query too.
const MAX_SESSIONS: usize = 500;
/// How many versions the sets of a page have together, unless one has more.
const MAX_VERSIONS: u64 = 50_000;

/// What ListExposure is asked.
pub struct ExposureQuestion {
    pub organization: OrganizationId,
    /// Who received.
    pub principal: PrincipalName,
    pub page: Page,
}

/// A page of what was received.
pub struct ExposurePage {
    pub secrets: Vec<ExposedSecret>,
    /// Empty on the last page.
    pub next_page_token: String,
    /// Deliveries before may be missing.
    pub complete_since: Option<Timestamp>,
    /// Sessions that ended before may be missing.
    pub sessions_complete_since: Option<Timestamp>,
    /// Copies may be missing.
    pub copies_incomplete: bool,
}

/// A secret that was received, as the caller may see it.
pub struct ExposedSecret {
    /// Its resource path, if the caller may see it and it is still there.
    pub name: Option<SecretName>,
    pub uid: Uid,
    pub version: u32,
    pub state: ExposureState,
    pub tally: Tally,
    /// The secret as which it was received, if it has its value by a copy.
    pub copied_from: Option<Uid>,
}

impl Service {
    /// Lists what a principal received in an organization, for its admins and auditors: the newest events of the principal itself
    /// first, then those of its sessions.
    pub async fn list_exposure(&self, call: &mut OpenCall, question: ExposureQuestion) -> Result<ExposurePage, Error> {
        let db = self.read(call).await?;
        let organization = self.locate_organization(&db, call, &question.organization).await?;
        let within = organization.uid;
        let path = ScopeName::Organization(question.organization.clone());
        let subject = Subject::new(within, &path, within);
        call.require::<right::ReadAudit>(&(subject, Resource::Organization(within), &path))?;
        let recipients = Recipients::find(&db, &organization, &question.principal).await?;

        let bound = [QUERY, question.organization.as_str(), &question.principal.to_string()];
        let position = match self.cursor(&bound, &question.page.token)? {
            Some(cursor) => cursor.parse()?,
            None => Position::default(),
        };
        let size = usize::try_from(question.page.size).unwrap_or(usize::MAX);
        let mut reading = Reading { db: &db, within, received: Received::new(size), left: MAX_VERSIONS };
        let next = reading.page(&recipients, position).await?;
        let received = reading.received;

        let Related { lineage, secrets: related, is_incomplete } =
            Lineage::load(&db, within, received.secrets()).await?;
        let uids: Vec<_> = related.iter().copied().collect();
        let statuses = secret::statuses(&db, within, &uids).await?;
        let names = Names::of(&db, call, &organization, related).await?;
        drop(db);

        let exposed = received.assess(&statuses, &lineage, call.now).into_iter();
        let mut secrets: Vec<_> = exposed
            .map(|each| ExposedSecret {
                name: names.get(each.uid),
                uid: each.uid,
                version: each.version,
                state: each.state,
                tally: each.tally,
                copied_from: each.copied_from,
            })
            .collect();
        secrets.sort_by(|a, b| (a.name.is_none(), &a.name, a.uid).cmp(&(b.name.is_none(), &b.name, b.uid)));
        // Before the organization was created there was nothing to forget.
        let kept = |time| Some(call.now.saturating_sub(time)).filter(|since| *since > organization.create_time);
        let retention = [self.retention.audit_deliveries, self.retention.audit_changes].into_iter().flatten().min();
        let forgotten = recipients.has_sessions().then_some(ENDED_CREDENTIALS_RETENTION);
        Ok(ExposurePage {
            secrets,
            next_page_token: next.map(|next| self.page_token(&bound, &next.to_string())).unwrap_or_default(),
            complete_since: retention.and_then(kept),
            sessions_complete_since: forgotten.and_then(kept),
            copies_incomplete: is_incomplete,
        })
    }
}

/// A page that is being read.
struct Reading<'a> {
    db: &'a ReadTransaction,
    within: Uid,
    received: Received,
    /// How many versions further sets may have.
    left: u64,
}

impl Reading<'_> {
    /// Reads on from there until the page is full; returns where the next one goes on, if there is one.
    async fn page(&mut self, recipients: &Recipients<'_>, from: Position) -> Result<Option<Position>, Error> {
        let mut at = from;
        let (mut events_left, mut sessions_left, mut sessions) = (MAX_EVENTS, MAX_SESSIONS, VecDeque::new());
        loop {
            let limit = EVENTS_PER_QUERY.min(events_left);
            let events =
                audit::events_of_caller(self.db, self.within, &recipients.name_at(&at), at.event, limit).await?;
            let added = self.add(&events).await?;
            at.event = events.iter().take(added).next_back().map(|event| (event.create_time, event.uid)).or(at.event);
            let read = events.len() as u64;
            events_left -= read.min(events_left);
            if added < events.len() || events_left == 0 {
                return Ok(Some(at));
            }
            if read == limit {
                continue;
            }
            if sessions.is_empty() {
                sessions = recipients.sessions_after(self.db, &at).await?.into();
            }
            let Some(session) = sessions.pop_front() else { return Ok(None) };
            at = Position { session: Some(session), event: None };
            if sessions_left == 0 {
                return Ok(Some(at));
            }
            sessions_left -= 1;
        }
    }

    /// Adds what events delivered, until the page is full; returns how many were added.
    async fn add(&mut self, events: &[CallerEvent]) -> Result<usize, Error> {
        let digests = events.iter().filter_map(|event| event.set_digest.as_ref());
        let unknown: BTreeSet<_> = digests.filter(|digest| !self.received.has_set(digest)).cloned().collect();
        if unknown.is_empty() {
            return Ok(events.iter().take_while(|event| self.received.add(event, &Default::default())).count());
        }
        let sizes = audit::set_sizes(self.db, self.within, &unknown.into_iter().collect::<Vec<_>>()).await?;
        let mut wanted = BTreeSet::new();
        let mut fitting = 0;
        for event in events {
            // A set without secrets has no size.
            let new = event.set_digest.as_ref().filter(|digest| !wanted.contains(*digest));
            if let Some((digest, size)) = new.and_then(|digest| Some((digest, *sizes.get(digest)?))) {
                let is_first = self.received.is_empty() && wanted.is_empty();
                if size > self.left && !is_first {
                    break;
                }
                self.left = self.left.saturating_sub(size);
                wanted.insert(digest.clone());
            }
            fitting += 1;
        }
        let sets = audit::sets(self.db, self.within, &wanted.into_iter().collect::<Vec<_>>(), None).await?;
        let fitting = events.iter().take(fitting);
        Ok(fitting.take_while(|event| self.received.add(event, &sets)).count())
    }
}
