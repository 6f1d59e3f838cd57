//! How a command ends: exit codes, and a line on stderr with what to type next.

pub(crate) mod field;
pub(crate) mod refusal;

use std::io::Write as _;

use secrets_client::{Answer, ClientError, ConfigError, ConnectError, ConnectionProblem, Reason};

use super::escape::escape;
use super::line_end::line_end;
use super::output::text;

/// Exit codes, as documented; scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// It did not work, or was not confirmed.
    Failed = 1,
    /// The command was not understood, or needs an answer that nobody could give.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// Not signed in, or not allowed.
    NotAllowed = 4,
    /// A required secret is not there.
    Missing = 5,
    /// The service, or the keyring, can't be reached, or can't answer now.
    Unavailable = 6,
    /// `run`: it failed before the program was started.
    NotStarted = 125,
    /// `run`: the program can't be executed.
    NotExecutable = 126,
    /// `run`: there is no such program.
    NoSuchProgram = 127,
    /// Ctrl-C at a question.
    Interrupted = 130,
}

/// A command that did not succeed.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: ExitCode,
    message: String,
    hint: Option<String>,
    /// What is said above it: of each thing that is wrong, a line or more.
    details: Vec<String>,
    /// Whether a person answered a question with no: nothing went wrong, and nothing was done.
    is_declined: bool,
    /// Whether the hint is the one for every answer of its kind.
    is_general: bool,
    /// The service's answer, where it is the cause.
    answer: Option<Box<Answer>>,
}

impl CliError {
    pub(crate) fn new(exit: ExitCode, message: impl Into<String>) -> Self {
        let message = without_numbers(&message.into());
        Self { exit, message, hint: None, details: Vec::new(), is_declined: false, is_general: false, answer: None }
    }

    /// A question that was answered with no. The code is that of a failure all the same: what stands behind `&&` is not done.
    pub(crate) fn declined(sentence: impl Into<String>) -> Self {
        Self { is_declined: true, ..Self::new(ExitCode::Failed, sentence) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// What to type next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self.is_general = false;
        self
    }

    /// The same, where nothing better is known.
    #[must_use]
    pub(crate) fn or_hint(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) if self.hint.is_none() || self.is_general => self.hint(hint),
            _ => self,
        }
    }

    /// The same error below lines that say more.
    #[must_use]
    pub(crate) fn with_details(mut self, lines: Vec<String>) -> Self {
        self.details = lines;
        self
    }

    /// The same error in other words.
    #[must_use]
    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = without_numbers(&message.into());
        self
    }

    /// The service's answer, where it is the cause.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    #[must_use]
    pub(crate) fn with_exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The hint, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Writes the details, `error: …` and, below it, the hint; what a person decided as the sentence that it is.
    pub(crate) fn report(&self, color: bool) {
        if self.is_declined {
            let _ = write!(std::io::stderr().lock(), "{}{}", escape(&self.message), line_end());
            return;
        }
        let (red, cyan, plain) = if color { ("\x1b[1;31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
        let (mut stderr, end) = (std::io::stderr().lock(), line_end());
        for line in &self.details {
            let _ = write!(stderr, "{}{end}", escape(line));
        }
        let _ = write!(stderr, "{red}error:{plain} {}{end}", escape(&self.message));
        if let Some(hint) = &self.hint {
            let _ = write!(stderr, "{cyan}hint:{plain} {}{end}", escape(hint));
        }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        use tonic::Code;
        let exit = match (error.reason(), error.code()) {
            (Some(Reason::SecretRequiredMissing), _) => ExitCode::Missing,
            (Some(Reason::RateLimited), _) => ExitCode::Unavailable,
            (_, Code::NotFound) => ExitCode::NotFound,
            (_, Code::Unauthenticated | Code::PermissionDenied) => ExitCode::NotAllowed,
            (_, Code::Unavailable | Code::DeadlineExceeded) => ExitCode::Unavailable,
            _ => ExitCode::Failed,
        };
        let message = match (error.code(), error.answer()) {
            (Code::Unimplemented, _) => format!(
                "the service does not know this call: it is another version than this command ({}), or another service",
                env!("CARGO_PKG_VERSION")
            ),
            (_, Some(answer)) => describe(answer),
            (_, None) => error.to_string(),
        };
        let hint = next_step(&error);
        let answer = match error {
            ClientError::Answered(answer) => Some(answer),
            _ => None,
        };
        let message = text::with_times_as_in_tables(&without_numbers(&message));
        Self { exit, message, details: Vec::new(), is_declined: false, is_general: hint.is_some(), hint, answer }
    }
}

impl From<ConnectError> for CliError {
    fn from(error: ConnectError) -> Self {
        Self::new(ExitCode::Failed, error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let exit = match error {
            ConfigError::Credential { .. } => ExitCode::NotAllowed,
            ConfigError::NoSuchProfile { .. } => ExitCode::NotFound,
            _ => ExitCode::Failed,
        };
        let hint = match error {
            ConfigError::NoSuchProfile { .. } => "`secrets profile list` shows which there are",
            ConfigError::Endpoint { .. } | ConfigError::ProfileName { .. } => "correct it, or unset the variable",
            _ => return Self::new(exit, error.to_string()),
        };
        Self::new(exit, error.to_string()).hint(hint)
    }
}

/// A message without the numbers that the language puts behind the system's own words: ` (os error 2)`.
fn without_numbers(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, behind)) if number.bytes().all(|byte| byte.is_ascii_digit()) => shown.push_str(behind),
            _ => shown.push_str(&format!(" (os error {part}")),
        }
    }
    shown
}

