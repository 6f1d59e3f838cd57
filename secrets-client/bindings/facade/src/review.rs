use std::collections::BTreeMap;

use secrets_core::import::{self, Outcome};
use secrets_core::{AllowedReserved, Limits, NamePolicy, SecretId, dotenv};
use serde::{Deserialize, Serialize};

use crate::{InvalidArgument, Target, word};

/// The rules of an import. Each one is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The secrets that the scope has, with their targets.
    pub existing: BTreeMap<String, Target>,
    /// The names to import; all if there are none.
    pub only: Vec<String>,
    /// `STRICT` or `RELAXED`, for new names.
    pub name_policy: Option<String>,
    /// The reserved names that the organization allows.
    pub allowed_reserved: Vec<String>,
    /// `SKIP`, `OVERWRITE` or `FAIL`, for names that exist.
    pub conflict_policy: Option<String>,
    /// `FAIL` or `SKIP`: what becomes of the others when an entry is rejected.
    pub on_rejected: Option<String>,
    /// Whether `${…}` and references of other tools are meant as they stand.
    pub literal: bool,
    /// Whether an entry whose name is not valid gets the one that is suggested.
    pub rename: bool,
}

/// What an import would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Review {
    /// Why the document can't be read; then there is nothing else.
    pub problem: Option<Problem>,
    /// One for each entry, in their order.
    pub entries: Vec<Entry>,
    /// The names to import that no entry has.
    pub missing: Vec<String>,
    /// Whether the entries that are not rejected may be applied.
    pub may_apply: bool,
}

/// Why a document can't be read.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The line, counted from 1; none if it is the document as a whole.
    pub line: Option<usize>,
    /// A sentence that may be shown.
    pub message: String,
}

/// An entry without its value.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its line, counted from 1.
    pub line: usize,
    /// The name as it was written, unless it may be a part of a value.
    pub key: Option<String>,
    /// The name, if it would be applied; another one than `key` if it is renamed.
    pub secret_id: Option<String>,
    /// What would become of it: `CREATED`, `UPDATED`, `SKIPPED_EXISTS`, …
    pub outcome: &'static str,
    /// Why it would not be applied, or what to know before it is, in words that may be shown.
    pub reason: Option<String>,
    /// A valid name that it could get instead.
    pub suggestion: Option<String>,
}

/// Reviews a `.env` document as the service would. Limits are those of a service that lowers none.
pub fn review_dotenv(document: &[u8], rules: &Rules) -> Result<Review, InvalidArgument> {
    let name = |field: &'static str| {
        move |text: &String| {
            SecretId::parse(text, NamePolicy::Relaxed).map_err(|error| InvalidArgument::new(field, error))
        }
    };
    let existing = rules.existing.iter().map(|(text, target)| Ok((name("existing")(text)?, target.to_core()?)));
    let given = import::Rules {
        existing: &existing.collect::<Result<_, _>>()?,
        only: &rules.only.iter().map(name("only")).collect::<Result<_, _>>()?,
        name_policy: word("name_policy", rules.name_policy.as_deref())?,
        allowed_reserved: &AllowedReserved::new(&rules.allowed_reserved)
            .map_err(|error| InvalidArgument::new("allowed_reserved", error))?,
        conflict_policy: word("conflict_policy", rules.conflict_policy.as_deref())?,
        on_rejected: word("on_rejected", rules.on_rejected.as_deref())?,
        literal: rules.literal,
        rename: rules.rename,
        limits: Limits::default(),
    };
    let unreadable = |line, message| Review { problem: Some(Problem { line, message }), ..Review::default() };
    let entries = match dotenv::parse(document) {
        Ok(entries) => entries,
        Err(error) => return Ok(unreadable(Some(error.line), error.to_string())),
    };
    Ok(match import::review(&entries, &given) {
        Ok(review) => Review {
            problem: None,
            may_apply: review.may_apply(),
            missing: review.missing.iter().map(SecretId::to_string).collect(),
            entries: review.entries.into_iter().map(Entry::from).collect(),
        },
        Err(error) => unreadable(None, error.to_string()),
    })
}

impl From<import::Reviewed> for Entry {
    fn from(reviewed: import::Reviewed) -> Self {
        Self {
            line: reviewed.line,
            key: reviewed.key,
            secret_id: reviewed.secret_id.as_ref().map(SecretId::to_string),
            outcome: Outcome::as_str(reviewed.outcome),
            reason: reviewed.reason.as_ref().map(ToString::to_string),
            suggestion: reviewed.suggestion.as_ref().map(SecretId::to_string),
        }
    }
}
