//! What narrows a session.

use std::collections::BTreeSet;

use crate::name::SecretId;
use crate::scope::ScopeKind;
use crate::target::TargetKind;

/// What a session may have of its context's set. The default narrows nothing.
///
/// In each dimension `None` permits everything and an empty set nothing: two lists without a common name leave
/// nothing, not everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionRestrictions {
    /// Only these names.
    pub secret_ids: Option<BTreeSet<SecretId>>,
    /// Only these kinds of target.
    pub kinds: Option<BTreeSet<TargetKind>>,
    /// Only secrets from these kinds of scope.
    pub scopes: Option<BTreeSet<ScopeKind>>,
}

impl SessionRestrictions {
    /// Whether they permit a secret of this name, kind of target and scope.
    pub fn permits(&self, secret_id: &SecretId, kind: TargetKind, scope: ScopeKind) -> bool {
        permits(&self.secret_ids, secret_id) && permits(&self.kinds, &kind) && permits(&self.scopes, &scope)
    }

    /// Whether `other` permits everything that these permit; so also when both are the same.
    pub fn is_narrower_than(&self, other: &Self) -> bool {
        is_within(&self.secret_ids, &other.secret_ids)
            && is_within(&self.kinds, &other.kinds)
            && is_within(&self.scopes, &other.scopes)
    }

    /// What both permit: narrower than either.
    #[must_use]
    pub fn narrowed_by(&self, other: &Self) -> Self {
        Self {
            secret_ids: common(&self.secret_ids, &other.secret_ids),
            kinds: common(&self.kinds, &other.kinds),
            scopes: common(&self.scopes, &other.scopes),
        }
    }
}

fn permits<T: Ord>(list: &Option<BTreeSet<T>>, item: &T) -> bool {
    list.as_ref().is_none_or(|list| list.contains(item))
}

fn is_within<T: Ord>(inner: &Option<BTreeSet<T>>, outer: &Option<BTreeSet<T>>) -> bool {
    match (inner, outer) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => inner.is_subset(outer),
    }
}

fn common<T: Ord + Clone>(a: &Option<BTreeSet<T>>, b: &Option<BTreeSet<T>>) -> Option<BTreeSet<T>> {
    match (a, b) {
        (None, only) | (only, None) => only.clone(),
        (Some(a), Some(b)) => Some(a & b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::NamePolicy;

    fn names(list: &[&str]) -> SessionRestrictions {
        let parse = |name: &&str| SecretId::parse(name, NamePolicy::Strict).unwrap();
        SessionRestrictions { secret_ids: Some(list.iter().map(parse).collect()), ..SessionRestrictions::default() }
    }

    fn variable_of_a_user(restrictions: &SessionRestrictions, name: &str) -> bool {
        let name = SecretId::parse(name, NamePolicy::Strict).unwrap();
        restrictions.permits(&name, TargetKind::EnvironmentVariable, ScopeKind::User)
    }

    #[test]
    fn narrows_nothing_by_default() {
        assert!(variable_of_a_user(&SessionRestrictions::default(), "A"));
        assert!(names(&["A"]).is_narrower_than(&SessionRestrictions::default()));
        assert!(!SessionRestrictions::default().is_narrower_than(&names(&["A"])));
    }

    #[test]
    fn permits_only_what_every_dimension_lists() {
        let restrictions = names(&["A", "B"]);
        assert!(variable_of_a_user(&restrictions, "A") && !variable_of_a_user(&restrictions, "C"));
        let restrictions = SessionRestrictions { kinds: Some([TargetKind::File].into()), ..restrictions };
        assert!(!variable_of_a_user(&restrictions, "A"));
        let restrictions = SessionRestrictions { scopes: Some([ScopeKind::Project].into()), ..names(&["A"]) };
        assert!(!variable_of_a_user(&restrictions, "A"));
    }

    #[test]
    fn is_narrower_only_when_it_is_in_every_dimension() {
        let outer =
            SessionRestrictions { scopes: Some([ScopeKind::User, ScopeKind::Project].into()), ..names(&["A", "B"]) };
        assert!(outer.is_narrower_than(&outer));
        let inner = SessionRestrictions { scopes: Some([ScopeKind::User].into()), ..names(&["A"]) };
        assert!(inner.is_narrower_than(&outer) && !outer.is_narrower_than(&inner));
        assert!(!names(&["A"]).is_narrower_than(&outer), "it lists no scopes, and so has them all");
        assert!(!SessionRestrictions { secret_ids: names(&["C"]).secret_ids, ..inner }.is_narrower_than(&outer));
    }

    #[test]
    fn has_nothing_left_when_two_lists_have_nothing_in_common() {
        let nothing = names(&["A"]).narrowed_by(&names(&["B"]));
        assert!(!variable_of_a_user(&nothing, "A") && !variable_of_a_user(&nothing, "B"));
        assert!(nothing.is_narrower_than(&names(&["A"])) && nothing.is_narrower_than(&names(&["B"])));
        assert_eq!(names(&["A"]).narrowed_by(&SessionRestrictions::default()), names(&["A"]));
    }
}
