//! Which secret occupies which name, destination and group.

use std::collections::HashMap;

use super::{Candidate, NotChosenReason};
use crate::Uid;
use crate::name::SecretId;
use crate::scope::Scope;
use crate::secret::Group;
use crate::target::Destination;

/// The slots taken so far.
#[derive(Default)]
pub(super) struct Slots<'a>(HashMap<Slot<'a>, Occupant>);

#[derive(PartialEq, Eq, Hash)]
enum Slot<'a> {
    Name(&'a SecretId),
    Destination(Destination),
    Group(&'a Group),
}

#[derive(Clone, Copy)]
struct Occupant {
    secret: Uid,
    scope: Scope,
    state: SlotState,
}

/// How a slot is occupied.
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
            if let Some(occupant) = self.0.get(&slot)
                && !slot.is_shared(occupant, candidate)
            {
                return Err((slot.reason(occupant, candidate), Some(occupant.secret)));
            }
        }
        let occupant = Occupant { secret: candidate.secret, scope: candidate.scope, state };
        for slot in slots_of(candidate) {
            self.0.entry(slot).or_insert(occupant);
        }
        Ok(())
    }
}

/// In the order in which they are reported: somebody who asks why a name is absent wants to know about the name first.
fn slots_of(candidate: &Candidate) -> impl Iterator<Item = Slot<'_>> {
    let name = Slot::Name(&candidate.secret_id);
    let destination = candidate.target.destination(&candidate.secret_id).map(Slot::Destination);
    let group = candidate.group.as_ref().map(Slot::Group);
    std::iter::once(name).chain(destination).chain(group)
}

impl Slot<'_> {
    /// A group is free for the scope that occupies it.
    fn is_shared(&self, occupant: &Occupant, candidate: &Candidate) -> bool {
        matches!(self, Self::Group(_)) && occupant.scope == candidate.scope
    }

    fn reason(&self, occupant: &Occupant, candidate: &Candidate) -> NotChosenReason {
        // A narrower lock that wins would have won unlocked too: then the lock is not the reason.
        let because_of_a_lock = match occupant.state {
            SlotState::Open => false,
            SlotState::Locked => occupant.scope.kind < candidate.scope.kind,
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
