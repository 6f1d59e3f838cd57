//! When a certificate is valid, and what is said when that is not now, or not for long.

use std::fmt;
use std::time::Duration;

use secrets_core::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What is renewed by itself is renewed earlier.
const WARNING_TIME: Duration = DAY.saturating_mul(14);

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

/// What is wrong with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValidityProblem {
    NotYet { from: Timestamp },
    Expired { at: Timestamp },
    EndsSoon { at: Timestamp },
}

impl Validity {
    /// Reads it from a certificate; none from what is not one.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        let validity = parsed.validity();
        Some(Self { not_before: at(validity.not_before.timestamp()), not_after: at(validity.not_after.timestamp()) })
    }

    /// What is wrong at `now`.
    pub(super) fn problem(self, now: Timestamp) -> Option<ValidityProblem> {
        if now < self.not_before {
            return Some(ValidityProblem::NotYet { from: self.not_before });
        }
        let at = self.not_after;
        if now > at {
            return Some(ValidityProblem::Expired { at });
        }
        (at.saturating_sub(WARNING_TIME) < now).then_some(ValidityProblem::EndsSoon { at })
    }
}

impl fmt::Display for ValidityProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { from } => {
                write!(
                    f,
                    "is not valid before {from}: clients refuse it until then, unless this machine's clock is wrong"
                )
            }
            Self::Expired { at } => {
                write!(
                    f,
                    "expired at {at}: clients refuse it; put a new one in its place, which is served without a restart"
                )
            }
            Self::EndsSoon { at } => {
                write!(f, "expires at {at}; put a new one in its place in time, which is served without a restart")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: u64) -> Timestamp {
        Timestamp::from_micros(0).saturating_add(DAY.saturating_mul(u32::try_from(days).unwrap()))
    }

    #[test]
    fn reads_from_when_until_when_a_certificate_is_valid() {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2021, 1, 31);
        let made = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let problem = Validity::of(made.der()).unwrap().problem(at(20_000)).unwrap();
        assert!(problem.to_string().starts_with("expired at 2021-01-31T00:00:00Z: clients refuse it"), "{problem}");
        assert!(Validity::of(&CertificateDer::from(vec![1, 2, 3])).is_none());
    }

    #[test]
    fn warns_before_during_and_after_but_not_in_the_middle() {
        let validity = Validity { not_before: at(100), not_after: at(200) };
        assert_eq!(validity.problem(at(99)), Some(ValidityProblem::NotYet { from: at(100) }));
        assert_eq!([validity.problem(at(100)), validity.problem(at(186))], [None; 2]);
        assert_eq!(validity.problem(at(187)), Some(ValidityProblem::EndsSoon { at: at(200) }));
        assert_eq!(validity.problem(at(201)), Some(ValidityProblem::Expired { at: at(200) }));
    }
}
