//! The service's answers in words for a person.

use prost_types::Timestamp;
use secrets_client::v1::target::Kind;
use secrets_client::validation::wire_target;
use secrets_client::{SessionWarning, v1};
use secrets_core::{AccountName, PrincipalName, ScopeName, SecretName, SessionName, Target, TokenName};

/// `variable`, `file ~/.ssh/key (0600)`, `registry ghcr.io (bob)` or `api only`.
pub(crate) fn target(target: Option<&v1::Target>) -> String {
    match target.and_then(|target| target.kind.as_ref()) {
        None | Some(Kind::EnvironmentVariable(_)) => "variable".to_owned(),
        Some(Kind::File(file)) => {
            format!("file {} ({:04o})", file.path, if file.mode == 0 { 0o600 } else { file.mode })
        }
        Some(Kind::Registry(registry)) => format!("registry {} ({})", registry.host, registry.username),
        Some(Kind::ApiOnly(_)) => "api only".to_owned(),
    }
}

/// The same of a target that was checked.
pub(crate) fn checked_target(checked: &Target) -> String {
    target(Some(&wire_target(checked)))
}

/// `organization`, `project api`, `workspace ws1` or `user bob`.
pub(crate) fn scope(scope: &ScopeName) -> String {
    match scope {
        ScopeName::Organization(_) => "organization".to_owned(),
        other => format!("{} {}", other.kind(), other.id()),
    }
}

/// The scope of a secret, given its resource path.
pub(crate) fn scope_of(secret: &str) -> String {
    secret.parse::<SecretName>().map_or_else(|_| secret.to_owned(), |name| scope(&name.scope))
}

/// A principal without what its organization repeats: `bob`, `service:ci`, `service:sandboxd (platform)`, `session 7d…`.
pub(crate) fn principal(path: &str) -> String {
    match path.parse() {
        Ok(PrincipalName::Account(AccountName::User(name))) => name.user.to_string(),
        Ok(PrincipalName::Account(AccountName::ServiceAccount(name))) => match name.organization {
            Some(_) => format!("service:{}", name.id),
            None => format!("service:{} (platform)", name.id),
        },
        Ok(PrincipalName::Session(name)) => format!("session {}", name.uid),
        Ok(PrincipalName::Operator) | Err(_) => path.to_owned(),
    }
}

/// The name of a secret in its scope, given its resource path.
pub(crate) fn secret_id(path: &str) -> String {
    path.parse::<SecretName>().map_or_else(|_| path.to_owned(), |name| name.secret_id.to_string())
}

/// The identifier of a token, given its resource path.
pub(crate) fn token_id(path: &str) -> String {
    path.parse::<TokenName>().map_or_else(|_| path.to_owned(), |name| name.uid.to_string())
}

/// The identifier of a session, given its resource path.
pub(crate) fn session_id(path: &str) -> String {
    path.parse::<SessionName>().map_or_else(|_| path.to_owned(), |name| name.uid.to_string())
}

/// The method of a call: `Resolve` of `secretsapi.v1.ResolveService/Resolve`.
pub(crate) fn method(call: &str) -> &str {
    call.rsplit_once('/').map_or(call, |(_, method)| method)
}

/// What a resource path means within its organization: `organization acme`, `project api`, `platform`.
pub(crate) fn resource(path: &str) -> String {
    match path.parse::<ScopeName>() {
        Ok(ScopeName::Organization(organization)) => format!("organization {organization}"),
        Ok(name) => scope(&name),
        Err(_) => path.to_owned(),
    }
}

/// `2026-11-21 05:41Z`, or nothing.
pub(crate) fn moment(time: Option<&Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let rfc3339 = time.to_string();
    rfc3339.get(..16).map_or_else(|| rfc3339.clone(), |minute| format!("{}Z", minute.replace('T', " ")))
}

