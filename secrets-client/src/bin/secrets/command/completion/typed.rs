//! What has been typed before the word that is to be completed.

use std::ffi::OsString;

/// The flags typed so far that say where names are looked up. Unlike clap, it takes a line that is not finished.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) org: bool,
    pub(super) project: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) profile: Option<String>,
}

/// The words behind the command, and which of them is to be completed.
pub(super) fn words_of_this_process() -> (Vec<OsString>, usize) {
    let words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(2).collect();
    // The scripts of bash and zsh say which word it is, counting the command; in fish it is the last one.
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse::<usize>().ok());
    let current = index.unwrap_or(words.len()).saturating_sub(1);
    (words, current)
}

impl Typed {
    /// Reads the arguments with which a shell asks: `secrets -- secrets set --project api LIN`.
    pub(super) fn from_process() -> Self {
        let (mut words, current) = words_of_this_process();
        if current < words.len() {
            words.remove(current);
        }
        Self::parse(words.iter().filter_map(|word| word.to_str()))
    }

    fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut typed = Self::default();
        let mut words = words.into_iter().take_while(|word| *word != "--").peekable();
        while let Some(word) = words.next() {
            let (flag, joined) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            let place = match flag {
                "--org" | "--from-org" => {
                    typed.org = true;
                    continue;
                }
                "--project" | "-p" | "--from-project" => &mut typed.project,
                "--workspace" | "-w" | "--from-workspace" => &mut typed.workspace,
                "--organization" => &mut typed.organization,
                "--endpoint" => &mut typed.endpoint,
                "--profile" => &mut typed.profile,
                _ => continue,
            };
            // bash takes `=` for a word of its own.
            let value = joined.or_else(|| words.next_if(|word| *word != "=").or_else(|| words.nth(1)));
            *place = value.map(str::to_owned);
        }
        typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        Typed::parse(line.split_whitespace())
    }

    #[test]
    fn reads_flags_wherever_they_stand() {
        let of_workspace = Typed { workspace: Some("ws1".into()), ..Typed::default() };
        for line in ["show --workspace ws1", "--workspace=ws1 show", "show --workspace = ws1 A"] {
            assert_eq!(typed(line), of_workspace, "{line}");
        }
        let all = typed("--organization acme list --org --endpoint http://e --project p --profile lab");
        assert_eq!(all.profile.as_deref(), Some("lab"));
        assert_eq!(all.organization.as_deref(), Some("acme"));
        assert_eq!((all.org, all.endpoint.as_deref(), all.project.as_deref()), (true, Some("http://e"), Some("p")));
    }

    #[test]
    fn a_secret_that_is_copied_is_looked_up_where_it_comes_from() {
        let of_project = Typed { project: Some("api".into()), ..Typed::default() };
        assert_eq!(typed("cp --from-project api --to-project web"), of_project);
        assert_eq!(typed("mv --to-org --from-project=api"), of_project);
    }

    #[test]
    fn takes_an_unfinished_line_and_not_the_programs_own_flags() {
        assert_eq!(typed("run --workspace"), Typed::default());
        assert_eq!(typed("run -- tool --workspace ws1"), Typed::default());
    }
}
