//! One call: who makes it, when, and from where. The authenticator makes it, and everything below reads it.

pub mod logged_caller;
pub mod lookup_turn;
pub mod peer;
pub mod permit;
pub mod purpose;
pub mod request_id;

use std::net::SocketAddr;

use secrets_core::authorize::{self, Permit, Resource, Right};
use secrets_core::{
    AccountKind, Binding, ContextName, OrganizationId, Principal, PrincipalKind, PrincipalName, PrincipalRef,
    SessionRestrictions, Timestamp, Uid,
};
use secrets_proto::Method;

use self::purpose::Purpose;
use crate::error::Error;

/// An authenticated call.
#[derive(Clone, Debug)]
pub struct Call {
    pub caller: Caller,
    pub method: Method,
    /// As in the log and in the answer's `x-request-id`.
    pub request_id: String,
    /// The id that the caller gave it, if any: in the log and the audit log too.
    pub caller_request_id: String,
    /// What it is for, if the caller says so.
    pub purpose: Option<Purpose>,
    /// The address it came from; empty if unknown.
    pub peer: String,
    /// Read once, used for every decision in the call.
    pub now: Timestamp,
}

/// An authenticated caller with all that decides what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub name: PrincipalName,
    /// None for the operator and the platform's service accounts.
    pub organization: Option<CallerOrganization>,
    /// The credential that was used.
    pub credential: Uid,
    /// When that credential ends by itself.
    pub expire_time: Option<Timestamp>,
    /// All bindings of the principal; for a session, those of its creator and of its context's user. Before a read has begun,
    /// none.
    pub bindings: Vec<Binding>,
    pub session: Option<CallerSession>,
}

#[derive(Clone, Debug)]
pub struct CallerOrganization {
    pub uid: Uid,
    pub id: OrganizationId,
}

/// What a session carries besides its principal.
#[derive(Clone, Debug)]
pub struct CallerSession {
    pub context: ContextName,
    pub restrictions: SessionRestrictions,
}

impl Call {
    /// The address it came from, without its port.
    pub fn address(&self) -> Option<String> {
        let peer = self.peer.parse::<SocketAddr>().ok()?;
        Some(peer.ip().to_canonical().to_string())
    }

    /// Asks the policy, with the caller's own bindings.
    pub fn permit<A: Right>(&self, resource: &Resource) -> Result<Permit<A>, Error> {
        authorize::authorize::<A>(&self.caller.principal, &self.caller.bindings, resource).map_err(|denial| {
            tracing::debug!(method = self.method.as_str(), %denial, "denied");
            Error::denied()
        })
    }
}

impl Caller {
    /// The nil uid for the operator.
    pub fn principal_uid(&self) -> Uid {
        self.principal.reference().uid
    }

    /// As the database spells it.
    pub fn principal_kind(&self) -> &'static str {
        self.principal.reference().kind.as_str()
    }

    /// Whose bindings decide: its own; for a session, those of its creator and of its user.
    pub fn deciding_principals(&self) -> Vec<PrincipalRef> {
        match self.principal {
            Principal::Operator => Vec::new(),
            Principal::User { .. } | Principal::ServiceAccount { .. } => vec![self.principal.reference()],
            Principal::Session { context, creator, .. } => {
                let user = context.user.map(|uid| PrincipalRef { kind: PrincipalKind::User, uid });
                [Some(creator.reference()), user].into_iter().flatten().collect()
            }
        }
    }

    /// Whether its credential and its roles change under no other lock than its organization's: it is a person, or a session
    /// that a person created. What others have is the platform's, or ends with what issued it, which may be.
    pub fn is_of_one_organization(&self) -> bool {
        match self.principal {
            Principal::User { .. } => true,
            Principal::Session { creator, .. } => creator.kind() == AccountKind::User,
            Principal::Operator | Principal::ServiceAccount { .. } => false,
        }
    }

    /// The caller's organization; none for the operator and the platform's service accounts.
    pub fn organization_uid(&self) -> Option<Uid> {
        self.organization.as_ref().map(|organization| organization.uid)
    }
}
