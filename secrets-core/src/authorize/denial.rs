//! Why not.

use std::fmt;

use super::{Action, Entitlement, Resource, ResourceKind};
use crate::principal::{Account, Principal};

/// An action that was refused. It says nothing that its caller did not know: which entitlements would do, not who
/// has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What was wanted.
    pub action: Action,
    /// To what.
    pub resource: ResourceKind,
    /// Why not.
    pub reason: DenialReason,
}

/// Why an action was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialReason {
    /// Nobody may do that to such a resource.
    NotForAnybody,
    /// The resource belongs to another organization than the caller.
    OtherOrganization,
    /// A session may resolve and explain its own context, prolong itself and create narrower sessions; nothing else.
    NotForSessions,
    /// The session's creator may no longer create it, or its user left what the context names.
    CreatorMayNot,
    /// The caller has none of the entitlements that would suffice.
    NeedsOneOf(&'static [Entitlement]),
}

impl DenialReason {
    /// A stable word, for audit and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotForAnybody => "NOT_FOR_ANYBODY",
            Self::OtherOrganization => "OTHER_ORGANIZATION",
            Self::NotForSessions => "NOT_FOR_SESSIONS",
            Self::CreatorMayNot => "CREATOR_MAY_NOT",
            Self::NeedsOneOf(_) => "NEEDS_STANDING",
        }
    }
}

impl Denial {
    pub(super) fn explain(
        principal: &Principal,
        action: Action,
        resource: &Resource,
        row: &'static [Entitlement],
    ) -> Self {
        let is_elsewhere =
            |account: Account| resource.organization().is_some_and(|organization| !account.may_enter(organization));
        let reason = match (principal, resource) {
            _ if row.is_empty() => DenialReason::NotForAnybody,
            (Principal::Session { context: own, .. }, Resource::Context { context, .. })
                if own == context && row.contains(&Entitlement::SessionOfContext) =>
            {
                DenialReason::CreatorMayNot
            }
            (Principal::Session { .. }, _) => DenialReason::NotForSessions,
            _ if principal.account().is_some_and(is_elsewhere) => DenialReason::OtherOrganization,
            _ => DenialReason::NeedsOneOf(row),
        };
        Self { action, resource: resource.kind(), reason }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` on {} ", self.action.as_str(), self.resource)?;
        match self.reason {
            DenialReason::NotForAnybody => f.write_str("is for nobody"),
            DenialReason::OtherOrganization => f.write_str("does not reach into another organization"),
            DenialReason::NotForSessions => {
                f.write_str("is not for sessions: they resolve, explain, renew and narrow their own context")
            }
            DenialReason::CreatorMayNot => {
                f.write_str("is no longer for this session: its creator, or its user, may no longer have the context")
            }
            DenialReason::NeedsOneOf(entitlements) => {
                f.write_str("is for ")?;
                for (position, entitlement) in entitlements.iter().enumerate() {
                    write!(f, "{}{entitlement}", if position == 0 { "" } else { ", or " })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Denial {}