/// A moment as a person on a terminal reads it: `just now`, `3 h ago`, `in 7 days`; the day when it is more than four weeks
/// away.
pub(crate) fn distance(time: &Timestamp, now: &Timestamp) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    /// So far may two clocks be apart that are set well.
    const CLOCK_SKEW: i64 = 5;
    let seconds = time.seconds.abs_diff(now.seconds);
    let distance = match seconds {
        0..MINUTE if time.seconds - now.seconds <= CLOCK_SKEW => return "just now".to_owned(),
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ if seconds < 28 * DAY => count(usize::try_from(seconds / DAY).unwrap_or(0), "day"),
        _ => return time.to_string().chars().take_while(|c| *c != 'T').collect(),
    };
    if time.seconds > now.seconds { format!("in {distance}") } else { format!("{distance} ago") }
}

/// A sentence with its times as tables have them, `2026-11-21 05:41Z` for `2026-11-21T05:41:07.25Z`; what stands between backticks
/// is somebody's own text and stays.
pub(crate) fn with_times_as_in_tables(sentence: &str) -> String {
    let piece = |(at, piece): (usize, &str)| if at % 2 == 1 { piece.to_owned() } else { shorten_times(piece) };
    sentence.split('`').enumerate().map(piece).collect::<Vec<_>>().join("`")
}

fn shorten_times(text: &str) -> String {
    let words = text.split_inclusive(|c: char| c.is_whitespace());
    words.map(|word| shorten_time(word).unwrap_or_else(|| word.to_owned())).collect()
}

/// A word that begins with a time as RFC 3339 has it, in UTC.
fn shorten_time(word: &str) -> Option<String> {
    const SHAPE: &str = "dddd-dd-ddTdd:dd:dd";
    let (time, rest) = word.split_at_checked(SHAPE.len())?;
    let fits = |(letter, shape): (char, char)| if shape == 'd' { letter.is_ascii_digit() } else { letter == shape };
    if !time.chars().zip(SHAPE.chars()).all(fits) {
        return None;
    }
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let rest = rest.strip_prefix('Z')?;
    let minute = time.get(..16)?.replace('T', " ");
    Some(format!("{minute}Z{rest}"))
}

/// Until when a session lives, and what helps.
pub(crate) fn session_ends(warning: &SessionWarning) -> String {
    let end = moment(Some(&warning.end));
    format!("the session ends at {end}; whoever created it can renew it before (`secrets session renew`)")
}

/// `2026-11-21 05:41:07Z`, or nothing.
pub(crate) fn second(time: Option<&Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let rfc3339 = time.to_string();
    rfc3339.get(..19).map_or_else(|| rfc3339.clone(), |second| format!("{}Z", second.replace('T', " ")))
}

/// How a token came to be: `signed in`, `recovery`, `another machine`, `own`, `issued` or `first start`.
pub(crate) fn token_origin(origin: v1::TokenOrigin) -> &'static str {
    match origin {
        v1::TokenOrigin::FirstStart => "first start",
        v1::TokenOrigin::SignIn => "signed in",
        v1::TokenOrigin::Recovery => "recovery",
        v1::TokenOrigin::AnotherMachine => "another machine",
        v1::TokenOrigin::Own => "own",
        v1::TokenOrigin::Issued => "issued",
        v1::TokenOrigin::Unspecified => "",
    }
}

pub(crate) fn role(role: v1::Role) -> String {
    lower(role.as_str_name(), "ROLE_")
}

/// What an invitation has ended, of the invited: `…: 1 token, 8 recovery codes; 3 secrets are destroyed`.
pub(crate) fn invitation_ended(ended: &v1::InvitationEffects, beginning: &str) -> String {
    let count = |number: i32, noun| (number > 0).then(|| self::count(usize::try_from(number).unwrap_or(0), noun));
    let credentials = [
        count(ended.tokens, "token"),
        count(ended.sessions, "session"),
        count(ended.recovery_codes, "recovery code"),
        count(ended.codes, "code"),
        count(ended.left_workspaces, "workspace membership"),
    ];
    let credentials: Vec<_> = credentials.into_iter().flatten().collect();
    let mut parts = Vec::new();
    if !credentials.is_empty() {
        parts.push(format!("{beginning}: {}", credentials.join(", ")));
    }
    match ended.destroyed_secrets {
        0 => {}
        1 => parts.push("1 secret is destroyed".to_owned()),
        more => parts.push(format!("{} are destroyed", self::count(usize::try_from(more).unwrap_or(0), "secret"))),
    }
    parts.join("; ")
}

