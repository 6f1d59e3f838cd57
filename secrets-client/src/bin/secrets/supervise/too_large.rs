//! An environment that is larger than the system takes: how large it is, what the system takes, and what is largest.

use std::ffi::{OsStr, OsString};

use rustix::process::{Resource, getrlimit};

use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

/// What Linux takes at least and at most, whatever the limit of the stack: `execve(2)`.
const MIN_LIMIT_BYTES: u64 = 128 * 1024;
const MAX_LIMIT_BYTES: u64 = 6 * 1024 * 1024;
/// What Linux takes of one string.
const MAX_STRING_PAGES: usize = 32;
/// A string's NUL byte, and the pointer to it.
const STRING_BYTES: usize = 1 + size_of::<usize>();
/// As many variables are named.
const MAX_NAMED: usize = 3;

/// What is said of a program that can't be started with these arguments and this environment.
pub(super) fn explain(words: &[OsString], environment: &[(OsString, OsString)]) -> CliError {
    let arguments: usize = words.iter().map(|word| word.len() + STRING_BYTES).sum();
    let mut variables: Vec<(&OsStr, usize)> =
        environment.iter().map(|(name, value)| (name.as_os_str(), name.len() + 1 + value.len())).collect();
    variables.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let total = arguments + variables.iter().map(|(_, size)| size + STRING_BYTES).sum::<usize>();
    let largest: Vec<String> = variables
        .iter()
        .take(MAX_NAMED)
        .map(|(name, size)| format!("{} ({})", name.to_string_lossy(), text::count(*size, "byte")))
        .collect();
    let program = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let message = format!(
        "`{program}`: its environment is too large: with the arguments ({}) it takes {}, of at most {} in all and {} for one \
         variable; the largest: {}",
        text::count(arguments, "byte"),
        text::count(total, "byte"),
        text::count(limit(), "byte"),
        text::count(MAX_STRING_PAGES * rustix::param::page_size() - 1, "byte"),
        largest.join(", ")
    );
    CliError::new(ExitCode::NotExecutable, message).hint(
        "--only gives fewer secrets, --clean-env inherits nothing; what has a file as its target takes no room here",
    )
}

/// The most bytes that arguments and environment may take.
fn limit() -> usize {
    let stack = getrlimit(Resource::Stack).current;
    let limit = stack.map_or(MAX_LIMIT_BYTES, |stack| (stack / 4).clamp(MIN_LIMIT_BYTES, MAX_LIMIT_BYTES));
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_largest_and_shows_no_value() {
        let variable = |name: &str, size: usize| (OsString::from(name), OsString::from("v".repeat(size)));
        let environment = [variable("A", 1), variable("B", 2_000), variable("C", 300), variable("D", 40)];
        let message = explain(&["sh".into(), "-c".into(), "true".into()], &environment).message().to_owned();
        for part in
            ["`sh`: ", "(35 bytes)", "2,420 bytes", "for one variable", "B (2,002 bytes), C (302 bytes), D (42 bytes)"]
        {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains("vv") && !message.contains("A ("), "{message}");
    }
}
