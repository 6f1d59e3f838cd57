//! How fresh a response must be.

use secrets_core::Uid;
use secrets_proto::v1;
use secrets_proto::v1::consistency::Requirement;

use crate::error::Error;
use crate::rpc::encode;
use crate::store::revision::Revision;

/// The revision that a response must include, if any. Every response is read from the database, which is all that
/// `fully_consistent` asks for.
pub fn at_least(consistency: Option<v1::Consistency>) -> Result<Option<Revision>, Error> {
    match consistency.and_then(|consistency| consistency.requirement) {
        None | Some(Requirement::MinimizeLatency(_) | Requirement::FullyConsistent(_)) => Ok(None),
        Some(Requirement::AtLeastAsFresh(token)) => revision(&token).map(Some).ok_or_else(|| {
            Error::invalid("consistency.at_least_as_fresh", "must be the `revision` of an earlier response, unaltered")
        }),
    }
}

/// Reads what [`encode::revision`] wrote.
fn revision(token: &str) -> Option<Revision> {
    let (revision, change_id) = token.split_once('.')?;
    let read = Revision { revision: revision.parse().ok()?, change_id: Uid::try_parse(change_id).ok()? };
    (encode::revision(&read) == token).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_exactly_as_it_was_written() {
        let written = Revision { revision: 42, change_id: Uid::from_u128(0xab) };
        let token = encode::revision(&written);
        assert_eq!(revision(&token), Some(written));
        let id = written.change_id;
        for token in
            ["", "42", ".", &token.to_uppercase(), &format!("+{token}"), &format!("0{token}"), &format!("42.{id}")]
        {
            assert_eq!(revision(token), None, "{token}");
        }
    }
}
