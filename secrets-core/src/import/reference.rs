//! Values that other tools replace by the real ones: stored as they stand, a program would get the reference.

use std::fmt;

/// The tool that a value is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `op://VAULT/ITEM/FIELD`, also in `{{ … }}`.
    OnePassword,
    /// `encrypted:…`.
    Dotenvx,
    /// `ENC[AES256_GCM,…]`.
    Sops,
    /// `ENC[PKCS7,…]` or `ENC[GPG,…]`.
    Eyaml,
    /// `vault:PATH#KEY`.
    Vault,
    /// `ref+BACKEND://…`.
    Vals,
    /// `se://NAME`.
    Docker,
    /// `{{ … }}`, of a tool that it does not name.
    Template,
}

impl Reference {
    /// What a value refers to; nothing for one that stands for itself.
    pub fn find(value: &str) -> Option<Self> {
        let value = value.trim();
        let behind = |prefix| value.strip_prefix(prefix).filter(|rest: &&str| !rest.is_empty());
        let in_braces = value.split_once("{{").and_then(|(_, rest)| rest.split_once("}}")).map(|(inner, _)| inner);
        if behind("op://").is_some() || in_braces.is_some_and(|inner| inner.contains("op://")) {
            Some(Self::OnePassword)
        } else if in_braces.is_some() {
            Some(Self::Template)
        } else if behind("encrypted:").is_some() {
            Some(Self::Dotenvx)
        } else if let Some(inner) = behind("ENC[").filter(|rest| rest.ends_with(']')) {
            let of_eyaml = inner.starts_with("PKCS7,") || inner.starts_with("GPG,");
            Some(if of_eyaml { Self::Eyaml } else { Self::Sops })
        // Without a path it is the image of a container.
        } else if value.trim_start_matches('>').strip_prefix("vault:").is_some_and(|rest| rest.contains(['/', '#'])) {
            Some(Self::Vault)
        } else if behind("ref+").or(behind("secretref+")).is_some_and(|rest| rest.contains("://")) {
            Some(Self::Vals)
        } else {
            behind("se://").map(|_| Self::Docker)
        }
    }
}

/// What it is, and the tool's own command that gives the value.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnePassword => "a reference of 1Password, not a value; `op inject` puts the values in",
            Self::Dotenvx => "encrypted by dotenvx; `dotenvx decrypt --stdout` prints the values",
            Self::Sops => "encrypted by sops; `sops decrypt` prints the values",
            Self::Eyaml => "encrypted by hiera-eyaml; `eyaml decrypt` prints the values",
            Self::Vault => "a reference of Vault, not a value; `vault kv get` prints the value",
            Self::Vals => "a reference of vals, not a value; `vals get` prints the value",
            Self::Docker => "a reference of Docker, not a value; `docker pass run -- printenv` prints the value",
            Self::Template => "a template, not a value; let its own tool put the values in first",
        })
    }
}

/// Whether readers of `.env` files replace a part of it: `${NAME}`, also with a default.
pub(super) fn has_expansion(value: &str) -> bool {
    value.match_indices("${").any(|(at, opening)| {
        let behind = value.get(at + opening.len()..).unwrap_or_default();
        behind.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && behind.contains('}')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_references_of_other_tools() {
        use Reference::*;
        for (value, reference) in [
            ("op://Private/GitHub/token", OnePassword),
            ("{{ op://Private/GitHub/token }}", OnePassword),
            ("postgres://{{op://a/b/user}}:{{op://a/b/password}}@db", OnePassword),
            ("{{ vault.secret }}", Template),
            ("Bearer {{token}}", Template),
            ("encrypted:BE9Y7LKANx77X1pv1HnEoil93fPa5c9rpL", Dotenvx),
            ("ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ=,type:str]", Sops),
            ("ENC[PKCS7,Y22exl+OvjDe+drmik2X]", Eyaml),
            ("vault:secret/data/mysql#PASSWORD", Vault),
            (">>vault:secret/data/mysql#PASSWORD", Vault),
            ("ref+vault://path/to#/key", Vals),
            ("secretref+awsssm://path", Vals),
            ("se://gh-token", Docker),
            (" se://myapp/key ", Docker),
        ] {
            assert_eq!(Reference::find(value), Some(reference), "{value}");
        }
    }

    #[test]
    fn takes_values_for_what_they_are() {
        for value in [
            "",
            "op://",
            "se://",
            "encrypted:",
            "vault:1.15",
            "vault:",
            "ENC[",
            "ENC[x",
            "{{",
            "}}{{",
            "{\"a\":{\"b\":{}}}",
            "https://op.example",
            "shop://x",
            "base://x",
            "ref+x",
            "unencrypted:x",
            "${A}",
        ] {
            assert_eq!(Reference::find(value), None, "{value}");
        }
    }

    #[test]
    fn finds_what_readers_replace() {
        for value in ["${A}", "x${A}y", "${A:-b}", "${_1}", "$ ${A}", "${}${A}"] {
            assert!(has_expansion(value), "{value}");
        }
        for value in ["", "$A", "$(id)", "${", "${A", "${}", "${1}", "}${", "$ {A}"] {
            assert!(!has_expansion(value), "{value}");
        }
    }

    proptest! {
        #[test]
        fn judges_any_text_without_panic(value in "(op://|\\{\\{|\\}\\}|ENC\\[|\\]|vault:|#|\\$\\{|é|\\PC){0,8}") {
            Reference::find(&value);
            has_expansion(&value);
        }
    }
}
