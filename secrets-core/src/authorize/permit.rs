//! Evidence that a question was asked and answered yes.

use std::marker::PhantomData;

use super::{Entitlement, Resource, Right};
use crate::principal::Principal;

/// The principal may do `A` to the resource. Only [`authorize`](super::authorize) makes one:
///
/// ```compile_fail
/// use secrets_core::authorize::{Permit, Resource, Entitlement, right::ReceiveValues};
/// use secrets_core::principal::Principal;
/// let forged = Permit::<ReceiveValues>::new(Principal::Operator, Resource::Platform, Entitlement::Operator);
/// ```
///
/// And one right is not another:
///
/// ```compile_fail
/// use secrets_core::authorize::{Permit, right::{ListSecrets, ReceiveValues}};
/// fn hand_out_values(_: &Permit<ReceiveValues>) {}
/// fn list(permit: &Permit<ListSecrets>) { hand_out_values(permit) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit<A: Right> {
    principal: Principal,
    resource: Resource,
    entitlement: Entitlement,
    right: PhantomData<A>,
}

impl<A: Right> Permit<A> {
    pub(super) const fn new(principal: Principal, resource: Resource, entitlement: Entitlement) -> Self {
        Self { principal, resource, entitlement, right: PhantomData }
    }

    /// Who may.
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// To what.
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Why: the first entitlement of the table's row that they have. An explanation that rests on
    /// [`Entitlement::AdminWithoutUser`] is marked so.
    pub const fn entitlement(&self) -> Entitlement {
        self.entitlement
    }
}
