//! Scopes: what a secret belongs to.

use std::fmt;

use crate::Uid;

/// The four kinds of scope, ordered from the broadest audience to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// Everybody in an organization whom the secret's visibility reaches.
    Organization,
    /// One project.
    Project,
    /// One workspace.
    Workspace,
    /// One person.
    User,
}

crate::wire_enum::wire_enum!(ScopeKind, "scope kind", {
    Organization => "ORGANIZATION",
    Project => "PROJECT",
    Workspace => "WORKSPACE",
    User => "USER",
});

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Workspace => "workspace",
            Self::User => "user",
        })
    }
}

/// A scope that was located: the uid of the organization, project, workspace or user that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// What the scope belongs to; broader sorts first.
    pub kind: ScopeKind,
    /// The uid of what it belongs to.
    pub uid: Uid,
}

impl Scope {
    /// The scope of the `kind` with this `uid`.
    pub const fn new(kind: ScopeKind, uid: Uid) -> Self {
        Self { kind, uid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_broad_before_narrow() {
        assert!(ScopeKind::ALL.is_sorted());
        assert_eq!(ScopeKind::ALL.first(), Some(&ScopeKind::Organization));
        assert_eq!(ScopeKind::ALL.last(), Some(&ScopeKind::User));
    }

    #[test]
    fn reads_back_its_own_spelling_and_no_other() {
        for kind in ScopeKind::ALL {
            assert_eq!(kind.as_str().parse::<ScopeKind>().unwrap(), *kind);
        }
        assert_eq!(
            "user".parse::<ScopeKind>().unwrap_err().to_string(),
            "unknown scope kind; expected one of `ORGANIZATION`, `PROJECT`, `WORKSPACE`, `USER`"
        );
    }
}
