//! Words that stand in every program's output.

/// Sorted. Words of fewer than six letters are short enough for a warning anyway.
const WORDS: &[&str] = &[
    "123456789",
    "administrator",
    "anonymous",
    "authorized_user",
    "backend",
    "changeme",
    "client",
    "config",
    "console",
    "database",
    "debugging",
    "default",
    "deployment",
    "development",
    "disable",
    "disabled",
    "docker",
    "enable",
    "enabled",
    "example",
    "external_account",
    "frontend",
    "github",
    "gitlab",
    "google",
    "googleapis.com",
    "internal",
    "jenkins",
    "kubernetes",
    "localhost",
    "master",
    "memory",
    "message",
    "network",
    "nobody",
    "nothing",
    "object",
    "operator",
    "passwd",
    "password",
    "placeholder",
    "platform",
    "postgres",
    "postgresql",
    "preview",
    "private",
    "production",
    "project",
    "public",
    "readonly",
    "release",
    "request",
    "sandbox",
    "secret",
    "secrets",
    "server",
    "service",
    "service_account",
    "session",
    "staging",
    "standard",
    "string",
    "success",
    "system",
    "testing",
    "undefined",
    "unknown",
    "username",
    "verbose",
    "version",
    "warning",
    "webhook",
    "website",
    "windows",
    "worker",
    "workspace",
];

/// Whether `text`, apart from white space around it, is such a word, a number of at most eight digits, or one character
/// again and again.
pub(crate) fn is_common(text: &str) -> bool {
    let text = text.trim();
    let word = text.to_ascii_lowercase();
    let is_number = text.len() <= 8 && text.bytes().all(|b| b.is_ascii_digit());
    let mut characters = text.chars();
    let first = characters.next();
    is_number || characters.all(|c| Some(c) == first) || WORDS.binary_search(&word.as_str()).is_ok()
}

/// Whether `text` is such a word, or the beginning of one.
pub(super) fn begins_common_word(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    // The words that `text` begins sort right behind it.
    let first = WORDS.partition_point(|word| *word < text.as_str());
    WORDS.get(first).is_some_and(|word| word.starts_with(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_words_sorted_and_in_lower_case() {
        assert!(WORDS.is_sorted_by(|a, b| a < b));
        assert!(WORDS.iter().all(|word| word.len() >= 6 && *word == word.to_ascii_lowercase()));
    }

    #[test]
    fn tells_words_from_keys() {
        for text in ["production", "PRODUCTION\n", "20260131", "aaaaaaaaaaaa", "--------", "", "localhost"] {
            assert!(is_common(text), "{text:?}");
        }
        for text in ["sk_test_1", "correct horse battery", "203948572910", "productions3", "hunter22", "aaaaaaaab"] {
            assert!(!is_common(text), "{text:?}");
        }
        for text in ["p", "passw", "Production", "windows"] {
            assert!(begins_common_word(text), "{text:?}");
        }
        for text in ["q", "passx", "productions", "windowz", "zzz"] {
            assert!(!begins_common_word(text), "{text:?}");
        }
    }
}
