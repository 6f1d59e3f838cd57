//! What is masked in a program's output, while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrets_client::ResolvedSecret;
use secrets_core::Redaction;
use secrets_core::redact::{Masked, Redactor, RedactorStream, Unmasked, UnmaskedReason};
use zeroize::Zeroizing;

use crate::args::unmask::UnmaskArgs;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

/// The redactor of a running program. Another one can take its place; its streams go over to it by themselves.
#[derive(Clone)]
pub(crate) struct Masking {
    shared: Arc<Shared>,
}

struct Shared {
    redactor: Mutex<Redactor>,
    /// Counts the replacements, so that a stream need not lock to see that there was none.
    generation: AtomicU64,
}

/// One stream of a program's output.
pub(crate) struct MaskedStream {
    masking: Masking,
    stream: RedactorStream,
    /// The redactor before, while it holds something back; what it lets through goes through `stream`.
    retired: Option<RedactorStream>,
    generation: u64,
}

/// Masks the values of these secrets, as far as they are to be masked, and a token.
pub(crate) fn redactor<'a>(
    secrets: impl Iterator<Item = &'a ResolvedSecret>,
    token: Option<&'a str>,
) -> Result<Redactor, CliError> {
    let masked = secrets.map(|secret| Masked {
        name: secret.secret_id().as_str(),
        value: secret.expose(),
        redaction: secret.redaction,
    });
    let token = token.map(|token| Masked { name: "the token", value: token.as_bytes(), redaction: Redaction::Default });
    Redactor::new(masked.chain(token)).map_err(|error| {
        CliError::new(ExitCode::Failed, format!("masking: {error}")).hint("--only gives fewer secrets")
    })
}

/// The same without those that are named in `unmask`. Says what is shown, also for other reasons.
pub(crate) fn redactor_except(
    args: &UnmaskArgs,
    secrets: &[ResolvedSecret],
    token: Option<&str>,
    output: Output,
) -> Result<Redactor, CliError> {
    let unmask = &args.unmask;
    if let Some(name) = unmask.iter().find(|name| !secrets.iter().any(|secret| secret.secret_id().as_str() == *name)) {
        return Err(CliError::usage(format!("--unmask {name}: there is no such secret in this context"))
            .hint("`secrets explain` shows what this context gets, and why"));
    }
    let redactor = redactor(secrets.iter().filter(|secret| !is_named(unmask, secret)), token)?;
    if let Some(shown) = unmasked_note(args, &redactor) {
        output.note(&shown);
    }
    Ok(redactor)
}

/// A line that says what is not masked, and why; none if all is.
fn unmasked_note(args: &UnmaskArgs, redactor: &Redactor) -> Option<String> {
    let mut shown: Vec<String> = args.unmask.iter().map(|name| format!("{name} (--unmask)")).collect();
    shown.extend(unmasked(redactor, args.verbose));
    (!shown.is_empty()).then(|| format!("secrets: not masked: {}", shown.join(", ")))
}

/// Whether whoever stored the secret wants it masked.
pub(crate) fn is_masked(secret: &ResolvedSecret) -> bool {
    secret.redaction == Redaction::Default
}

/// Whether the secret is among these names.
pub(crate) fn is_named(names: &[String], secret: &ResolvedSecret) -> bool {
    names.iter().any(|name| name == secret.secret_id().as_str())
}

/// Whether lines of this value are too short to be masked.
pub(crate) fn has_short_lines(name: &str, value: &[u8]) -> bool {
    let masked = Masked { name, value, redaction: Redaction::Default };
    let redactor = Redactor::new(std::iter::once(masked));
    redactor.is_ok_and(|redactor| redactor.unmasked().iter().any(|it| it.reason == UnmaskedReason::ShortLines))
}

/// What `redactor` does not mask, and why, in a few words each. That a value has short lines was said when it was set.
fn unmasked(redactor: &Redactor, verbose: bool) -> impl Iterator<Item = String> {
    let told = move |unmasked: &&Unmasked| verbose || unmasked.reason != UnmaskedReason::ShortLines;
    redactor.unmasked().iter().filter(told).map(|unmasked| {
        let reason = match unmasked.reason {
            UnmaskedReason::Off => "its redaction is off",
            UnmaskedReason::TooShort => "too short",
            UnmaskedReason::ShortLines => "its short lines",
        };
        format!("{} ({reason})", unmasked.name)
    })
}

impl Masking {
    pub(crate) fn new(redactor: Redactor) -> Self {
        Self { shared: Arc::new(Shared { redactor: Mutex::new(redactor), generation: AtomicU64::new(0) }) }
    }

