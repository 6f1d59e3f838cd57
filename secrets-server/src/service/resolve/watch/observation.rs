//! A context as it was observed: what Resolve would deliver to this caller now, without the values.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::authorize::right;
use secrets_core::{ContextName, Principal, SecretId, Timestamp, Uid};
use tokio::task::yield_now;

use super::WatchQuestion;
use super::event::{Happened, WatchEvent, Watched};
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::Authorize;
use crate::service::resolve::evaluate::Asked;
use crate::service::resolve::resolved_set::ResolvedSet;
use crate::store::revision::Revision;

/// What was observed.
pub(super) struct Observation {
    pub(super) organization: Uid,
    /// The scopes on which the answer, and the right to it, depend.
    pub(super) scopes: BTreeSet<Uid>,
    /// Identifies what would be delivered.
    pub(super) etag: String,
    /// The revision that was read.
    pub(super) revision: Revision,
    context: ContextName,
    next_change_time: Option<Timestamp>,
    /// When the caller's credential ends.
    expire_time: Option<Timestamp>,
    secrets: BTreeMap<SecretId, Watched>,
}

impl Service {
    /// Observes a context for whoever may have its values: nobody else may know when they change.
    pub(super) async fn observe(
        &self,
        call: &mut impl Authorize,
        question: &WatchQuestion,
    ) -> Result<Observation, Error> {
        let db = self.read(call).await?;
        let asked = Asked { context: question.context.clone(), in_pieces: true, ..Asked::default() };
        let evaluation = self.evaluate::<right::ReceiveValues>(&db, call, asked).await?;
        drop(db);
        yield_now().await;

        let filter = evaluation.narrowed(question.filter.clone());
        let chosen = evaluation.chosen(&filter);
        let answer = ResolvedSet::new(self, &evaluation, &filter, &chosen);
        yield_now().await;
        let located = &evaluation.located;
        let secrets = chosen.iter().filter_map(|current| Watched::new(located, current));
        let scopes = located.context.scopes().map(|scope| scope.uid).chain(caller(&call.caller.principal));
        Ok(Observation {
            organization: located.context.organization,
            scopes: scopes.collect(),
            etag: answer.etag,
            revision: answer.revision,
            next_change_time: answer.next_change_time,
            expire_time: call.caller.expire_time,
            secrets: secrets.map(|secret| (secret.name.secret_id.clone(), secret)).collect(),
            context: answer.context,
        })
    }
}

/// The caller, and for a session who created it: their standing decides too.
fn caller(principal: &Principal) -> impl Iterator<Item = Uid> + use<> {
    [Some(principal.reference().uid), principal.account().map(|account| account.reference().uid)].into_iter().flatten()
}

impl Observation {
    /// The secrets, by name; a second time there are none.
    pub(super) fn take_secrets(&mut self) -> BTreeMap<SecretId, Watched> {
        std::mem::take(&mut self.secrets)
    }

    /// When the answer, or the caller's right to it, changes without anybody changing anything.
    pub(super) fn changes_by_itself(&self) -> Option<Timestamp> {
        self.next_change_time.into_iter().chain(self.expire_time).min()
    }

    /// Everything.
    pub(super) fn set(&self, secrets: &BTreeMap<SecretId, Watched>) -> WatchEvent {
        let secrets = secrets.values().cloned().collect();
        self.event(Happened::Set { context: self.context.clone(), secrets })
    }

    /// Nothing.
    pub(super) fn heartbeat(&self) -> WatchEvent {
        self.event(Happened::Nothing)
    }

    /// What is different from an earlier observation, if anything is.
    pub(super) fn changed(
        &self,
        before: &Self,
        notified: &BTreeMap<SecretId, Watched>,
        secrets: &BTreeMap<SecretId, Watched>,
    ) -> Option<WatchEvent> {
        let differs = |name: &SecretId, secret: &Watched| notified.get(name).is_some_and(|known| known != secret);
        let those = |which: &dyn Fn(&SecretId, &Watched) -> bool| -> Vec<Watched> {
            secrets.iter().filter(|(name, secret)| which(name, secret)).map(|(_, secret)| secret.clone()).collect()
        };
        let added = those(&|name, _| !notified.contains_key(name));
        let updated = those(&differs);
        let removed: Vec<SecretId> = notified.keys().filter(|name| !secrets.contains_key(name)).cloned().collect();
        let delivery_changed = self.etag != before.etag;
        if added.is_empty() && updated.is_empty() && removed.is_empty() && !delivery_changed {
            return None;
        }
        Some(self.event(Happened::Change { added, updated, removed, delivery_changed }))
    }

    fn event(&self, happened: Happened) -> WatchEvent {
        WatchEvent {
            happened,
            etag: self.etag.clone(),
            revision: self.revision,
            next_change_time: self.next_change_time,
        }
    }
}
