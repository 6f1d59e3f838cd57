//! The action of an event, as a person names it.

use secrets_proto::Method;

use crate::ui::output::text;

/// What the service does on its own, and what it counts instead of noting each.
const OWN_ACTIONS: [&str; 4] = ["authenticate", "limit_calls", "restore", "verify_rows"];
/// More letters than the name of an action has.
const MAX_ACTION_LETTERS: usize = 64;
/// With fewer letters a word is in the names of actions that nobody meant by it.
const MIN_WORD_LETTERS: usize = 4;
/// How many actions are suggested.
const MAX_SUGGESTIONS: usize = 4;

/// The full name of an action: of a method by the name that the list has, whatever its case, or a word of the service's own.
pub(super) fn action(text: &str) -> Result<String, String> {
    let is_named = |name: &str| name.eq_ignore_ascii_case(text);
    if let Some(method) =
        Method::ALL.iter().find(|method| is_named(method.as_str()) || is_named(text::method(method.as_str())))
    {
        return Ok(method.as_str().to_owned());
    }
    if OWN_ACTIONS.contains(&text) {
        return Ok(text.to_owned());
    }
    let similar = similar_actions(text);
    if similar.is_empty() {
        return Err(
            "there is no such action; `secrets audit list` shows their names, for instance Resolve or UpdateSecret"
                .to_owned(),
        );
    }
    Err(format!("there is no such action; did you mean {}?", similar.join(" or ")))
}

/// The actions whose names differ from a word in a letter or two; if there are none, those that have the word in their names.
fn similar_actions(text: &str) -> Vec<&'static str> {
    let text: String = text.chars().filter(char::is_ascii_alphanumeric).take(MAX_ACTION_LETTERS).collect();
    let text = text.to_ascii_lowercase();
    let distance = |name: &str| strsim::osa_distance(&name.replace('_', "").to_ascii_lowercase(), &text);
    let names = Method::ALL.iter().map(|method| text::method(method.as_str())).chain(OWN_ACTIONS);
    let mut near: Vec<_> =
        names.clone().map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= 2).collect();
    near.sort_by_key(|(distance, _)| *distance);
    let is_long = text.len() >= MIN_WORD_LETTERS;
    let saying = names.filter(|name| is_long && near.is_empty() && name.to_ascii_lowercase().contains(&text));
    near.iter().map(|(_, name)| *name).chain(saying).take(MAX_SUGGESTIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_as_in_the_list() {
        for named in ["Resolve", "resolve", "secretsapi.v1.ResolveService/Resolve"] {
            assert_eq!(action(named).unwrap(), "secretsapi.v1.ResolveService/Resolve");
        }
        assert_eq!(action("limit_calls").unwrap(), "limit_calls");
        for unknown in ["", "Service", "read", "\u{65e5}", &"a".repeat(100_000)] {
            assert!(action(unknown).is_err(), "{unknown}");
        }
        for (typed, meant) in [
            ("Resolved", "did you mean Resolve?"),
            ("update-secret", "did you mean UpdateSecret?"),
            ("UpdateSecrets", "did you mean UpdateSecret?"),
            ("rollback", "did you mean RollbackSecret?"),
            ("limitcalls", "did you mean limit_calls?"),
            ("xyzzy", "for instance Resolve"),
        ] {
            assert!(action(typed).unwrap_err().contains(meant), "{typed}: {}", action(typed).unwrap_err());
        }
    }
}
