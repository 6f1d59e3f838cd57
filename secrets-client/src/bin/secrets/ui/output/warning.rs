//! Warnings of the service in words for a person.

use std::collections::BTreeMap;

use secrets_client::v1;

use super::text::{by_owner, first_names, lower, with_times_as_in_tables};

/// A line for each sentence, with the names of all secrets that it is about: an ordinary `.env` has many short words.
pub(crate) fn lines<'a>(warnings: impl IntoIterator<Item = &'a v1::Warning>) -> Vec<String> {
    let mut names: BTreeMap<(String, bool), (usize, Vec<&str>)> = BTreeMap::new();
    for (at, warning) in warnings.into_iter().enumerate() {
        let sentence = warning_sentence(warning);
        let name = Some(warning.secret_id.as_str()).filter(|name| !name.is_empty() && !sentence.contains(name));
        names.entry((sentence, name.is_some())).or_insert_with(|| (at, Vec::new())).1.extend(name);
    }
    let mut lines: Vec<_> = names
        .into_iter()
        .map(|((sentence, _), (first, names))| match names.as_slice() {
            [] => (first, sentence),
            names => (first, format!("{}: {sentence}", first_names(names))),
        })
        .collect();
    lines.sort_by_key(|(first, _)| *first);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn warning_sentence(warning: &v1::Warning) -> String {
    let sentence = if warning.message.is_empty() {
        lower(warning.code().as_str_name(), "WARNING_CODE_")
    } else {
        warning.message.clone()
    };
    with_times_as_in_tables(&by_owner(&sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_true_of_several_secrets_once() {
        let warning = |name: &str, message: &str| v1::Warning {
            secret_id: name.into(),
            message: message.into(),
            ..Default::default()
        };
        let said = lines(&[
            warning("B", "the value is short"),
            warning("A", "takes the place of the A before it"),
            warning("C", "the value is short"),
            warning("", "the value is short"),
            warning("A", "the value is short"),
        ]);
        let first = "B, C, A: the value is short";
        assert_eq!(said, [first, "takes the place of the A before it", "the value is short"]);
        let many: Vec<_> = (0..30).map(|at| warning(&format!("N{at:02}"), "short")).collect();
        assert!(lines(&many).concat().ends_with("N19 and 10 more: short"));
    }
}
