//! How much of a line a text takes: in columns of a terminal, of which some characters take two and some none.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What resource paths begin with whose end is a name. Others end with an identifier, which its beginning tells apart.
const COLLECTIONS: [&str; 6] = ["organizations", "projects", "workspaces", "users", "secrets", "serviceAccounts"];

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text in at most `room` columns: of a resource path the end, which differs between paths, else the beginning.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        text.to_owned()
    } else if is_resource_path(text) {
        let end: Vec<char> = fitting(text.chars().rev(), room.saturating_sub(1)).collect();
        std::iter::once('…').chain(end.into_iter().rev()).collect()
    } else {
        fitting(text.chars(), room.saturating_sub(1)).chain(['…']).collect()
    }
}

/// Whether a text is the resource path of what has a name, whole or within its organization.
fn is_resource_path(text: &str) -> bool {
    let collection = text.split('/').next().filter(|collection| *collection != text);
    !text.contains(' ') && collection.is_some_and(|collection| COLLECTIONS.contains(&collection))
}

/// The first characters that take at most `room` columns, each of them counted for itself.
fn fitting(text: impl Iterator<Item = char>, room: usize) -> impl Iterator<Item = char> {
    text.scan(0, move |taken, c| {
        *taken += c.width().unwrap_or(0);
        (*taken <= room).then_some(c)
    })
}

/// A text in lines of at most `room` columns, broken between words where it can be.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 1 + width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A list in lines of at most `room` columns, broken behind its commas; an item that is wider has a line of its own.
pub(super) fn wrapped_list(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for item in text.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if line.is_empty() || width(line) + width(item.trim_end()) <= room => line.push_str(item),
            _ => lines.push(item.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_of_a_path() {
        assert_eq!(cut("organizations/acme/projects/api", 12), "…rojects/api");
        assert_eq!(cut("workspaces/ws1/secrets/DATABASE_URL", 13), "…DATABASE_URL");
        assert_eq!(cut("sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", 14), "sessions/7c2a…");
        assert_eq!(cut("the team's own key", 10), "the team'…");
        assert_eq!(cut("/projects/api of the team", 9), "/project…");
    }

    #[test]
    fn counts_the_columns_of_wide_characters_and_of_those_without_width() {
        assert_eq!(width("日本語"), 6);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(cut("日本語の鍵", 6), "日本…");
        assert_eq!(cut("日本語の鍵", 5), "日本…");
        assert_eq!(cut("cle\u{301} d'e\u{301}quipe", 5), "cle\u{301} …");
        for room in 1..12 {
            assert!(width(&cut("日本語の鍵", room)) <= room, "{room}");
        }
    }

    #[test]
    fn breaks_between_words() {
        assert_eq!(wrapped("project api: disabled", 12), ["project api:", "disabled"]);
        assert_eq!(wrapped("日本 語", 5), ["日本", "語"]);
        assert_eq!(wrapped_list("A v1, 日本 v2, C v3", 12), ["A v1,", "日本 v2,", "C v3"]);
        assert_eq!(wrapped_list("A v1, 日本 v2, C v3", 14), ["A v1, 日本 v2,", "C v3"]);
    }
}
