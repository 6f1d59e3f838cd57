//! What stands in a secret's value's place wherever a person looks at it.

/// The same for every value, so that it tells neither length nor beginning nor end.
pub const MASK: &str = "••••••••";
