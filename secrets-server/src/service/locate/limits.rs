//! An organization's own limits: those it lowered, stored as JSON, for instance `{"secrets_per_scope":100}`.

use std::collections::BTreeMap;

use secrets_core::limits::{Limit, Limits};

use crate::error::Error;

/// The limits an organization lowers; the service's own hold for the rest.
pub type OwnLimits = BTreeMap<Limit, u64>;

/// The text to store. Refuses a limit of zero and one above the service's own.
pub fn to_text(service: &Limits, own: &OwnLimits) -> Result<String, Error> {
    in_force(service, own).map_err(|error| Error::invalid("organization.limits", error))?;
    let words: BTreeMap<&str, u64> = own.iter().map(|(limit, most)| (limit.as_str(), *most)).collect();
    serde_json::to_string(&words).map_err(Error::internal)
}

/// The stored text as it was written; the service's own limits may have been lowered since.
pub fn own(text: &str) -> Result<OwnLimits, Error> {
    let corrupt = || Error::internal("the stored limits of an organization do not parse");
    let words: BTreeMap<String, u64> = serde_json::from_str(text).map_err(|_| corrupt())?;
    words.into_iter().map(|(word, most)| Ok((word.parse().map_err(|_| corrupt())?, most))).collect()
}

/// The limits in force, from the stored text.
pub fn parse(service: &Limits, text: &str) -> Result<Limits, Error> {
    let own = own(text)?.into_iter().map(|(limit, most)| (limit, most.min(service.get(limit)))).collect();
    in_force(service, &own).map_err(Error::internal)
}

fn in_force(service: &Limits, own: &OwnLimits) -> Result<Limits, secrets_core::limits::InvalidLimit> {
    let mut limits = *service;
    for (limit, most) in own {
        limits.lower(*limit, *most)?;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lowered_is_in_force_and_the_rest_is_the_services() {
        let own = OwnLimits::from([(Limit::SecretsPerScope, 3)]);
        let text = to_text(&Limits::default(), &own).unwrap();
        assert_eq!(text, r#"{"secrets_per_scope":3}"#);
        let limits = parse(&Limits::default(), &text).unwrap();
        assert_eq!((limits.secrets_per_scope, limits.value_bytes), (3, 65_536));
        assert_eq!(super::own(&text).unwrap(), own);
    }

    #[test]
    fn a_limit_is_not_raised_or_set_to_nothing() {
        for most in [0, 1_001] {
            let failure = to_text(&Limits::default(), &OwnLimits::from([(Limit::SecretsPerScope, most)])).unwrap_err();
            assert!(failure.message().contains("must be from 1 to 1000"), "{failure}");
        }
    }

    #[test]
    fn a_service_that_lowered_its_own_since_wins() {
        let service = Limits { secrets_per_scope: 10, ..Limits::default() };
        assert_eq!(parse(&service, r#"{"secrets_per_scope":500}"#).unwrap().secrets_per_scope, 10);
    }
}
