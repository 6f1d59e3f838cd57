//! A program's environment: what it inherits, what is kept from it, and what is delivered.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::app::TOKEN_WITHHELD;
use crate::supervise::search_path;
use crate::ui::output::Output;

/// What a program must not get: it has its secrets, and the token would give it more.
const TOKEN_VARIABLES: [&str; 2] = ["SECRETS_TOKEN", "SECRETS_TOKEN_FILE"];

/// What a program inherits.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Nothing but `keep`.
    pub(super) clean: bool,
    pub(super) keep: Vec<String>,
    /// Inherited variables that a secret does not replace.
    pub(super) preserve: Preserve,
    /// The tokens too.
    pub(super) pass_session: bool,
}

/// Which inherited variables a secret of the same name does not replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Preserve {
    #[default]
    None,
    Named(Vec<String>),
    All,
}

/// A program's whole environment.
#[derive(Debug, Default)]
pub(super) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// Inherited variables that a secret replaced by another value.
    pub(super) replaced: Vec<String>,
    /// Secrets in whose place the program has an inherited variable.
    pub(super) preserved: Vec<String>,
}

impl Rules {
    /// What is left of `inherited` once these rules have been applied.
    pub(super) fn apply(&self, inherited: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
        let mut is_withheld = false;
        let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
        for (name, value) in inherited {
            if self.inherits(&name) {
                variables.insert(name, value);
            } else if TOKEN_VARIABLES.iter().any(|token| name == *token) && !value.is_empty() {
                is_withheld = true;
            }
        }
        if is_withheld {
            variables.insert(TOKEN_WITHHELD.into(), "1".into());
        }
        Environment { variables, ..Environment::default() }
    }

    fn inherits(&self, name: &OsStr) -> bool {
        if name == TOKEN_WITHHELD {
            return false; // of a `secrets run` around this one, which this one says anew
        }
        if TOKEN_VARIABLES.iter().any(|token| name == *token) {
            return self.pass_session;
        }
        !self.clean || self.keep.iter().any(|kept| name == kept.as_str())
    }

    fn preserves(&self, name: &OsStr) -> bool {
        match &self.preserve {
            Preserve::None => false,
            Preserve::Named(names) => names.iter().any(|kept| name == kept.as_str()),
            Preserve::All => true,
        }
    }
}

impl Environment {
    /// Adds a secret, which wins over what is inherited unless `rules` preserve that.
    pub(super) fn deliver(&mut self, name: &OsStr, value: &OsStr, rules: &Rules) {
        let inherited = self.variables.get(name);
        if inherited.is_some() && rules.preserves(name) {
            self.preserved.push(name.to_string_lossy().into_owned());
            return;
        }
        if inherited.is_some_and(|inherited| inherited != value) {
            self.replaced.push(name.to_string_lossy().into_owned());
        }
        self.set(name, value);
    }

    /// Sets a variable, whatever was there.
    pub(super) fn set(&mut self, name: &OsStr, value: &OsStr) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Says where a secret and an inherited variable met.
    pub(super) fn print_notes(&self, output: Output) {
        if !self.replaced.is_empty() {
            output.note(&format!("secrets: {} replaced what the environment had", self.replaced.join(", ")));
        }
        if !self.preserved.is_empty() {
            output.note(&format!("secrets: {} left as the environment has it", self.preserved.join(", ")));
        }
    }

    /// The same words with the program's path in place of its name, if the program itself gets no `PATH` to be found in.
    pub(super) fn located(&self, mut words: Vec<OsString>) -> Vec<OsString> {
        let path = std::env::var_os("PATH").filter(|_| !self.variables.contains_key(OsStr::new("PATH")));
        if let (Some(path), Some(program)) = (path, words.first_mut())
            && let Some(found) = search_path::find(program, Some(&path))
        {
            *program = found.into();
        }
        words
    }

