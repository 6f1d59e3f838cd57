//! What is at the other end: a connection, a certificate, an answer.

use std::time::{Duration, Instant};

use prost_types::Timestamp;
use secrets_client::{RetryPolicy, ServerCertificate, Settings, v1};

use super::Check;
use crate::app;
use crate::args::time;
use crate::command::login;
use crate::ui::error::CliError;
use crate::ui::output::text;

/// How long an answer may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// What ends sooner is warned of.
const EXPIRY_WARNING_SECONDS: i64 = 14 * 24 * 3600;
/// By how much clocks may differ, in milliseconds, before anything suffers.
const MAX_CLOCK_SKEW_MILLIS: i128 = 30_000;

pub(super) async fn connection(settings: &Settings) -> Vec<Check> {
    const NAME: &str = "connection";
    let builder = match settings.connection() {
        Ok(builder) => builder,
        Err(error) => {
            let error = CliError::from(error);
            return vec![Check::fail(
                NAME,
                error.message(),
                "check SECRETS_CA_FILE, HTTPS_PROXY and `secrets config list`",
            )];
        }
    };
    match builder.diagnose().await {
        Err(error) => vec![Check::from_error(NAME, error)],
        Ok(report) => {
            let established = Check::ok(NAME, format!("established in {} ms", report.took.as_millis()));
            let certificate = report.certificate.map(|shown| certificate(&shown, settings, time::now()));
            std::iter::once(established).chain(certificate).collect()
        }
    }
}

fn certificate(shown: &ServerCertificate, settings: &Settings, now: Timestamp) -> Check {
    const NAME: &str = "certificate";
    let by = match settings.ca_file().filter(|_| shown.by_own_authority) {
        Some(file) => format!("trusted through {}", file.display()),
        None => "trusted by the system".to_owned(),
    };
    let finding = format!("signed by {}; {by}; expires {}", shown.issuer, text::moment(shown.expires.as_ref()));
    match shown.expires {
        Some(expires) if expires.seconds.saturating_sub(now.seconds) < EXPIRY_WARNING_SECONDS => {
            Check::warn(NAME, finding, "ask the operator of the service to renew it soon")
        }
        _ => Check::ok(NAME, finding),
    }
}

/// Asks who the token belongs to: the answer shows whether token, clock and version are right.
pub(super) async fn answers(settings: &Settings) -> Vec<Check> {
    const NAME: &str = "token";
    match settings.credential.as_ref().map(secrets_client::Credential::kind) {
        // Why the keyring does not give it is reported already.
        None if settings.keyring_item.is_some() => return Vec::new(),
        None => {
            let error = app::not_signed_in(settings);
            // Its last part would name this very command.
            let remedy = error.next().unwrap_or_default();
            let remedy = remedy.strip_suffix("; `secrets doctor` looks closer").unwrap_or(remedy);
            return vec![Check::fail(NAME, error.message(), remedy)];
        }
        Some(Some(kind)) if kind.is_code() => {
            return vec![Check::fail(
                NAME,
                "this is a code, not a token",
                "`secrets login` asks for it, and redeems it",
            )];
        }
        Some(_) => {}
    }
    let client = settings.client().and_then(|builder| builder.retry(RetryPolicy::NEVER).deadline(CALL_TIMEOUT).build());
    let client = match client {
        Ok(client) => client,
        // What keeps it from connecting is reported already.
        Err(_) if settings.connection().is_err() => return Vec::new(),
        Err(error) => return vec![Check::fail(NAME, CliError::from(error).message(), "sign in again: secrets login")],
    };
    let (asked, begun) = (time::now(), Instant::now());
    match client.who_am_i(v1::WhoAmIRequest {}).await {
        Err(error) => vec![Check::from_error(NAME, error)],
        Ok(me) => {
            let took = begun.elapsed();
            let clock = me.server_time.map(|theirs| clock(asked, took, theirs));
            let rest = clock.into_iter().chain([version(&me.server_version, env!("CARGO_PKG_VERSION"))]);
            std::iter::once(token(&me, asked)).chain(rest).collect()
        }
    }
}

fn token(me: &v1::WhoAmIResponse, now: Timestamp) -> Check {
    let finding = login::line(me);
    // A session is meant to be short; who created it renews it.
    let short = me.kind() == v1::PrincipalKind::Session;
    match me.expire_time {
        Some(end) if !short && end.seconds.saturating_sub(now.seconds) < EXPIRY_WARNING_SECONDS => {
            Check::warn("token", finding, "create another one in time: secrets token create")
        }
        _ => Check::ok("token", finding),
    }
}

/// Compares the clocks: the service read its own about half-way between question and answer.
fn clock(asked: Timestamp, took: Duration, theirs: Timestamp) -> Check {
    let millis = |time: Timestamp| i128::from(time.seconds) * 1000 + i128::from(time.nanos / 1_000_000);
    let half = i128::try_from(took.as_millis() / 2).unwrap_or(0);
    let ahead = millis(asked) + half - millis(theirs);
    let by = if ahead.abs() < 1000 { "less than 1 s".to_owned() } else { format!("{} s", ahead.abs() / 1000) };
    if ahead.abs() <= MAX_CLOCK_SKEW_MILLIS {
        return Check::ok("clock", format!("{by} from the service's"));
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    Check::warn(
        "clock",
        format!("this machine's clock is {by} {direction} the service's"),
        "set the clock, for instance by NTP; `timedatectl` shows its state",
    )
}

fn version(theirs: &str, ours: &str) -> Check {
    const NAME: &str = "version";
    let release = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    if theirs.is_empty() {
        return Check::warn(
            NAME,
            format!("this command is {ours}; the service does not report its version"),
            "update the service",
        );
    }
    if release(theirs) == release(ours) {
        return Check::ok(NAME, format!("service {theirs}, this command {ours}"));
    }
    let numbers = |version: &str| release(version).iter().map(|n| n.parse().unwrap_or(0)).collect::<Vec<u64>>();
    let older = if numbers(theirs) < numbers(ours) { "the service" } else { "this command" };
    Check::warn(
        NAME,
        format!("the service is {theirs}, this command {ours}"),
        format!("update {older} if a call is unknown"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::State;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn compares_clocks_at_the_middle_of_the_call() {
        let near = clock(at(1000), Duration::from_secs(2), at(1001));
        assert_eq!((near.state, near.finding.as_str()), (State::Ok, "less than 1 s from the service's"));
        for (theirs, expected) in [(1090, "89 s behind"), (900, "101 s ahead of")] {
            let far = clock(at(1000), Duration::from_secs(2), at(theirs));
            assert!(far.state == State::Warn && far.finding.contains(expected), "{far:?}");
        }
    }

    #[test]
    fn tells_which_side_is_older() {
        assert_eq!(version("0.1.7", "0.1.0").state, State::Ok);
        assert!(version("0.9.0", "0.10.0").remedy.unwrap().contains("the service"));
        assert!(version("1.0.0", "0.10.0").remedy.unwrap().contains("this command"));
        assert_eq!(version("", "0.1.0").state, State::Warn);
    }

    #[test]
    fn warns_of_a_token_that_ends_soon_unless_it_is_a_session() {
        let mut me = v1::WhoAmIResponse { expire_time: Some(at(3600)), ..Default::default() };
        assert_eq!(token(&me, at(0)).state, State::Warn);
        me.kind = v1::PrincipalKind::Session.into();
        assert_eq!(token(&me, at(0)).state, State::Ok);
    }
}
