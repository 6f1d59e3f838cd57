//! ListAuditEvents: who did what, and who received which secret.

use std::collections::BTreeMap;

use secrets_core::{OrganizationId, Resource, RoleResourceName, ScopeName, SecretName, Timestamp, Uid, right};

use super::names::Names;
use crate::audit::{Outcome, Source, Subject};
use crate::call::purpose::Purpose;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::store::KeyedConnection;
use crate::store::audit::{self, AuditFilter, AuditRecord};
use crate::store::organization::Organization;
use crate::store::secret;

/// What the page token is bound to begins with.
const QUERY: &str = "ListAuditEvents";

/// A page ends before it weighs more, so that it fits a message of 4 MiB. What was delivered from four full scopes weighs half.
const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;
/// What an event has beside what it delivered and its details, each part of which is bounded.
const EVENT_BYTES: usize = 1_024;
/// The path, uid and version of a secret that was delivered.
const DELIVERY_BYTES: usize = 384;
/// How many events are read at once: the details of one may have the better part of a megabyte.
const MAX_ROWS_PER_QUERY: usize = 100;
/// Through how many events a page looks for those that it is asked for. The interface promises it.
const MAX_EVENTS_SEARCHED: u64 = 10_000;

/// What ListAuditEvents is asked.
pub struct EventQuestion {
    /// Whose events; none: those outside any organization.
    pub organization: Option<OrganizationId>,
    /// Only those about, or deliveries of, this secret.
    pub secret: Option<SecretName>,
    /// Only those of this principal, by resource path.
    pub principal: Option<String>,
    /// Only those of this action.
    pub action: Option<String>,
    /// Only those with this outcome.
    pub outcome: Option<Outcome>,
    /// Only those about this project or workspace, or what is below it.
    pub scope: Option<ScopeName>,
    /// Without those of calls that were for this.
    pub without: Option<Purpose>,
    /// Only those from then on.
    pub from: Option<Timestamp>,
    /// Only those before then.
    pub until: Option<Timestamp>,
    pub page: Page,
}

/// A page of events, newest first.
pub struct EventPage {
    pub events: Vec<ListedEvent>,
    /// Empty on the last page.
    pub next_page_token: String,
    /// How many it has left out because of what they were for.
    pub excluded: u64,
}

/// An event as the caller may see it.
pub struct ListedEvent {
    pub row: AuditRecord,
    /// What it was about: a resource path, or of another user's secret the uid alone.
    pub resource: String,
    /// What was copied, named like `resource`; empty unless something was.
    pub source: String,
    pub delivered: Vec<DeliveredSecret>,
}

/// A secret that was delivered.
pub struct DeliveredSecret {
    /// Its resource path, if the caller may see it and it is still there.
    pub name: Option<SecretName>,
    pub uid: Uid,
    pub version: u32,
}

impl Service {
    /// Lists events: of the platform for the operator, of an organization for its admins and auditors, and about a user's
    /// own secret for that user alone.
    pub async fn list_audit_events(&self, call: &mut OpenCall, question: EventQuestion) -> Result<EventPage, Error> {
        let db = self.read(call).await?;
        let (organization, secrets) = self.authorize_reading(&db, call, &question).await?;
        let within = organization.as_ref().map(|organization| organization.uid);
        let bound = bound(&question);
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let after = self.cursor(&bound, &question.page.token)?.map(|cursor| position(&cursor)).transpose()?;

        let filter = AuditFilter {
            secrets,
            principal: question.principal,
            action: question.action,
            outcome: question.outcome.map(Outcome::as_str),
            below: question.scope.as_ref().map(ToString::to_string),
            or_detailed: question.scope.as_ref().map(|scope| Source::prefix_below(&scope.to_string())),
            without: question.without,
            from: question.from,
            until: question.until,
        };
        let size = usize::try_from(question.page.size).unwrap_or(usize::MAX);
        let Rows { rows, next, excluded } = page_rows(&db, within, filter.clone(), after, size).await?;
        let organization_uid = within.unwrap_or_default();
        let sets = audit::sets(&db, organization_uid, &digests(&rows), filter.secrets.as_deref()).await?;
        let names = match &organization {
            Some(organization) => Names::load(&db, call, organization, &rows, &sets).await?,
            None => Names::default(),
        };
        drop(db);

        let last = next.map(|(time, uid)| format!("{}.{uid}", time.as_micros()));
        Ok(EventPage {
            next_page_token: last.map(|cursor| self.page_token(&bound, &cursor)).unwrap_or_default(),
            events: rows.into_iter().map(|row| listed(row, &sets, &names)).collect(),
            excluded,
        })
    }

