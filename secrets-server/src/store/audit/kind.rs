/// What kind of event it is: for how long it is kept depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// Something was changed, or is wrong with what is stored.
    Change,
    /// Values were delivered, or a watch was opened that tells of each change.
    Delivery,
    /// Somebody looked at what is no value.
    Read,
    /// It was denied, or failed.
    Refusal,
    /// Something was changed, and its caller learned something of values: a copy, or what was compared.
    DeliveringChange,
}

impl AuditKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Change, Self::Delivery, Self::Read, Self::Refusal, Self::DeliveringChange];

    /// As it is stored. It never changes, and there are no more of them: a server of another release reads the same table during an
    /// upgrade. Of two kinds with one number, the event's set tells which it is.
    pub(super) const fn number(self) -> i16 {
        match self {
            Self::Change | Self::DeliveringChange => 0,
            Self::Delivery => 1,
            Self::Read => 2,
            Self::Refusal => 3,
        }
    }

    /// Whether an event of this kind names a set, where only that tells it from another kind.
    pub(super) const fn names_a_set(self) -> Option<bool> {
        match self {
            Self::Change => Some(false),
            Self::DeliveringChange => Some(true),
            Self::Delivery | Self::Read | Self::Refusal => None,
        }
    }

    /// The kind of a stored event. A number that this release does not know reads as a change; the purge leaves it to a release that
    /// knows it.
    pub(super) fn stored(number: i16, names_a_set: bool) -> Self {
        let kind = Self::ALL
            .into_iter()
            .find(|kind| kind.number() == number && kind.names_a_set().is_none_or(|told| told == names_a_set));
        kind.unwrap_or(Self::Change)
    }
}