    pub(super) fn variables(self) -> Vec<(OsString, OsString)> {
        self.variables.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(rules: &Rules) -> (String, Vec<String>, Vec<String>) {
        let inherited = [("A", "inherited"), ("PATH", "/bin"), ("SECRETS_TOKEN", "sper_x"), ("SAME", "s")];
        let mut environment = rules.apply(inherited.map(|(name, value)| (name.into(), value.into())));
        for (name, value) in [("A", "secret"), ("B", "secret"), ("SAME", "s")] {
            environment.deliver(name.as_ref(), value.as_ref(), rules);
        }
        let (replaced, preserved) = (environment.replaced.clone(), environment.preserved.clone());
        let mut pairs = environment.variables();
        pairs.retain(|(name, _)| name != TOKEN_WITHHELD);
        let line: Vec<String> = pairs.iter().map(|(n, v)| format!("{}={}", n.display(), v.display())).collect();
        (line.join(" "), replaced, preserved)
    }

    #[test]
    fn lets_a_secret_win_and_says_what_it_replaced() {
        let (line, replaced, preserved) = built(&Rules::default());
        assert_eq!(line, "A=secret B=secret PATH=/bin SAME=s");
        assert_eq!((replaced, preserved), (vec!["A".to_owned()], vec![]));
    }

    #[test]
    fn preserves_what_is_named_or_everything() {
        let named = |name: &str| Rules { preserve: Preserve::Named(vec![name.into()]), ..Rules::default() };
        assert_eq!(built(&named("B")).0, "A=secret B=secret PATH=/bin SAME=s");
        let (line, replaced, preserved) = built(&named("A"));
        assert_eq!((line.as_str(), replaced.len()), ("A=inherited B=secret PATH=/bin SAME=s", 0));
        assert_eq!(preserved, ["A"]);
        assert_eq!(built(&Rules { preserve: Preserve::All, ..Rules::default() }).2, ["A", "SAME"]);
    }

    #[test]
    fn starts_from_nothing_but_what_is_kept() {
        let clean = Rules { clean: true, keep: vec!["PATH".into(), "SECRETS_TOKEN".into()], ..Rules::default() };
        assert_eq!(built(&clean).0, "A=secret B=secret PATH=/bin SAME=s");
        assert_eq!(built(&Rules { clean: true, ..Rules::default() }).0, "A=secret B=secret SAME=s");
    }

    #[test]
    fn finds_the_program_where_the_program_itself_would_not_look() {
        let words = || vec!["sh".into(), "-c".into()];
        assert!(Environment::default().located(words())[0].to_str().unwrap().ends_with("/sh"));
        let mut with_path = Environment::default();
        with_path.set("PATH".as_ref(), "/nowhere".as_ref());
        assert_eq!(with_path.located(words()), words());
        assert_eq!(Environment::default().located(vec!["no-such-program".into()]), ["no-such-program"]);
    }

    #[test]
    fn passes_the_token_only_when_told_to() {
        let rules = Rules { pass_session: true, ..Rules::default() };
        assert!(built(&rules).0.ends_with("SECRETS_TOKEN=sper_x"));
    }

    #[test]
    fn says_that_a_token_was_kept_back_where_there_was_one() {
        let says = |rules: &Rules, inherited: &[(&str, &str)]| {
            let inherited = inherited.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            rules.apply(inherited).variables().iter().any(|(name, _)| name == TOKEN_WITHHELD)
        };
        let clean = Rules { clean: true, ..Rules::default() };
        let passing = Rules { pass_session: true, ..Rules::default() };
        let token = ("SECRETS_TOKEN", "sses_x");
        assert!(says(&Rules::default(), &[token]) && says(&clean, &[("SECRETS_TOKEN_FILE", "/t")]));
        assert!(!says(&passing, &[token, (TOKEN_WITHHELD, "1")]));
        assert!(!says(&Rules::default(), &[("SECRETS_TOKEN", ""), (TOKEN_WITHHELD, "1")]));
    }
}
