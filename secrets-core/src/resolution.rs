//! The one right answer: which of the secrets that could serve a context win, and why the others do not.
//!
//! A secret claims up to three slots: its name, its destination and, if it has a group, that group for its scope. Locked
//! secrets take their turn first, from the broadest scope to the narrowest; then the others, from the narrowest to the
//! broadest. Each wins if every slot it claims is free. An expired or disabled secret can't win, but a locked one still
//! takes the slots that it would have won with: disabling a lock must not open what it closed.
//!
//! What follows is tested as properties in `tests/policy/resolution.rs`: the order of the input never matters; adding
//! an unlocked secret changes nothing for narrower scopes, nor for anything locked; taking a lock out of service changes
//! no other winner; every candidate comes out exactly once; no two winners share a slot; a filter only removes.

mod candidate;
mod filter;
mod slots;

use std::cmp::Reverse;

use crate::Uid;
use crate::context::Context;
use crate::time::Timestamp;

pub use candidate::Candidate;
pub use filter::Filter;
use slots::{SlotState, Slots};

/// The answer for one context at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The effective set, ordered by name.
    pub winners: Vec<Candidate>,
    /// The other candidates, ordered by name; those of one name from the narrowest scope to the broadest.
    pub not_chosen: Vec<NotChosen>,
    /// The next time at which this answer, reasons included, changes by itself; `None` if it never does.
    pub valid_until: Option<Timestamp>,
}

/// A candidate that did not win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChosen {
    /// The candidate.
    pub candidate: Candidate,
    /// Why it did not win.
    pub reason: NotChosenReason,
    /// The secret that occupies the slot it wanted, if the reason is one of the four about slots.
    pub blocked_by: Option<Uid>,
}

/// Why a candidate did not win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotChosenReason {
    /// A narrower scope has a secret of that name.
    LowerPrecedence,
    /// A locked secret occupies the name, destination or group: one of a broader scope, or one that is itself expired or
    /// disabled and keeps its slots blocked.
    LockedAbove,
    /// A secret of another name has the same variable, path or registry host.
    SameTarget,
    /// Another scope, narrower, delivers the group.
    GroupFromNarrowerScope,
    /// It has expired.
    Expired,
    /// It is disabled.
    Disabled,
    /// It does not reach the context.
    NotVisible,
}

crate::wire_enum::wire_enum!(NotChosenReason, "reason", {
    LowerPrecedence => "LOWER_PRECEDENCE",
    LockedAbove => "LOCKED_ABOVE",
    SameTarget => "SAME_TARGET",
    GroupFromNarrowerScope => "GROUP_FROM_NARROWER_SCOPE",
    Expired => "EXPIRED",
    Disabled => "DISABLED",
    NotVisible => "NOT_VISIBLE",
});

/// Chooses, for `context` at time `now`, which of the `candidates` win, and says of every other one why not.
///
/// The candidates are all secrets of the context's scopes, deleted ones excepted; one that does not belong to the
/// context comes out as [`NotChosenReason::NotVisible`].
pub fn resolve(context: &Context, now: Timestamp, mut candidates: Vec<Candidate>) -> Resolution {
    candidates.sort_by(|a, b| a.turn().cmp(&b.turn()));
    let mut slots = Slots::default();
    let verdicts: Vec<_> = candidates.iter().map(|candidate| judge(context, now, candidate, &mut slots)).collect();

    let mut resolution = Resolution::default();
    for (candidate, verdict) in candidates.into_iter().zip(verdicts) {
        // An end of life that is still to come is the only thing that changes an answer by itself.
        if !matches!(
            verdict,
            Err((NotChosenReason::NotVisible | NotChosenReason::Disabled | NotChosenReason::Expired, _))
        ) {
            resolution.valid_until = resolution.valid_until.into_iter().chain(candidate.expire_time).min();
        }
        match verdict {
            Ok(()) => resolution.winners.push(candidate),
            Err((reason, blocked_by)) => resolution.not_chosen.push(NotChosen { candidate, reason, blocked_by }),
        }
    }
    resolution.winners.sort_by(|a, b| a.secret_id.cmp(&b.secret_id));
    resolution.not_chosen.sort_by(|a, b| a.rank().cmp(&b.rank()));
    resolution
}

/// Whether a candidate wins when its turn comes; if not, why not and because of which secret.
fn judge<'a>(
    context: &Context,
    now: Timestamp,
    candidate: &'a Candidate,
    slots: &mut Slots<'a>,
) -> Result<(), (NotChosenReason, Option<Uid>)> {
    if !candidate.is_visible_to(context) {
        return Err((NotChosenReason::NotVisible, None));
    }
    let out_of_service = match candidate {
        // A disabled secret stays disabled when it expires: the answer then does not change.
        Candidate { disabled: true, .. } => Some(NotChosenReason::Disabled),
        Candidate { expire_time: Some(end), .. } if *end <= now => Some(NotChosenReason::Expired),
        _ => None,
    };
    match out_of_service {
        None => slots.claim(candidate, if candidate.is_locked() { SlotState::Locked } else { SlotState::Open }),
        Some(reason) => {
            if candidate.is_locked() {
                // Whether it gets them or not, the reason is its own.
                let _ = slots.claim(candidate, SlotState::Blocked);
            }
            Err((reason, None))
        }
    }
}

impl NotChosen {
    fn rank(&self) -> impl Ord {
        (&self.candidate.secret_id, Reverse(self.candidate.scope), self.candidate.secret)
    }
}
