//! What Resolve answers, and what identifies an answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrets_core::authorize::Right;
use secrets_core::{Context, ContextName, Filter, Redaction, SecretName, Target, Timestamp};

use super::evaluate::Evaluation;
use crate::crypto::{MacPurpose, SecretBytes, Transcript};
use crate::service::Service;
use crate::service::warning::{Warning, WarningCode};
use crate::store::revision::Revision;
use crate::store::secret::SecretWithVersion;

/// A process can be started with 1 MiB of arguments and environment on macOS, usually with 2 MiB on Linux; the inherited
/// variables and the arguments take their part of it.
const LARGE_ENVIRONMENT_BYTES: u64 = 512 * 1024;

/// Enough of an HMAC-SHA-256 to tell answers apart.
const ETAG_BYTES: usize = 16;

/// The answer of Resolve.
pub struct ResolvedSet {
    /// For whom, with the implied project and user filled in.
    pub context: ContextName,
    /// The values, ordered by name; none when the answer is the one that the caller has.
    pub delivered: Option<Vec<Delivered>>,
    /// Identifies the answer: context, filters, winners and versions.
    pub etag: String,
    /// The next time at which it changes by itself.
    pub next_change_time: Option<Timestamp>,
    /// The revision that was read.
    pub revision: Revision,
    /// Bytes that the variables take in an environment: names, values, `=` and NUL.
    pub environment_bytes: u64,
    pub warnings: Vec<Warning>,
}

/// A secret with its value.
pub struct Delivered {
    pub name: SecretName,
    /// Where the value lands.
    pub target: Target,
    pub value: SecretBytes,
    /// The version it is of.
    pub version: u32,
    /// Whether a client masks it in output.
    pub redaction: Redaction,
}

impl ResolvedSet {
    /// The answer that delivers the `chosen` secrets, still without their values.
    pub(super) fn new<A: Right>(
        service: &Service,
        evaluation: &Evaluation<A>,
        filter: &Filter,
        chosen: &[&SecretWithVersion],
    ) -> Self {
        let Evaluation { located, snapshot, resolution, .. } = evaluation;
        let identity = identity(&located.context, filter, chosen);
        let mac = service.keys.fingerprint().mac(MacPurpose::AnswerEtag, identity.as_bytes());
        let environment_bytes = environment_bytes(chosen);
        let warnings = (environment_bytes > LARGE_ENVIRONMENT_BYTES)
            .then(|| large_environment(environment_bytes))
            .into_iter()
            .collect();
        Self {
            context: located.name.clone(),
            delivered: None,
            etag: URL_SAFE_NO_PAD.encode(mac.get(..ETAG_BYTES).unwrap_or(&mac)),
            next_change_time: resolution.valid_until,
            revision: snapshot.revision,
            environment_bytes,
            warnings,
        }
    }
}

fn environment_bytes(chosen: &[&SecretWithVersion]) -> u64 {
    let variables = chosen.iter().filter(|each| each.version.target == Target::EnvironmentVariable);
    variables.map(|each| each.secret.secret_id.as_str().len() as u64 + u64::from(each.version.value_bytes) + 2).sum()
}

fn large_environment(bytes: u64) -> Warning {
    let message = format!(
        "the variables take {bytes} bytes; some systems start no process with more than 1 MiB of arguments and \
         environment: deliver large values as files, or ask for fewer names"
    );
    Warning { code: WarningCode::LargeEnvironment, secret_id: None, message }
}

