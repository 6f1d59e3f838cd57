//! What `run` starts: a program of the `PATH`, and the files that are its arguments.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _};

/// What may stand behind `--` in place of `current`, whose position among all words is `index`.
pub(super) fn candidates(current: &OsStr, words: &[OsString], index: usize) -> Vec<CompletionCandidate> {
    let is_program = index.checked_sub(1).and_then(|before| words.get(before)).is_some_and(|before| before == "--");
    let is_path = current.as_encoded_bytes().contains(&b'/');
    if !is_program || is_path {
        return PathCompleter::any().complete(current);
    }
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&directories)
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flatten()
        .flatten();
    let begins = |name: &OsString| name.as_encoded_bytes().starts_with(current.as_encoded_bytes());
    let runs = |entry: &std::fs::DirEntry| {
        // Of what a link names.
        std::fs::metadata(entry.path()).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let named = found.filter(|entry| begins(&entry.file_name()) && runs(entry)).map(|entry| entry.file_name());
    named.collect::<BTreeSet<OsString>>().into_iter().map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(words: &[&str]) -> Vec<String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let last = words.len() - 1;
        let candidates = candidates(&words[last], &words, last);
        candidates.iter().map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn offers_programs_first_and_files_behind() {
        assert!(offered(&["run", "--", "printen"]).contains(&"printenv".to_owned()));
        assert!(offered(&["run", "--", "/et"]).contains(&"/etc/".to_owned()));
        assert!(offered(&["run", "--", "cat", "/etc/host"]).contains(&"/etc/hostname".to_owned()));
        assert!(offered(&["run", "--", "cat", "printen"]).is_empty());
    }
}
