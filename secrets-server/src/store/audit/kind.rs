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

    /// As it is stored. It never changes.
    pub(super) const fn number(self) -> i16 {
        match self {
            Self::Change => 0,
            Self::Delivery => 1,
            Self::Read => 2,
            Self::Refusal => 3,
            Self::DeliveringChange => 4,
        }
    }

    pub(super) fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}