/// That the operator has invited an administrator, and what became of it.
pub(crate) fn admin_invitation(invitation: &v1::AdminInvitation, now: Option<&Timestamp>) -> String {
    let user = principal(&invitation.user);
    let created = moment(invitation.create_time.as_ref());
    let id = invitation.name.rsplit('/').next().unwrap_or_default();
    let is_past = |time: Option<&Timestamp>| time.zip(now).is_some_and(|(time, now)| time.seconds <= now.seconds);
    let state = match invitation {
        v1::AdminInvitation { redeem_time: Some(time), .. } => format!("who came at {}", moment(Some(time))),
        v1::AdminInvitation { revoke_time: Some(time), .. } => format!("which was revoked at {}", moment(Some(time))),
        v1::AdminInvitation { expire_time, .. } if is_past(expire_time.as_ref()) => "which has expired".to_owned(),
        v1::AdminInvitation { start_time: Some(start), .. } if !is_past(Some(start)) => format!(
            "who can come from {} on; an administrator revokes it with `secrets org refuse-admin {id}`",
            moment(Some(start))
        ),
        _ => format!("who has not come yet; an administrator revokes it with `secrets org refuse-admin {id}`"),
    };
    format!("the operator of the service has invited {user} as an administrator at {created}, {state}")
}

/// Who receives what a workspace gets without taking part in it, as its owner is told.
pub(crate) fn resolver(binding: &v1::Binding, what: &str) -> String {
    let (who, resource) = (principal(&binding.principal), resource(&binding.resource));
    format!("{who} receives what {what}, without anybody's own secrets: it is a resolver of {resource}.")
}

pub(crate) fn not_chosen(reason: v1::NotChosenReason) -> String {
    match reason {
        v1::NotChosenReason::GroupFromNarrowerScope => "its group comes from a narrower scope".to_owned(),
        other => lower(other.as_str_name(), "NOT_CHOSEN_REASON_"),
    }
}

pub(crate) fn outcome(outcome: v1::AuditOutcome) -> String {
    lower(outcome.as_str_name(), "AUDIT_OUTCOME_")
}

/// A sentence that names secrets by whose they are, as people do, in place of their paths: `the organization's TOKEN`.
pub(super) fn by_owner(sentence: &str) -> String {
    let piece = |piece: &str| match piece.parse::<SecretName>() {
        Ok(name) => {
            let scope = scope(&name.scope);
            let article = if scope == "organization" { "the " } else { "" };
            format!("{article}{scope}'s {}", name.secret_id)
        }
        Err(_) => format!("`{piece}`"),
    };
    // Every other piece stood between backticks.
    let pieces = sentence.split('`').enumerate();
    pieces.map(|(at, text)| if at % 2 == 1 { piece(text) } else { text.to_owned() }).collect()
}

