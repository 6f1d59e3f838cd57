//! Who holds which name, place and group.

use std::collections::HashMap;

use super::{Candidate, NotChosenReason};
use crate::Uid;
use crate::name::SecretId;
use crate::scope::Scope;
use crate::secret::Group;
use crate::target::Destination;

/// The slots taken so far.
#[derive(Default)]
pub(super) struct Slots<'a>(HashMap<Slot<'a>, Holder>);

#[derive(PartialEq, Eq, Hash)]
enum Slot<'a> {
    Name(&'a SecretId),
    Destination(Destination),
    Group(&'a Group),
}

#[derive(Clone, Copy)]
struct Holder {
    secret: Uid,
    scope: Scope,
    state: SlotState,
}

/// How a slot is held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotState {
    /// A winner that narrower scopes could have overridden.
    Open,
    /// A locked winner.
    Locked,
    /// A locked secret that is out of service.
    Blocked,
}

impl<'a> Slots<'a> {
    /// Takes every slot of the candidate, or none: then says which secret is in the way, and why that one.
    pub(super) fn claim(
        &mut self,
        candidate: &'a Candidate,
        state: SlotState,
    ) -> Result<(), (NotChosenReason, Option<Uid>)> {
        for slot in slots_of(candidate) {
            if let Some(holder) = self.0.get(&slot)
                && !slot.is_shared(holder, candidate)
            {
                return Err((slot.reason(holder, candidate), Some(holder.secret)));
            }
        }
        let holder = Holder { secret: candidate.secret, scope: candidate.scope, state };
        for slot in slots_of(candidate) {
            self.0.entry(slot).or_insert(holder);
        }
        Ok(())
    }
}

/// In the order in which they are reported: who asks why a name is not there is told of the name first.
fn slots_of(candidate: &Candidate) -> impl Iterator<Item = Slot<'_>> {
    let name = Slot::Name(&candidate.secret_id);
    let place = candidate.target.place(&candidate.secret_id).map(Slot::Destination);
    let group = candidate.group.as_ref().map(Slot::Group);
    std::iter::once(name).chain(place).chain(group)
}

impl Slot<'_> {
    /// A group is free for the scope that holds it.
    fn is_shared(&self, holder: &Holder, candidate: &Candidate) -> bool {
        matches!(self, Self::Group(_)) && holder.scope == candidate.scope
    }

    fn reason(&self, holder: &Holder, candidate: &Candidate) -> NotChosenReason {
        // A narrower lock that wins would have won unlocked too: then the lock is not the reason.
        let because_of_a_lock = match holder.state {
            SlotState::Open => false,
            SlotState::Locked => holder.scope.kind < candidate.scope.kind,
            SlotState::Blocked => true,
        };
        match self {
            _ if because_of_a_lock => NotChosenReason::LockedAbove,
            Self::Name(_) => NotChosenReason::LowerPrecedence,
            Self::Destination(_) => NotChosenReason::SameTarget,
            Self::Group(_) => NotChosenReason::GroupFromNarrowerScope,
        }
    }
}
