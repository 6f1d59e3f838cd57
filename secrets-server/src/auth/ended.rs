//! What is said of a credential that has ended. Whoever holds its text may know when it ended, and how to get another one; of a
//! text that is unknown nothing is said.

use std::time::Duration;

use secrets_core::{CredentialKind, Timestamp};

use super::{Authenticated, Authenticator};
use crate::error::{Error, Reason};
use crate::store::credential::Credential;

/// How long before its end the holder of a sign-in is told, and how long a person after one of their recovery codes was used.
const NOTICE_TIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// A sign-in whose chosen lifetime is shorter is meant to end soon.
const MIN_LIFETIME: Duration = Duration::from_secs(2 * 14 * 24 * 60 * 60);

/// Nothing that is stored has this text, or what it speaks for is gone.
pub(crate) fn unknown_credential() -> Error {
    Error::new(Reason::Unauthenticated, "the credential is unknown")
}

/// Refuses a credential that has ended, or does not serve yet.
pub(crate) fn check_alive(row: &Credential, now: Timestamp) -> Result<(), Error> {
    match row.start_time.filter(|start| now < *start) {
        _ if row.has_ended(now) => Err(ended(row)),
        Some(start) => Err(not_yet(start)),
        None => Ok(()),
    }
}

fn ended(row: &Credential) -> Error {
    let (noun, next, command) = match row.kind {
        CredentialKind::Personal => ("token", "sign in again with", "secrets login"),
        CredentialKind::ServiceAccount => ("token", "ask for another one:", "secrets token create"),
        CredentialKind::Operator => {
            ("operator's token", "where no other one works, the next start creates one:", "secrets-server serve")
        }
        CredentialKind::Session => ("session", "ask whoever created it for another one:", "secrets session create"),
        CredentialKind::Invitation => ("code", "ask for another one:", "secrets user invite"),
        CredentialKind::RecoveryCode => ("recovery code", "use another one:", "secrets login"),
        CredentialKind::SignInCode => {
            ("code", "on the machine that is signed in, make another one:", "secrets login --another-machine")
        }
    };
    let (state, time) = match (row.revoke_time, row.expire_time) {
        (Some(time), _) => ("REVOKED", Some(time)),
        (None, time) => ("EXPIRED", time),
    };
    let what = match (state, row.kind) {
        ("EXPIRED", _) => "expired",
        (_, kind) if kind.is_code() => "was redeemed or revoked",
        _ => "was revoked",
    };
    let time = to_second(time.unwrap_or_default()).to_string();
    Error::new(Reason::Unauthenticated, format!("the {noun} {what} at {time}; {next} `{command}`"))
        .with("ended", state)
        .with("end_time", time)
        .with("command", command)
}

fn not_yet(start: Timestamp) -> Error {
    let start = to_second(start).to_string();
    let text = format!(
        "the code can be redeemed from {start} on, unless an administrator of the organization revokes it before"
    );
    Error::new(Reason::Unauthenticated, text).with("start_time", start)
}

fn to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_micros().div_euclid(1_000_000) * 1_000_000)
}

impl Authenticator {
    /// When a recovery code of the calling person was used, if that was within the last 14 days.
    pub fn recent_recovery(&self, authenticated: &Authenticated) -> Option<Timestamp> {
        let time = authenticated.recovery()?;
        (self.clock.now() < time.saturating_add(NOTICE_TIME)).then(|| to_second(time))
    }

    /// When the sign-in that calls ends for good, if that is soon: what use extends, with the time to which it does.
    pub fn ending_sign_in(&self, authenticated: &Authenticated) -> Option<Timestamp> {
        ending_sign_in(&authenticated.credential, self.clock.now())
    }
}

fn ending_sign_in(row: &Credential, now: Timestamp) -> Option<Timestamp> {
    let chosen =
        row.expire_time.filter(|end| row.origin.is_sign_in() && end.saturating_since(row.create_time) >= MIN_LIFETIME);
    let end = row.sign_in_end_time.or(chosen)?;
    (end.saturating_since(now) < NOTICE_TIME).then(|| to_second(end))
}

#[cfg(test)]
mod tests {
    use secrets_core::{PrincipalKind, PrincipalRef, Uid};

    use super::*;
    use crate::store::credential::Origin;

    const DAY: i64 = 24 * 60 * 60 * 1_000_000;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(number * DAY + 250_000)
    }

    fn credential(kind: CredentialKind) -> Credential {
        Credential {
            uid: Uid::nil(),
            kind,
            organization: None,
            principal: PrincipalRef { kind: PrincipalKind::User, uid: Uid::nil() },
            mac: [0; 32],
            pepper_version: 1,
            display_name: String::new(),
            create_time: day(0),
            expire_time: Some(day(90)),
            revoke_time: None,
            last_used_time: None,
            origin: Origin::SignIn,
            creator: None,
            external_id: None,
            context_project: None,
            context_workspace: None,
            context_user: None,
            restrictions: None,
            period_start_time: None,
            sign_in_end_time: Some(day(365)),
            address: None,
            redeemed_for: None,
            start_time: None,
            granted_role: None,
            effects: None,
        }
    }

    #[test]
    fn says_when_it_ended_and_how_to_go_on() {
        assert!(check_alive(&credential(CredentialKind::Personal), day(89)).is_ok());
        let error = check_alive(&credential(CredentialKind::Personal), day(90)).unwrap_err();
        assert_eq!(error.message(), "the token expired at 1970-04-01T00:00:00Z; sign in again with `secrets login`");
        let metadata = error.metadata().iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>();
        let expected = [("ended", "EXPIRED"), ("end_time", "1970-04-01T00:00:00Z"), ("command", "secrets login")];
        assert_eq!(metadata, expected);
        for kind in CredentialKind::ALL {
            let revoked = Credential { revoke_time: Some(day(1)), ..credential(*kind) };
            let error = check_alive(&revoked, day(2)).unwrap_err();
            assert!(error.message().contains("revoked at 1970-01-02T00:00:00Z; "), "{error}");
            assert_eq!(error.reason(), Reason::Unauthenticated);
        }
    }

    #[test]
    fn a_code_that_works_later_is_refused_until_then() {
        let later = Credential { start_time: Some(day(3)), ..credential(CredentialKind::Invitation) };
        let error = check_alive(&later, day(2)).unwrap_err();
        assert!(error.message().starts_with("the code can be redeemed from 1970-01-04T00:00:00Z on, "), "{error}");
        assert!(check_alive(&later, day(3)).is_ok());
        let revoked = Credential { revoke_time: Some(day(1)), ..later };
        assert!(check_alive(&revoked, day(2)).unwrap_err().message().contains("revoked at"));
    }

    #[test]
    fn tells_of_an_end_that_use_does_not_put_off() {
        let by_use = credential(CredentialKind::Personal);
        assert_eq!(ending_sign_in(&by_use, day(89)), None, "this very use extends it");
        assert_eq!(ending_sign_in(&by_use, day(351)), None);
        assert_eq!(ending_sign_in(&by_use, day(352)), Some(to_second(day(365))));
        let chosen = Credential { sign_in_end_time: None, ..by_use.clone() };
        assert_eq!(ending_sign_in(&chosen, day(76)), None);
        assert_eq!(ending_sign_in(&chosen, day(77)), Some(to_second(day(90))));
        let short = Credential { expire_time: Some(day(20)), ..chosen.clone() };
        assert_eq!(ending_sign_in(&short, day(19)), None);
        let own = Credential { origin: Origin::Own, ..chosen };
        assert_eq!(ending_sign_in(&own, day(89)), None);
    }
}
