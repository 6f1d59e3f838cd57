/// What a call was for, as its caller said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A shell asked for names, because somebody let it complete what they typed.
    Completion,
}

impl Purpose {
    /// As it is stored. It never changes; 0 stands for none.
    pub(super) const fn number(self) -> i16 {
        match self {
            Self::Completion => 1,
        }
    }

    /// None also for what a newer server has stored: nothing depends on it.
    pub(super) fn from_number(number: i16) -> Option<Self> {
        [Self::Completion].into_iter().find(|purpose| purpose.number() == number)
    }
}