/// All that an answer depends on, written so that no two answers give the same bytes. It is not shown: a plain hash
/// would let a holder of two etags compare what they may not see.
fn identity(context: &Context, filter: &Filter, chosen: &[&SecretWithVersion]) -> Transcript {
    let Filter { secret_ids, required, kinds, restrictions } = filter;
    let mut transcript = Transcript::default();
    for uid in [Some(context.organization), context.project, context.workspace, context.user] {
        transcript.push(uid.as_ref().map_or(&[], |uid| uid.as_bytes()));
    }
    push_list(&mut transcript, secret_ids.iter().map(|name| name.as_str()));
    push_list(&mut transcript, required.iter().map(|name| name.as_str()));
    push_list(&mut transcript, kinds.iter().map(|kind| kind.as_str()));
    push_optional(
        &mut transcript,
        restrictions.secret_ids.as_ref().map(|names| names.iter().map(|name| name.as_str())),
    );
    push_optional(&mut transcript, restrictions.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.as_str())));
    push_optional(
        &mut transcript,
        restrictions.scopes.as_ref().map(|scopes| scopes.iter().map(|scope| scope.as_str())),
    );
    for SecretWithVersion { secret, version } in chosen {
        transcript.push(secret.uid.as_bytes());
        transcript.push(&version.version.to_be_bytes());
        // A restored database counts some versions twice.
        transcript.push(&version.create_time.as_micros().to_be_bytes());
        transcript.push(secret.redaction.as_str().as_bytes());
    }
    transcript
}

fn push_list<'a>(transcript: &mut Transcript, items: impl ExactSizeIterator<Item = &'a str>) {
    transcript.push(&(items.len() as u64).to_be_bytes());
    for item in items {
        transcript.push(item.as_bytes());
    }
}

fn push_optional<'a>(transcript: &mut Transcript, items: Option<impl ExactSizeIterator<Item = &'a str>>) {
    match items {
        None => {
            transcript.push(b"all");
        }
        Some(items) => push_list(transcript, items),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrets_core::{NamePolicy, ScopeKind, SecretId, SessionRestrictions, TargetKind, Uid};

    use super::*;

    fn names(list: &[&str]) -> BTreeSet<SecretId> {
        list.iter().map(|name| SecretId::parse(name, NamePolicy::Strict).unwrap()).collect()
    }

    #[test]
    fn no_two_questions_share_an_identity() {
        let [organization, a, b] = [1, 2, 3].map(Uid::from_u128);
        let context = |project, workspace, user| Context { organization, project, workspace, user };
        let bare = Filter::default();
        let restrictions = |restrictions| Filter { restrictions, ..Filter::default() };
        let questions = [
            (context(None, None, None), bare.clone()),
            (context(Some(a), None, None), bare.clone()),
            (context(None, Some(a), None), bare.clone()),
            (context(None, None, Some(a)), bare.clone()),
            (context(Some(a), Some(b), None), bare.clone()),
            (context(None, None, None), Filter { secret_ids: names(&["A"]), ..bare.clone() }),
            (context(None, None, None), Filter { secret_ids: names(&["A", "B"]), ..bare.clone() }),
            (context(None, None, None), Filter { secret_ids: names(&["AB"]), ..bare.clone() }),
            (context(None, None, None), Filter { required: names(&["A"]), ..bare.clone() }),
            (context(None, None, None), Filter { kinds: [TargetKind::File].into(), ..bare }),
            (
                context(None, None, None),
                restrictions(SessionRestrictions { secret_ids: Some(names(&[])), ..SessionRestrictions::default() }),
            ),
            (
                context(None, None, None),
                restrictions(SessionRestrictions { secret_ids: Some(names(&["A"])), ..SessionRestrictions::default() }),
            ),
            (
                context(None, None, None),
                restrictions(SessionRestrictions {
                    kinds: Some([TargetKind::File].into()),
                    ..SessionRestrictions::default()
                }),
            ),
            (
                context(None, None, None),
                restrictions(SessionRestrictions {
                    scopes: Some([ScopeKind::User].into()),
                    ..SessionRestrictions::default()
                }),
            ),
        ];
        let identities: BTreeSet<_> =
            questions.iter().map(|(context, filter)| identity(context, filter, &[]).into_bytes()).collect();
        assert_eq!(identities.len(), questions.len());
    }
}