/// `A, B and 12 more`: as many names as a line has room for.
pub(crate) fn first_names(names: &[&str]) -> String {
    const MAX_SHOWN: usize = 20;
    let shown = names.iter().take(MAX_SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 secret`, `2 secrets`, `9,214 sessions`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(number)) }
}

fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", thousands(number / 1_000), number % 1_000) }
}

pub(super) fn lower(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_secret_by_whose_it_is() {
        for (sentence, said) in [
            ("before `organizations/acme/secrets/A`, which", "before the organization's A, which"),
            ("`organizations/acme/projects/api/secrets/A` is locked", "project api's A is locked"),
            ("did you mean `A_B`?", "did you mean `A_B`?"),
            ("no names", "no names"),
        ] {
            assert_eq!(by_owner(sentence), said);
        }
    }

    #[test]
    fn counts() {
        for (number, said) in [
            (0, "0 sessions"),
            (1, "1 session"),
            (999, "999 sessions"),
            (9_014, "9,014 sessions"),
            (1_000_000, "1,000,000 sessions"),
        ] {
            assert_eq!(count(number, "session"), said);
        }
    }

    #[test]
    fn names_targets() {
        let file = v1::FileTarget { path: "~/.ssh/key".into(), mode: 0 };
        let file = v1::Target { kind: Some(Kind::File(file)) };
        assert_eq!(target(Some(&file)), "file ~/.ssh/key (0600)");
        assert_eq!(target(None), "variable");
    }

    #[test]
    fn shortens_paths() {
        assert_eq!(scope_of("organizations/acme/projects/api/secrets/A"), "project api");
        assert_eq!(scope_of("organizations/acme/secrets/A"), "organization");
        assert_eq!(principal("organizations/acme/users/bob@example.com"), "bob@example.com");
        assert_eq!(principal("serviceAccounts/sandboxd"), "service:sandboxd (platform)");
        assert_eq!(principal("organizations/acme/serviceAccounts/ci"), "service:ci");
        assert_eq!(principal("operator"), "operator");
        assert_eq!(secret_id("organizations/acme/projects/api/secrets/A"), "A");
        const UID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
        assert_eq!(principal(&format!("organizations/acme/sessions/{UID}")), format!("session {UID}"));
        assert_eq!(session_id(&format!("organizations/acme/sessions/{UID}")), UID);
        assert_eq!(token_id(&format!("organizations/acme/tokens/{UID}")), UID);
        assert_eq!(token_id(&format!("tokens/{UID}")), UID);
        assert_eq!(method("secretsapi.v1.ResolveService/Resolve"), "Resolve");
        assert_eq!(resource("organizations/acme"), "organization acme");
        assert_eq!(resource("platform"), "platform");
    }

    #[test]
    fn shows_the_whole_of_what_is_no_resource_path() {
        for text in ["", "a/b", "organizations/acme/sessions/1", "organizations/acme/robots/r2"] {
            assert_eq!([principal(text), secret_id(text), token_id(text), session_id(text)], [text; 4]);
        }
    }

    #[test]
    fn tells_how_far_away_a_moment_is() {
        const DAY: i64 = 24 * 3600;
        let now = Timestamp { seconds: 1_769_851_800, nanos: 0 };
        for (distance, said) in [
            (0, "just now"),
            (-59, "just now"),
            (5, "just now"),
            (59, "in 59 s"),
            (-60, "1 min ago"),
            (3_599, "in 59 min"),
            (-3_600, "1 h ago"),
            (DAY - 1, "in 23 h"),
            (-DAY, "1 day ago"),
            (7 * DAY + 5, "in 7 days"),
            (-28 * DAY, "2026-01-03"),
            (365 * DAY, "2027-01-31"),
        ] {
            assert_eq!(self::distance(&Timestamp { seconds: now.seconds + distance, nanos: 0 }, &now), said);
        }
    }

    #[test]
    fn writes_times_to_the_minute() {
        let time = Timestamp { seconds: 1_769_851_800, nanos: 250_000_000 };
        assert_eq!(moment(Some(&time)), "2026-01-31 09:30Z");
        assert_eq!(second(Some(&time)), "2026-01-31 09:30:00Z");
        assert_eq!(moment(None), "");
        for (sentence, written) in [
            ("expired at 2021-01-31T00:00:00Z; sign in", "expired at 2021-01-31 00:00Z; sign in"),
            ("at 2021-01-31T09:30:07.25Z, and 2021-02-01T00:00:00Z", "at 2021-01-31 09:30Z, and 2021-02-01 00:00Z"),
            ("`2021-01-31T00:00:00Z` is past", "`2021-01-31T00:00:00Z` is past"),
            ("2021-01-31T00:00:00+01:00 é2021 2021-01-31", "2021-01-31T00:00:00+01:00 é2021 2021-01-31"),
            ("", ""),
        ] {
            assert_eq!(with_times_as_in_tables(sentence), written);
        }
    }
}
