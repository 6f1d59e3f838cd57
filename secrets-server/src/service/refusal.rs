//! A refusal in more words, for whoever may know what it is about: the right that is missing, on what, and who has it.
//!
//! # Invariant
//!
//! To everybody else a refusal is the same, in all that can be seen of it, whether there is such a resource or not: what is said
//! rests on what was located and authorized anyway, so that nothing more is looked up for anybody.

use secrets_core::authorize::{self, Disclosure, Entitlement, NonMember, Permit, Right};
use secrets_core::{Binding, Resource, RoleResource};

use super::open_call::Located;
use crate::call::Call;
use crate::error::{Error, Reason};

/// Asks the policy, with the caller's own bindings and `more`.
pub(super) fn authorize<A: Right>(call: &Call, more: &[Binding], located: &impl Located) -> Result<Permit<A>, Error> {
    let bindings = [call.caller.bindings.as_slice(), more].concat();
    let (principal, resource) = (&call.caller.principal, located.resource());
    authorize::authorize::<A>(principal, &bindings, &resource).map_err(|denial| {
        tracing::debug!(method = call.method.as_str(), %denial, "denied");
        authorize::disclose(&denial, principal, &bindings, &resource)
            .and_then(|disclosure| explain(&disclosure, located))
            .unwrap_or_else(Error::denied)
    })
}

/// What the caller is no member of, where that alone keeps them from the right and they may know it.
pub(super) fn non_member_of<A: Right>(call: &Call, resource: &Resource) -> Option<RoleResource> {
    let (principal, bindings) = (&call.caller.principal, &call.caller.bindings);
    let denial = authorize::authorize::<A>(principal, bindings, resource).err()?;
    authorize::disclose(&denial, principal, bindings, resource)?.non_member.map(|non_member| non_member.of)
}

/// The refusal with what is missing; none where that has no name.
fn explain(disclosure: &Disclosure, located: &impl Located) -> Option<Error> {
    let Disclosure { action, needs, non_member } = disclosure;
    let path = located.path()?;
    let membership = non_member.and_then(|NonMember { of, .. }| located.membership(of));
    let text = match &membership {
        Some((user, of)) => format!("permission denied: `{user}` is not a member of `{of}`"),
        None => format!("permission denied: `{}` on `{path}` is for {}", action.as_str(), in_words(needs)),
    };
    let words: Vec<_> = needs.iter().map(|entitlement| entitlement.as_str()).collect();
    let error = Error::new(Reason::PermissionDenied, text)
        .with("permission", action.as_str())
        .with("resource", path)
        .with("needs", words.join(","));
    Some(match membership {
        Some((user, of)) => error.with("principal", user).with("not_member_of", of),
        None => error,
    })
}

fn in_words(needs: &[Entitlement]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or ")
}
