//! In which order secrets are listed.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use secrets_core::{SecretId, Timestamp, Uid};

/// By what, and from which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: OrderBy,
    /// From the last to the first.
    pub descending: bool,
}

/// By what secrets are ordered; what is equal there is ordered by name and uid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
    /// By name.
    #[default]
    SecretId,
    /// By when they were created.
    CreateTime,
    /// By when they were last changed.
    UpdateTime,
}

/// A text that is no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOrder;

/// Where a secret stands in an order. The text of one is the cursor of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The time it is ordered by; zero when by name.
    pub time: Timestamp,
    pub secret_id: SecretId,
    /// Its uid: two of one name may be listed when one is deleted or inherited.
    pub uid: Uid,
}

impl Order {
    /// Where a secret with these properties stands.
    pub fn sort_key(self, secret_id: &SecretId, uid: Uid, create: Timestamp, update: Timestamp) -> SortKey {
        let time = match self.by {
            OrderBy::SecretId => Timestamp::default(),
            OrderBy::CreateTime => create,
            OrderBy::UpdateTime => update,
        };
        SortKey { time, secret_id: secret_id.clone(), uid }
    }

    /// Which of two comes first.
    pub fn compare(self, a: &SortKey, b: &SortKey) -> Ordering {
        let ascending = (a.time, &a.secret_id, a.uid).cmp(&(b.time, &b.secret_id, b.uid));
        if self.descending { ascending.reverse() } else { ascending }
    }
}

/// `secret_id`, `create_time` or `update_time`, optionally followed by ` asc` or ` desc`; nothing is `secret_id`.
impl FromStr for Order {
    type Err = InvalidOrder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_ascii_whitespace();
        let by = match words.next() {
            None | Some("secret_id") => OrderBy::SecretId,
            Some("create_time") => OrderBy::CreateTime,
            Some("update_time") => OrderBy::UpdateTime,
            Some(_) => return Err(InvalidOrder),
        };
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(InvalidOrder),
        };
        if words.next().is_some() { Err(InvalidOrder) } else { Ok(Self { by, descending }) }
    }
}

impl fmt::Display for InvalidOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `secret_id`, `create_time` or `update_time`, optionally followed by ` desc`")
    }
}

impl std::error::Error for InvalidOrder {}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.time.as_micros(), self.secret_id, self.uid)
    }
}

/// Of a text that [`SortKey`] displayed; page tokens are authenticated, so that no other comes.
impl FromStr for SortKey {
    type Err = InvalidOrder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(InvalidOrder);
        let time = word()?.parse().map(Timestamp::from_micros).map_err(|_| InvalidOrder)?;
        let secret_id = SecretId::parse(word()?, secrets_core::NamePolicy::Relaxed).map_err(|_| InvalidOrder)?;
        let uid = Uid::try_parse(word()?).map_err(|_| InvalidOrder)?;
        Ok(Self { time, secret_id, uid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_orders_and_no_others() {
        for (text, by, descending) in [
            ("", OrderBy::SecretId, false),
            ("secret_id", OrderBy::SecretId, false),
            ("create_time desc", OrderBy::CreateTime, true),
            ("update_time asc", OrderBy::UpdateTime, false),
        ] {
            assert_eq!(text.parse(), Ok(Order { by, descending }), "{text}");
        }
        for text in ["name", "secret_id down", "secret_id desc desc", "secret_id,create_time", "desc"] {
            assert_eq!(text.parse::<Order>(), Err(InvalidOrder), "{text}");
        }
    }

    #[test]
    fn a_cursor_reads_back() {
        let secret_id = SecretId::parse("A_B", secrets_core::NamePolicy::Strict).unwrap();
        let order = Order { by: OrderBy::UpdateTime, descending: true };
        let at = order.sort_key(&secret_id, Uid::from_u128(7), Timestamp::default(), Timestamp::from_micros(-5));
        assert_eq!(at.to_string().parse(), Ok(at));
    }
}
