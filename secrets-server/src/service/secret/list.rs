//! ListSecrets.

pub mod filter;
mod inherited;
mod order;

use secrets_core::ScopeName;
use tokio::task::yield_now;

pub use filter::{Filter, Filtered, InvalidFilter};
pub use order::{InvalidOrder, Order, OrderBy, SortKey};

use super::readable_scope::ReadableScope;
use super::view::SecretView;
use super::visibility::Reached;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::store::KeyedConnection;
use crate::store::secret::{self, SecretQuery, SecretWithVersion};

/// A page is cut short before it weighs much more: an answer has at most 4 MiB.
const MAX_PAGE_BYTES: usize = 3 * 1024 * 1024;

/// What ListSecrets is asked for.
pub struct ListSecrets {
    pub scope: ScopeName,
    /// How many, and from where.
    pub page: Page,
    pub filter: Filter,
    pub order: Order,
    /// Filter and order as they were written, to which a page token is bound.
    pub query: [String; 2],
    /// Deleted ones too, while they can be undeleted.
    pub show_deleted: bool,
    /// Those of broader scopes too.
    pub include_inherited: bool,
}

/// A page of secrets.
pub struct ListedSecrets {
    pub secrets: Vec<SecretView>,
    /// The token of the next page; empty on the last.
    pub next: String,
    pub total: usize,
}

impl Service {
    /// Lists the secrets of a scope that the caller may see, and on request what its contexts inherit. A scope is bounded, so
    /// that it is read as a whole, and filtered and ordered here.
    pub async fn list_secrets(&self, call: &mut OpenCall, input: ListSecrets) -> Result<ListedSecrets, Error> {
        let db = &self.read(call).await?;
        let reading = self.read_secrets(db, call, &input.scope, None).await?;
        let scope = reading.located.scope.uid.to_string();
        let flags = format!("{} {}", input.show_deleted, input.include_inherited);
        let [filter, order_by] = &input.query;
        let query = ["ListSecrets", &scope, filter, order_by, &flags];
        let after = self.cursor(&query, &input.page.token)?;
        let after: Option<SortKey> = after.map(|cursor| cursor.parse().map_err(Error::internal)).transpose()?;

        let mut secrets = if input.include_inherited {
            self.with_inherited(db, call, &reading).await?
        } else {
            self.own(db, &reading, false).await?
        };
        if input.show_deleted {
            let gone = self.own(db, &reading, true).await?;
            let can_return = |shown: &SecretView| shown.current.secret.purge_time.is_some_and(|end| end > call.now);
            secrets.extend(gone.into_iter().filter(can_return));
        }
        yield_now().await;
        secrets.retain(|shown| input.filter.matches(filtered(&shown.current)));
        yield_now().await;
        let mut placed: Vec<_> = secrets.into_iter().map(|shown| (sort_key(input.order, &shown), shown)).collect();
        placed.sort_by(|(a, _), (b, _)| input.order.compare(a, b));
        yield_now().await;
        let total = placed.len();
        if let Some(after) = &after {
            placed.retain(|(at, _)| input.order.compare(at, after).is_gt());
        }
        let left = placed.len();
        placed.truncate(usize::try_from(input.page.size).unwrap_or(usize::MAX));
        let mut secrets: Vec<_> = placed.into_iter().map(|(_, shown)| shown).collect();
        name_what_they_reach(db, &reading, &mut secrets).await?;
        secrets.truncate(fitting(&secrets));
        let next = match secrets.last() {
            Some(last) if secrets.len() < left => self.page_token(&query, &sort_key(input.order, last).to_string()),
            _ => String::new(),
        };
        Ok(ListedSecrets { secrets, next, total })
    }

    /// The live secrets of the scope itself that the caller sees, or the deleted ones.
    async fn own(
        &self,
        db: &impl KeyedConnection,
        reading: &ReadableScope,
        deleted: bool,
    ) -> Result<Vec<SecretView>, Error> {
        let (organization, scope) = (reading.located.organization.uid, reading.located.scope);
        let query = SecretQuery { show_deleted: deleted, ..SecretQuery::default() };
        let mut found = secret::every(db, organization, scope, query).await?;
        found.retain(|current| current.secret.delete_time.is_some() == deleted);
        Ok(found.into_iter().filter_map(|current| reading.shown(&reading.located.name, current)).collect())
    }
}

impl ReadableScope {
    /// A secret of `scope` with as much of its selection as the caller sees; none if not even the secret. The names of what it
    /// reaches are looked up for a page as a whole.
    fn shown(&self, scope: &ScopeName, mut current: SecretWithVersion) -> Option<SecretView> {
        current.secret.visibility = self.listing.shows(&current.secret.visibility)?;
        Some(SecretView::new(scope, current, &Reached::default()))
    }
}

async fn name_what_they_reach(
    db: &impl KeyedConnection,
    reading: &ReadableScope,
    secrets: &mut [SecretView],
) -> Result<(), Error> {
    let visibilities = secrets.iter().map(|shown| &shown.current.secret.visibility);
    let reached = Reached::by(db, reading.located.organization.uid, visibilities).await?;
    for shown in secrets {
        shown.visibility = reached.names(&shown.current.secret.visibility);
    }
    Ok(())
}

/// How many of the secrets fit one message, at least one.
fn fitting(secrets: &[SecretView]) -> usize {
    let mut room = MAX_PAGE_BYTES;
    let fit = secrets.iter().take_while(|shown| {
        let fits = room > 0;
        room = room.saturating_sub(shown.weight());
        fits
    });
    fit.count()
}

fn filtered(current: &SecretWithVersion) -> Filtered<'_> {
    Filtered {
        secret_id: &current.secret.secret_id,
        group: current.secret.group.as_ref(),
        labels: &current.secret.labels,
        target: current.version.target.kind(),
        disabled: current.secret.disabled,
    }
}

fn sort_key(order: Order, shown: &SecretView) -> SortKey {
    let secret = &shown.current.secret;
    order.sort_key(&secret.secret_id, secret.uid, secret.create_time, secret.update_time)
}
