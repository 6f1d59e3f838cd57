//! What an explanation decides: which names there are, and in which context. The rest of it is only shown.

use std::collections::BTreeSet;

use secrets_core::{NamePolicy, SecretId};
use secrets_proto::v1;

use super::question::Question;
use super::{BrokenRule, MAX_SECRETS};

/// Checks the answer to `question`.
pub(crate) fn check_explanation(answer: &v1::ExplainResponse, question: &Question) -> Result<(), BrokenRule> {
    question.context(answer.context.as_ref())?;
    let number = answer.explanations.len();
    if number > MAX_SECRETS {
        return Err(BrokenRule::TooMany { number });
    }
    let mut seen = BTreeSet::new();
    for row in &answer.explanations {
        let name = SecretId::parse(&row.secret_id, NamePolicy::Relaxed)?;
        if !question.permits(&name) {
            return Err(BrokenRule::NotRequested { name });
        }
        if !seen.insert(name.clone()) {
            return Err(BrokenRule::Repeated { name });
        }
    }
    Ok(())
}
