//! One check for what a service answers with, before any of it is used: a client trusts no service.
//!
//! An answer becomes a [`ResolvedSet`] here, and nowhere else: whoever holds one has names, targets, paths, registries, scopes
//! and versions that core's own rules accept, each name once, and only what was asked for. Every event of a watch goes through
//! the same rules. An answer that breaks one is refused whole, by an error that names the rule.
//!
//! A kind of target, a kind of scope or another enumeration value that this version does not know breaks no rule, so that
//! versions may differ: a secret that has one is [left out](LeftOut), and refused only where it was asked for by name.
//!
//! To add a rule: a variant of [`BrokenRule`], a row in `tests/hostile_server/answers.rs`, and for the other languages' clients
//! its sentence in `secrets-core/examples/rules.rs`, with an answer in `tests/interop/malformed.json` or an event beside it.
//!
//! Beside the set, what else decides something is checked: who calls and whose a token is, which a login keeps, and the names
//! of an explanation.
//!
//! Absent: a check of what is only shown, such as a description or a list. Whoever shows it bounds and escapes it.

mod broken_rule;
mod caller;
mod explanation;
mod metadata;
mod question;
mod resolved_set;
mod text;
mod watched;
mod wire;

pub use self::broken_rule::{BrokenRule, UnknownValue};
pub(crate) use self::caller::{check_caller, check_owner};
pub(crate) use self::explanation::check_explanation;
pub use self::metadata::LeftOut;
pub use self::question::Question;
pub use self::resolved_set::{ResolvedSecret, ResolvedSet};
pub(crate) use self::text::is_token;
pub(crate) use self::watched::check_event;
pub use self::wire::target as wire_target;

/// The most secrets that a context gets: four full scopes.
pub const MAX_SECRETS: usize = 4_000;
