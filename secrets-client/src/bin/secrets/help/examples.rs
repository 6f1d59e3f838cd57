//! The examples of each command: what they do, and what is typed.

const TEXT: &str = include_str!("examples.txt");
/// How many examples a command that has others below it shows of these.
const MAX_INHERITED: usize = 4;

/// One example.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    pub(crate) about: &'static str,
    pub(crate) line: &'static str,
}

/// All of them, by the words that lead to their command.
pub(crate) struct Examples(Vec<(&'static str, Vec<Example>)>);

impl Examples {
    pub(crate) fn load() -> Self {
        let mut all: Vec<(&str, Vec<Example>)> = Vec::new();
        let mut about = "";
        for line in TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if let Some(path) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                all.push((path, Vec::new()));
            } else if let Some(line) = line.strip_prefix("  ")
                && let Some((_, examples)) = all.last_mut()
            {
                examples.push(Example { about, line });
            } else {
                about = line;
            }
        }
        Self(all)
    }

    /// Those of a command, or of those below it the first ones.
    pub(crate) fn of(&self, path: &str) -> impl Iterator<Item = Example> {
        let own = self.0.iter().find(|(command, _)| *command == path).map(|(_, examples)| examples.clone());
        let is_below = |command: &str| command.strip_prefix(path).is_some_and(|rest| rest.starts_with(' '));
        let below = self.0.iter().filter(|(command, _)| is_below(command));
        let below = below.filter_map(|(_, examples)| examples.first().copied()).take(MAX_INHERITED);
        own.unwrap_or_else(|| below.collect()).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Arguments;

    /// The paths of a command and of those below it that do something themselves.
    fn leaves(command: &Command, path: &str) -> Vec<String> {
        if !command.has_subcommands() {
            return vec![path.to_owned()];
        }
        let below = command.get_subcommands().filter(|inner| !inner.is_hide_set());
        below.flat_map(|inner| leaves(inner, format!("{path} {}", inner.get_name()).trim_start())).collect()
    }

    #[test]
    fn each_command_has_two_to_five_and_nothing_else_has_any() {
        let mut commands = leaves(&Arguments::command(), "");
        let Examples(all) = Examples::load();
        for (path, examples) in &all {
            assert!((2..=5).contains(&examples.len()), "{path}: {examples:?}");
        }
        let mut named: Vec<String> = all.iter().map(|(path, _)| (*path).to_owned()).collect();
        commands.sort();
        named.sort();
        assert_eq!(named, commands, "help/examples.txt");
    }

    /// The commands of a line as a shell splits it: at `|`, `&&` and `;`, and what is in `$(…)` for itself; without redirections.
    fn commands_of(line: &str) -> Vec<Vec<String>> {
        let (mut commands, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
        let mut letters = line.chars().peekable();
        let mut quote = None;
        while let Some(letter) = letters.next() {
            match (quote, letter) {
                (Some(open), _) if letter == open => quote = None,
                (Some('\''), _) => word.get_or_insert_default().push(letter),
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                (_, '$') if letters.peek() == Some(&'(') => {
                    let inner: String = letters.by_ref().skip(1).take_while(|letter| *letter != ')').collect();
                    commands.extend(commands_of(&inner));
                    word.get_or_insert_default().push('x');
                }
                (Some(_), _) => word.get_or_insert_default().push(letter),
                (None, ' ') => words.extend(word.take()),
                (None, '|' | ';' | '&') => {
                    words.extend(word.take());
                    commands.push(std::mem::take(&mut words));
                }
                (None, '<' | '>') => word = Some("<".to_owned()),
                (None, _) => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        commands.push(words);
        let plain = |words: Vec<String>| {
            let end = words.iter().position(|word| word.starts_with('<') || word.starts_with("2<"));
            words.into_iter().take(end.unwrap_or(usize::MAX)).skip_while(|word| word.contains('=')).collect::<Vec<_>>()
        };
        commands.into_iter().map(plain).filter(|words| !words.is_empty()).collect()
    }

    #[test]
    fn each_is_what_the_program_takes() {
        for (path, examples) in Examples::load().0 {
            for Example { line, .. } in examples {
                let typed = commands_of(line);
                let own: Vec<&Vec<String>> = typed.iter().filter(|words| words[0] == "secrets").collect();
                assert!(!own.is_empty(), "{line}");
                for words in &own {
                    if let Err(error) = Arguments::try_parse_from(*words) {
                        panic!("{line}: {error}");
                    }
                }
                let is_of_command = |words: &&Vec<String>| {
                    let mut typed = words.iter().filter(|word| !word.starts_with('-'));
                    path.split(' ').all(|name| typed.any(|word| word == name))
                };
                assert!(own.iter().any(is_of_command), "{line} is not of {path}");
            }
        }
    }

    #[test]
    fn splits_a_line_as_a_shell_does() {
        let split = |line: &str| {
            let commands = commands_of(line);
            commands.iter().map(|words| words.join(",")).collect::<Vec<_>>().join(" / ")
        };
        for (line, words) in [
            ("secrets set A < file", "secrets,set,A"),
            ("a 'b c' | secrets import - && d", "a,b c / secrets,import,- / d"),
            ("eval \"$(secrets hook bash)\"", "secrets,hook,bash / eval,x"),
            ("A=1 secrets list > file; b", "secrets,list / b"),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }

    #[test]
    fn fits_a_terminal_of_80_columns() {
        for (_, examples) in Examples::load().0 {
            for Example { about, line } in examples {
                assert!(about.len() <= 76 && line.len() <= 76, "{about}\n{line}");
            }
        }
    }
}