    /// The organization, and the secrets that are asked for, once the caller may read about them.
    async fn authorize_reading(
        &self,
        db: &impl KeyedConnection,
        call: &mut OpenCall,
        question: &EventQuestion,
    ) -> Result<(Option<Organization>, Option<Vec<Uid>>), Error> {
        let Some(id) = &question.organization else {
            call.require::<right::ReadAudit>(&(
                Subject::new(None, "platform", None),
                Resource::Platform,
                RoleResourceName::Platform,
            ))?;
            return Ok((None, None));
        };
        let organization = self.locate_organization(db, call, id).await?;
        let whole = Resource::Organization(organization.uid);
        let path = ScopeName::Organization(id.clone());
        let subject = Subject::new(organization.uid, &path, organization.uid);
        call.identify(subject.clone());
        let Some(name) = &question.secret else {
            call.require::<right::ReadAudit>(&(subject, whole, path))?;
            return Ok((Some(organization), None));
        };
        let scope = self.locate_scope(db, call, &name.scope).await?;
        let own = matches!(scope.resource, Resource::User { .. });
        let (resource, path) = if own { (scope.resource, &scope.name) } else { (whole, &path) };
        call.require::<right::ReadAudit>(&(subject, resource, path))?;
        scope.must_exist()?;
        let secrets = secret::uids_named(db, organization.uid, scope.scope, &name.secret_id).await?;
        if secrets.is_empty() {
            // An empty list would look as if nobody had read it.
            return Err(Error::new(Reason::SecretNotFound, format!("there is no secret `{name}`")));
        }
        Ok((Some(organization), Some(secrets)))
    }
}