/// The service's sentence in the words of the command line, and what it says of single fields where the sentence leaves
/// that out.
fn describe(answer: &Answer) -> String {
    if answer.reason == Some(Reason::EtagMismatch) {
        return "somebody else changed this secret meanwhile; nothing was changed".to_owned();
    }
    if answer.reason == Some(Reason::SecretRequiredMissing)
        && let Some((_, names)) = answer.message.split_once("not in this context: ")
    {
        return format!("this context gets no {names}");
    }
    let mut message = answer.message.clone();
    let mut violations = Vec::new();
    for violation in &answer.violations {
        let repeated = format!("{}: {}", violation.field, violation.description);
        if message == repeated {
            message.clear();
        }
        if !message.contains(&violation.description) {
            violations.push(field::violation(&violation.field, &violation.description));
        }
    }
    let mut message = field::sentence(&message);
    if !message.is_empty() && !violations.is_empty() {
        message.push_str("; ");
    }
    message.push_str(&violations.join("; "));
    if answer.reason == Some(Reason::Internal)
        && let Some(request_id) = &answer.request_id
    {
        message.push_str(&format!(" (request {request_id})"));
    }
    message
}

fn next_step(error: &ClientError) -> Option<String> {
    if let ClientError::Unreachable { problem, endpoint, .. } = error {
        return Some(around(*problem, endpoint));
    }
    if let ClientError::TimedOut { .. } = error {
        return Some("`secrets doctor` finds out what is there".to_owned());
    }
    if error.code() == tonic::Code::Unimplemented {
        return Some("`secrets doctor` shows which version is there".to_owned());
    }
    if let ClientError::Malformed(_) = error {
        return Some("is SECRETS_ENDPOINT or --endpoint right? then tell the operator of the service".to_owned());
    }
    let answer = error.answer()?;
    let hint = match answer.reason? {
        // Of a token that has ended the service has said more.
        Reason::Unauthenticated if answer.metadata.contains_key("ended") => return None,
        Reason::Unauthenticated => "`secrets login` asks for an invitation's code or a token; or set SECRETS_TOKEN",
        Reason::PermissionDenied => "`secrets whoami` says who you are and what you may do",
        Reason::EtagMismatch | Reason::Conflict => "look at the current state, and try again",
        Reason::UserHasSecrets => "--destroy-secrets invites the user again, and destroys these secrets",
        Reason::NotEmpty => "`secrets workspace list` shows what still belongs to it",
        Reason::StorageUnavailable | Reason::AuditUnavailable => {
            "the service runs, and its database does not: try again later, or tell the operator of the service"
        }
        Reason::SecretRequiredMissing => "`secrets explain` shows what this context gets, and why",
        Reason::ReservedSecretId | Reason::InvalidTarget => {
            let entry = answer.metadata.get("allow")?;
            return Some(format!("an administrator allows it with `secrets org allow {}`", shell_word(entry)));
        }
        Reason::AlreadyExists | Reason::InvalidSecretId => {
            let suggestion = answer.metadata.get("suggestion")?;
            return (!answer.message.contains(suggestion)).then(|| format!("did you mean `{suggestion}`?"));
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// A text as one word for a shell.
fn shell_word(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What to type when there is no connection.
fn around(problem: ConnectionProblem, endpoint: &str) -> String {
    match problem {
        ConnectionProblem::UnknownHost => {
            "is the name right? SECRETS_ENDPOINT or --endpoint sets the address of the service"
        }
        ConnectionProblem::CertificateTime => {
            "ask the operator of the service to renew the certificate, unless this machine's clock is wrong: see `date`"
        }
        ConnectionProblem::CertificateName => {
            "SECRETS_ENDPOINT or --endpoint must name a host that the certificate is for"
        }
        ConnectionProblem::CertificateAuthority => {
            "is it the right address? Where the service has a certificate of your own authority, `secrets login --ca-file PATH` \
             or SECRETS_CA_FILE names that authority"
        }
        ConnectionProblem::WantsTls => {
            return format!("try --endpoint {}", endpoint.replacen("http://", "https://", 1));
        }
        ConnectionProblem::NoTls => {
            "is it the right address? If it is, ask the operator of the service to set up TLS there"
        }
        ConnectionProblem::NoHttp2 => "something else answers there: is the address right, or a proxy on the way?",
        ConnectionProblem::TimedOut => {
            "is the address right, and does a firewall on the way let it through? SECRETS_ENDPOINT or --endpoint sets it"
        }
        ConnectionProblem::Proxy => {
            "HTTPS_PROXY names the proxy, with `user:password@` if it asks for one; NO_PROXY=HOST goes around it"
        }
        _ if endpoint.starts_with("http://") => {
            "is the service running? SECRETS_ENDPOINT or --endpoint sets its address"
        }
        _ => "is the service running? SECRETS_ENDPOINT or --endpoint sets its address; `secrets doctor` looks closer",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use secrets_client::FieldViolation;
    use tonic::Code;

    use super::*;

    fn answered(code: Code, reason: Option<Reason>) -> ClientError {
        ClientError::Answered(Box::new(Answer {
            code,
            reason,
            message: "the name is not valid".into(),
            metadata: BTreeMap::new(),
            violations: vec![FieldViolation { field: "secret_id".into(), description: "must be upper case".into() }],
            retry_after: None,
            request_id: Some("7d2f".into()),
        }))
    }

    #[test]
    fn maps_answers_to_documented_codes() {
        for (code, reason, exit) in [
            (Code::InvalidArgument, Some(Reason::InvalidSecretId), 1),
            (Code::AlreadyExists, None, 1),
            (Code::Internal, Some(Reason::Internal), 1),
            (Code::NotFound, Some(Reason::SecretNotFound), 3),
            (Code::Unauthenticated, Some(Reason::Unauthenticated), 4),
            (Code::PermissionDenied, Some(Reason::PermissionDenied), 4),
            (Code::FailedPrecondition, Some(Reason::SecretRequiredMissing), 5),
            (Code::Unavailable, Some(Reason::AuditUnavailable), 6),
            (Code::DeadlineExceeded, None, 6),
            (Code::ResourceExhausted, Some(Reason::RateLimited), 6),
            (Code::ResourceExhausted, Some(Reason::LimitExceeded), 1),
        ] {
            assert_eq!(CliError::from(answered(code, reason)).exit as u8, exit, "{code:?}");
        }
        let after = std::time::Duration::from_secs(1);
        assert_eq!(CliError::from(ClientError::TimedOut { endpoint: "http://e".into(), after }).exit as u8, 6);
        let unreachable = ClientError::Unreachable {
            endpoint: "http://e".into(),
            problem: ConnectionProblem::Refused,
            detail: "refused".into(),
            never_sent: true,
        };
        assert_eq!(CliError::from(unreachable).exit as u8, 6);
    }

    #[test]
    fn leaves_out_the_numbers_of_the_system() {
        for (message, shown) in [
            ("`a`: No such file or directory (os error 2)", "`a`: No such file or directory"),
            ("x (os error 13); y (os error 2) z", "x; y z"),
            ("a (os error b) (os error", "a (os error b) (os error"),
        ] {
            assert_eq!(CliError::new(ExitCode::Failed, message).message(), shown);
        }
    }

    #[test]
    fn adds_fields_and_the_request_of_a_fault() {
        let error = CliError::from(answered(Code::Internal, Some(Reason::Internal)));
        assert_eq!(error.message, "the name is not valid; secret name must be upper case (request 7d2f)");
    }
}
