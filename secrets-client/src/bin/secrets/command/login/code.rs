//! Codes: entering one, and redeeming it for a token.

use std::io::Read as _;

use secrets_client::{Created, Credential, v1};
use secrets_core::CredentialKind;
use zeroize::Zeroizing;

use super::{LoginArgs, machine, parse};
use crate::app::App;
use crate::args::time;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;
use crate::ui::prompt;

/// More than any token or code, in bytes.
const MAX_INPUT_BYTES: u64 = 64 * 1024;

/// The code or token with which somebody signs in.
pub(super) fn entered(args: &LoginArgs) -> Result<Credential, CliError> {
    if args.invite.is_some() {
        return given(args);
    }
    let question = if args.recovery { "Recovery code" } else { "Invitation code or token" };
    let entered = read(args, question)?;
    let kind = entered.kind();
    if args.recovery && kind != Some(CredentialKind::RecoveryCode) {
        let prefix = CredentialKind::RecoveryCode.prefix();
        return Err(CliError::usage(format!("this is not a recovery code: those begin with `{prefix}`")));
    }
    Ok(entered)
}

/// A code that begins another sign-in.
pub(super) fn entered_to_go_on(app: &App, args: &LoginArgs) -> Result<Credential, CliError> {
    if args.invite.is_some() {
        return given(args);
    }
    app.output.note(
        "This sign-in goes on with another code alone: its lifetime was chosen, or a year is over since the last one.",
    );
    let entered = read(args, "Invitation or recovery code")?;
    match entered.kind() {
        Some(CredentialKind::RecoveryCode) => Ok(entered),
        _ => invitation(entered),
    }
}

/// Redeems a code, and says what that has ended.
pub(super) async fn redeem(
    app: &App,
    kind: CredentialKind,
    code: Credential,
    args: &LoginArgs,
) -> Result<Created<v1::Token>, CliError> {
    let client = app.patient(app.settings.connection()?.credential(code)).build()?;
    let (display_name, ttl) = (args.name.clone().unwrap_or_else(machine), time::ttl(args.ttl));
    let redeemed = match kind {
        CredentialKind::RecoveryCode => {
            let request = v1::RedeemRecoveryCodeRequest { display_name, ttl, keep_others: args.keep_others };
            client.redeem_recovery_code(request).await.map(|(ended, created)| {
                say_what_ended(app, &ended);
                created
            })
        }
        CredentialKind::SignInCode => {
            client.redeem_sign_in_code(v1::RedeemSignInCodeRequest { display_name, ttl }).await
        }
        _ => client.redeem_invitation(v1::RedeemInvitationRequest { display_name, ttl }).await.map(
            |(answer, created)| {
                if let Some(ended) = &answer.ended {
                    app.output.warn(&text::invitation_ended(ended, "the invitation has ended what you had"));
                }
                created
            },
        ),
    };
    redeemed.map_err(|error| {
        let error = CliError::from(error);
        if error.exit == ExitCode::NotAllowed || error.exit == ExitCode::NotFound {
            refused(error, kind)
        } else {
            error
        }
    })
}

/// The service's sentence about a code that it does not take, with what whoever has it can do.
fn refused(error: CliError, kind: CredentialKind) -> CliError {
    if let Some((_, length)) = error.message().split_once(" is cut short") {
        let message = format!("the code is cut short{length}");
        return error.with_message(message).hint("copy all of it: it is one word");
    }
    // How another one is created is of no use to whom it was given.
    let sentence = error.message().split("; ask for another one").next().unwrap_or_default().to_owned();
    error.with_message(sentence).hint(format!("a code works once and for a limited time; {}", another(kind)))
}

/// What helps where a code was redeemed and its token could not be kept.
pub(super) fn used_up(kind: CredentialKind) -> String {
    format!("the code is used up: {}", another(kind))
}

fn another(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::RecoveryCode => "use another recovery code",
        CredentialKind::SignInCode => "`secrets login --another-machine` on the other machine shows another one",
        _ => "ask whoever invited you for another one",
    }
}

fn say_what_ended(app: &App, ended: &v1::RedeemRecoveryCodeResponse) {
    let count = |number: i32, noun| text::count(usize::try_from(number).unwrap_or(0), noun);
    let (sessions, tokens) = (count(ended.revoked_sessions, "session"), count(ended.revoked_tokens, "token"));
    if ended.revoked_sessions > 0 || ended.revoked_tokens > 0 {
        app.output.note(&format!("Signed out everywhere else: this ended {sessions} and {tokens}."));
    }
    if ended.total_service_tokens > 0 {
        let service_tokens = count(ended.total_service_tokens, "token");
        app.output.warn(&format!(
            "what you had signed in with before created {service_tokens} of service accounts, which go on; `secrets token list \
             --service-account NAME` shows them"
        ));
    }
    let left = count(ended.remaining_recovery_codes, "recovery code");
    app.output.note(&format!(
        "This recovery code is used up; you have {left} left. `secrets login --recovery-codes` creates new ones within ten minutes."
    ));
}

/// Asks for a code or a token; where there is nobody to ask, stdin holds one.
fn read(args: &LoginArgs, question: &str) -> Result<Credential, CliError> {
    let text = match prompt::stdin_is_terminal() {
        true => as_text(prompt::code(question)?)?,
        false => read_stdin()?,
    };
    let entered = parse(&text)?;
    let kind = entered.kind();
    if !kind.is_some_and(CredentialKind::is_code) && (args.name.is_some() || args.ttl.is_some()) {
        return Err(CliError::usage("--name and --ttl are for the token that a code is redeemed for; this is a token"));
    }
    if kind != Some(CredentialKind::RecoveryCode) && args.keep_others {
        return Err(CliError::usage("--keep-others is for a recovery code, and this is none"));
    }
    Ok(entered)
}

/// The code of `--invite`, or of stdin.
fn given(args: &LoginArgs) -> Result<Credential, CliError> {
    match args.invite.as_deref() {
        None | Some("-") => invitation(parse(&read_stdin()?)?),
        Some(code) => invitation(parse(code)?),
    }
}

fn read_stdin() -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::io::stdin()
        .lock()
        .take(MAX_INPUT_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| CliError::new(ExitCode::Failed, format!("stdin: {error}")))?;
    as_text(bytes)
}

fn as_text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, CliError> {
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Zeroizing::new).map_err(|_| CliError::usage("a code or a token is text, and this is none"))
}

/// A token goes to nobody in place of a code.
fn invitation(entered: Credential) -> Result<Credential, CliError> {
    if entered.kind() == Some(CredentialKind::Invitation) {
        return Ok(entered);
    }
    let prefix = CredentialKind::Invitation.prefix();
    Err(CliError::usage(format!("this is not an invitation code: those begin with `{prefix}`"))
        .hint("`secrets login` asks for a code or a token, hidden"))
}
