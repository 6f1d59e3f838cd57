//! Requests of `ResolveService`.

use std::collections::BTreeSet;

use secrets_core::{Filter, SecretId};
use secrets_proto::v1;

use super::consistency::at_least;
use super::context::{context, target_kind};
use super::secret::secret_id;
use super::{MAX_NAMES, at_most, etag};
use crate::error::Error;
use crate::service::resolve::Question;
use crate::service::resolve::evaluate::Asked;
use crate::service::resolve::explain::ExplainQuestion;
use crate::service::resolve::watch::WatchQuestion;

pub fn resolve(request: v1::ResolveRequest) -> Result<Question, Error> {
    Ok(Question {
        asked: Asked {
            context: request.context.map(|given| context("context", given)).transpose()?,
            without_user: false,
            at_least: at_least(request.consistency)?,
            in_pieces: false,
        },
        filter: filter(&request.secret_ids, &request.required_secret_ids, request.kinds)?,
        if_none_match: etag("if_none_match", request.if_none_match)?,
    })
}

pub fn watch(request: v1::WatchRequest) -> Result<WatchQuestion, Error> {
    Ok(WatchQuestion {
        context: request.context.map(|given| context("context", given)).transpose()?,
        filter: filter(&request.secret_ids, &request.required_secret_ids, request.kinds)?,
        if_none_match: etag("if_none_match", request.if_none_match)?,
    })
}

pub fn explain(request: v1::ExplainRequest) -> Result<ExplainQuestion, Error> {
    Ok(ExplainQuestion {
        asked: Asked {
            context: request.context.map(|given| context("context", given)).transpose()?,
            without_user: request.without_user,
            at_least: at_least(request.consistency)?,
            in_pieces: true,
        },
        secret_ids: secret_ids("secret_ids", &request.secret_ids)?,
    })
}

fn filter(names: &[String], required: &[String], kinds: Vec<i32>) -> Result<Filter, Error> {
    at_most("required_secret_ids", names.len().saturating_add(required.len()), MAX_NAMES, "names with `secret_ids`")?;
    Ok(Filter {
        secret_ids: secret_ids("secret_ids", names)?,
        required: secret_ids("required_secret_ids", required)?,
        kinds: kinds.into_iter().map(|kind| target_kind("kinds", kind)).collect::<Result<_, _>>()?,
        ..Filter::default()
    })
}

fn secret_ids(field: &'static str, names: &[String]) -> Result<BTreeSet<SecretId>, Error> {
    at_most(field, names.len(), MAX_NAMES, "names")?;
    names.iter().map(|name| secret_id(field, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;

    #[test]
    fn names_the_field_that_is_not_valid() {
        let names = |name: &str| vec!["A".to_owned(), name.to_owned()];
        for (request, field, reason) in [
            (
                v1::ResolveRequest { secret_ids: names("a-b"), ..Default::default() },
                "secret_ids",
                Reason::InvalidSecretId,
            ),
            (
                v1::ResolveRequest { required_secret_ids: names("1A"), ..Default::default() },
                "required_secret_ids",
                Reason::InvalidSecretId,
            ),
            (v1::ResolveRequest { kinds: vec![0], ..Default::default() }, "kinds", Reason::InvalidArgumentValue),
            (v1::ResolveRequest { kinds: vec![1, 77], ..Default::default() }, "kinds", Reason::InvalidArgumentValue),
        ] {
            let failure = resolve(request).err().unwrap();
            assert_eq!((failure.violations()[0].field, failure.reason()), (field, reason));
        }
    }

    #[test]
    fn a_question_has_as_many_names_as_four_full_scopes() {
        let names = |count: usize| vec!["A".to_owned(); count];
        let request = |named, required| v1::ResolveRequest {
            secret_ids: names(named),
            required_secret_ids: names(required),
            ..Default::default()
        };
        assert!(resolve(request(2_000, 2_000)).is_ok());
        let error = resolve(request(2_000, 2_001)).err().unwrap();
        assert_eq!(error.message(), "required_secret_ids: must be at most 4000 names with `secret_ids` (got 4001)");
        assert!(watch(v1::WatchRequest { secret_ids: names(4_001), ..Default::default() }).is_err());
        assert!(explain(v1::ExplainRequest { secret_ids: names(4_001), ..Default::default() }).is_err());
        let request = v1::ResolveRequest { if_none_match: "x".repeat(129), ..Default::default() };
        assert_eq!(resolve(request).err().unwrap().message(), "if_none_match: must be at most 128 bytes (got 129)");
    }

    #[test]
    fn an_invalid_name_comes_with_a_similar_valid_one() {
        let request = v1::ExplainRequest { secret_ids: vec!["linear-api-key".into()], ..Default::default() };
        let failure = explain(request).err().unwrap();
        assert_eq!(failure.metadata(), [("suggestion", "LINEAR_API_KEY".to_owned())]);
    }
}