    /// Masks what `redactor` does from now on, in place of what was masked before.
    pub(crate) fn replace(&self, redactor: Redactor) {
        *self.shared.redactor.lock().unwrap_or_else(PoisonError::into_inner) = redactor;
        self.shared.generation.fetch_add(1, Ordering::Release);
    }

    /// A line that says what is not masked, and why; none if all is.
    pub(crate) fn unmasked_note(&self, args: &UnmaskArgs) -> Option<String> {
        unmasked_note(args, &self.shared.redactor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn stream(&self) -> MaskedStream {
        let generation = self.shared.generation.load(Ordering::Acquire);
        MaskedStream { masking: self.clone(), stream: self.new_stream(), retired: None, generation }
    }

    fn new_stream(&self) -> RedactorStream {
        self.shared.redactor.lock().unwrap_or_else(PoisonError::into_inner).stream()
    }
}

impl MaskedStream {
    /// Appends to `output` what can be decided with `input`.
    pub(crate) fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let generation = self.masking.shared.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.replace_stream(output);
        }
        let Some(retired) = &mut self.retired else { return self.stream.push(input, output) };
        let mut decided = Zeroizing::new(Vec::new());
        retired.push(input, &mut decided);
        if retired.held_back() == 0 {
            self.retired = None;
        }
        self.stream.push(&decided, output);
    }

    /// What is held back belongs to the redactor that held it, as another one may not know its beginning. That may be for
    /// long, and what comes meanwhile is masked by both.
    fn replace_stream(&mut self, output: &mut Vec<u8>) {
        self.finish_retired(output);
        let before = std::mem::replace(&mut self.stream, self.masking.new_stream());
        self.retired = (before.held_back() > 0).then_some(before);
    }

    fn finish_retired(&mut self, output: &mut Vec<u8>) {
        if let Some(mut retired) = self.retired.take() {
            let mut decided = Zeroizing::new(Vec::new());
            retired.finish(&mut decided);
            self.stream.push(&decided, output);
        }
    }

    /// Appends to `output` what was held back and may be shown, as nothing follows soon.
    pub(crate) fn pause(&mut self, output: &mut Vec<u8>) {
        if let Some(retired) = &mut self.retired {
            let mut decided = Zeroizing::new(Vec::new());
            retired.pause(&mut decided);
            self.stream.push(&decided, output);
        }
        self.stream.pause(output);
    }

    /// Appends to `output` what was held back, as nothing follows.
    pub(crate) fn finish(&mut self, output: &mut Vec<u8>) {
        self.finish_retired(output);
        self.stream.finish(output);
    }

    /// How many bytes are held back.
    pub(crate) fn held_back(&self) -> usize {
        self.stream.held_back() + self.retired.as_ref().map_or(0, RedactorStream::held_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(value: &[u8]) -> Redactor {
        Redactor::new([Masked { name: "A", value, redaction: Redaction::Default }]).unwrap()
    }

    /// What comes out of a stream that is given `pieces`, with another redactor behind the first.
    fn masked(before: &Redactor, after: &[Redactor], pieces: &[&str], pause: bool) -> String {
        let masking = Masking::new(before.clone());
        let (mut stream, mut output) = (masking.stream(), Vec::new());
        for (index, piece) in pieces.iter().enumerate() {
            stream.push(piece.as_bytes(), &mut output);
            if pause {
                stream.pause(&mut output);
            }
            if let Some(redactor) = after.get(index) {
                masking.replace(redactor.clone());
            }
        }
        stream.finish(&mut output);
        assert_eq!(stream.held_back(), 0);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn masks_by_both_sets_what_comes_while_the_one_before_holds_something_back() {
        let (old, new) = (redactor(b"old-value"), redactor(b"new-value"));
        let after = [new.clone()];
        for pause in [false, true] {
            let pieces = ["old-va", "lue new-value old-value ", "new-value"];
            assert_eq!(masked(&old, &after, &pieces, pause), "*** *** *** ***");
            assert_eq!(masked(&old, &after, &["old-va", "l", "ue."], pause), "***.");
            assert_eq!(masked(&old, &after, &["old-va", "ult new-val", "ue"], pause), "old-vault ***");
            assert_eq!(masked(&old, &after, &["old-va"], pause), "***");
            assert_eq!(
                masked(&old, &[new.clone(), redactor(b"third-value")], &["old-va", "l", "third-value"], pause),
                "******"
            );
        }
    }
}