/// What all pages of one list have in common. What is asked for since a later release is there only where it is asked for: a page
/// token of the release before is good for the next page here, and the other way round.
fn bound(question: &EventQuestion) -> Vec<String> {
    let time = |time: Option<Timestamp>| time.map(|time| time.as_micros().to_string()).unwrap_or_default();
    let mut bound = vec![
        QUERY.to_owned(),
        question.organization.as_ref().map(ToString::to_string).unwrap_or_default(),
        question.secret.as_ref().map(ToString::to_string).unwrap_or_default(),
        question.principal.clone().unwrap_or_default(),
        time(question.from),
        time(question.until),
        question.action.clone().unwrap_or_default(),
        question.outcome.map(Outcome::as_str).unwrap_or_default().to_owned(),
        question.scope.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    bound.extend(question.without.map(|Purpose::Completion| "without completion".to_owned()));
    bound
}

fn position(cursor: &str) -> Result<(Timestamp, Uid), Error> {
    let parsed = cursor
        .split_once('.')
        .and_then(|(micros, uid)| Some((Timestamp::from_micros(micros.parse().ok()?), Uid::try_parse(uid).ok()?)));
    // It was made here: only its MAC is for the caller to get wrong.
    parsed.ok_or_else(|| Error::internal("a page token of ours holds no position"))
}

fn digests(rows: &[AuditRecord]) -> Vec<Vec<u8>> {
    let mut digests: Vec<_> = rows.iter().filter_map(|row| row.set_digest.clone()).collect();
    digests.sort();
    digests.dedup();
    digests
}

/// What a page is made of.
struct Rows {
    rows: Vec<AuditRecord>,
    /// Behind what the next page goes on, if there is one.
    next: Option<(Timestamp, Uid)>,
    /// How many were left out because of what they were for.
    excluded: u64,
}

async fn page_rows(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    mut filter: AuditFilter,
    after: Option<(Timestamp, Uid)>,
    size: usize,
) -> Result<Rows, Error> {
    // What no index answers is looked for among so many events; the next page looks on.
    let floor = match filter.is_searched() {
        true => audit::floor(db, organization, &filter, after, MAX_EVENTS_SEARCHED).await?,
        false => None,
    };
    filter.from = floor.or(filter.from);
    let (rows, next) = fill(db, organization, &filter, after, size).await?;
    let excluded = audit::count_left_out(db, organization, &filter, after, next).await?;
    // No uid is less: behind all events of that time.
    Ok(Rows { rows, next: next.or(floor.map(|time| (time, Uid::nil()))), excluded })
}

/// As many rows as a page has room for, and the last of them, if there are more.
async fn fill(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    filter: &AuditFilter,
    mut after: Option<(Timestamp, Uid)>,
    size: usize,
) -> Result<(Vec<AuditRecord>, Option<(Timestamp, Uid)>), Error> {
    let mut filling = Filling::new(size);
    loop {
        // One more than the page has room for, to know whether there is another.
        let limit = filling.room().saturating_add(1).min(MAX_ROWS_PER_QUERY);
        let read = audit::list(db, organization, filter, after, limit as u64).await?;
        let is_last = read.len() < limit;
        after = read.last().map(|row| (row.create_time, row.uid));
        let sizes = match filter.secrets {
            // Of each event only what it delivered of these is listed.
            Some(_) => BTreeMap::new(),
            None => audit::set_sizes(db, organization.unwrap_or_default(), &digests(&read)).await?,
        };
        for row in read {
            if !filling.add(row, &sizes) {
                let last = filling.rows.last().map(|row| (row.create_time, row.uid));
                return Ok((filling.rows, last));
            }
        }
        if is_last {
            return Ok((filling.rows, None));
        }
    }
}

/// A page that is being filled.
struct Filling {
    rows: Vec<AuditRecord>,
    size: usize,
    bytes: usize,
}

impl Filling {
    fn new(size: usize) -> Self {
        Self { rows: Vec::new(), size, bytes: 0 }
    }

    fn room(&self) -> usize {
        self.size.saturating_sub(self.rows.len())
    }

    /// Adds an event, unless the page is full without it. No page stays empty.
    fn add(&mut self, row: AuditRecord, sizes: &BTreeMap<Vec<u8>, u64>) -> bool {
        self.bytes = self.bytes.saturating_add(weight(&row, sizes));
        let fits = self.rows.is_empty() || (self.room() > 0 && self.bytes <= MAX_PAGE_BYTES);
        if fits {
            self.rows.push(row);
        }
        fits
    }
}

/// About how many bytes of an answer an event takes, and never fewer. Its details take no more than the JSON that is stored.
fn weight(row: &AuditRecord, sizes: &BTreeMap<Vec<u8>, u64>) -> usize {
    let delivered = row.set_digest.as_ref().and_then(|digest| sizes.get(digest)).copied().unwrap_or(1);
    let delivered = usize::try_from(delivered).unwrap_or(usize::MAX).saturating_mul(DELIVERY_BYTES);
    EVENT_BYTES.saturating_add(row.detail.len()).saturating_add(delivered)
}

fn listed(row: AuditRecord, sets: &BTreeMap<Vec<u8>, Vec<(Uid, u32)>>, names: &Names) -> ListedEvent {
    let set = row.set_digest.as_ref().and_then(|digest| sets.get(digest));
    let mut delivered: Vec<_> = set
        .into_iter()
        .flatten()
        .map(|(uid, version)| DeliveredSecret { name: names.get(*uid), uid: *uid, version: *version })
        .collect();
    delivered.sort_by(|a, b| (a.name.is_none(), &a.name, a.uid).cmp(&(b.name.is_none(), &b.name, b.uid)));
    ListedEvent { resource: names.resource(&row), source: names.source(&row), row, delivered }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(digest: Option<u8>) -> AuditRecord {
        AuditRecord {
            set_digest: digest.map(|byte| vec![byte]),
            ..AuditRecord::without_call(Uid::nil(), Timestamp::from_micros(0), "", "")
        }
    }

    /// How many of the events are on a page of that size.
    fn fitting(size: usize, rows: impl IntoIterator<Item = AuditRecord>) -> usize {
        let sizes = BTreeMap::from([(vec![1], 4_000), (vec![2], 3_000), (vec![3], 20_000)]);
        let mut filling = Filling::new(size);
        for row in rows {
            if !filling.add(row, &sizes) {
                break;
            }
        }
        filling.rows.len()
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_but_is_never_empty() {
        for (digests, expected) in [
            (vec![Some(1), Some(2)], 2),
            (vec![Some(1), None, Some(2), None, Some(2)], 4),
            (vec![Some(1), Some(1), Some(1)], 2),
            (vec![Some(3), Some(2)], 1),
            (vec![None, None], 2),
            (vec![], 0),
        ] {
            assert_eq!(fitting(1_000, digests.iter().copied().map(event)), expected, "{digests:?}");
        }
        assert_eq!(fitting(3, (0..5).map(|_| event(None))), 3);
    }

    #[test]
    fn details_weigh_as_much_as_they_take() {
        let detailed = || AuditRecord { detail: "x".repeat(800_000), ..event(None) };
        assert_eq!(fitting(1_000, (0..10).map(|_| detailed())), 3);
        let heavier = AuditRecord { detail: "x".repeat(2 * MAX_PAGE_BYTES), ..event(None) };
        assert_eq!(fitting(1_000, [heavier, event(None)]), 1);
    }

    #[test]
    fn a_plain_list_has_the_page_tokens_of_the_release_before() {
        let question = |without| EventQuestion {
            organization: Some("acme".parse().unwrap()),
            secret: None,
            principal: None,
            action: None,
            outcome: Some(Outcome::Denied),
            scope: None,
            without,
            from: None,
            until: Some(Timestamp::from_micros(5)),
            page: Page { size: 10, token: String::new() },
        };
        let plain = ["ListAuditEvents", "acme", "", "", "", "5", "", "DENIED", ""];
        assert_eq!(bound(&question(None)), plain);
        assert_eq!(bound(&question(Some(Purpose::Completion))), [plain.as_slice(), &["without completion"]].concat());
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let uid = Uid::from_u128(7);
        assert_eq!(position(&format!("-5.{uid}")).unwrap(), (Timestamp::from_micros(-5), uid));
        assert!(position("5").is_err());
    }
}
