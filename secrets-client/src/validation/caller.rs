//! Who calls, and whose a token is. A login keeps both, and later commands decide by them what is meant.

use secrets_core::{OrganizationId, PrincipalName};
use secrets_proto::v1;

use super::BrokenRule;
use super::question::{Question, optional};

/// Checks who calls. The name of a principal of a kind that this version does not know is taken out.
pub(crate) fn check_caller(me: &mut v1::WhoAmIResponse) -> Result<(), BrokenRule> {
    let organization: Option<OrganizationId> = optional(&me.organization).map_err(BrokenRule::Organization)?;
    if me.context.is_some() {
        Question::default().context(me.context.as_ref())?;
    }
    if v1::PrincipalKind::try_from(me.kind).is_err() {
        me.principal.clear();
        return Ok(());
    }
    let principal: PrincipalName = me.principal.parse()?;
    if principal.organization() == organization.as_ref() { Ok(()) } else { Err(BrokenRule::OtherOrganization) }
}

/// Checks whose a token is.
pub(crate) fn check_owner(token: &v1::Token) -> Result<(), BrokenRule> {
    token.principal.parse::<PrincipalName>()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(principal: &str, organization: &str) -> v1::WhoAmIResponse {
        v1::WhoAmIResponse { principal: principal.into(), organization: organization.into(), ..Default::default() }
    }

    #[test]
    fn takes_every_kind_of_principal_in_its_organization() {
        for (principal, organization) in [
            ("operator", ""),
            ("serviceAccounts/sandboxd", ""),
            ("organizations/acme/serviceAccounts/ci", "acme"),
            ("organizations/acme/users/bob", "acme"),
            ("organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "acme"),
        ] {
            let mut me = caller(principal, organization);
            assert_eq!(check_caller(&mut me), Ok(()), "{principal}");
            assert_eq!(me.principal, principal);
            assert_eq!(
                check_caller(&mut caller(principal, "other")),
                Err(BrokenRule::OtherOrganization),
                "{principal}"
            );
            assert_eq!(check_owner(&v1::Token { principal: principal.into(), ..Default::default() }), Ok(()));
        }
    }

    #[test]
    fn refuses_a_principal_that_is_none() {
        let long = format!("organizations/{}/users/bob", "a".repeat(400));
        for principal in ["", "bob", "organizations/acme", "organizations/Bad Org/users/bob", "operator\n", &long] {
            let error = check_caller(&mut caller(principal, "acme"));
            assert!(matches!(error, Err(BrokenRule::Principal(_))), "{principal}: {error:?}");
            let error = check_owner(&v1::Token { principal: principal.into(), ..Default::default() });
            assert!(matches!(error, Err(BrokenRule::Principal(_))), "{principal}: {error:?}");
        }
        let mut me = caller("organizations/acme/users/bob", "Bad Org");
        assert!(matches!(check_caller(&mut me), Err(BrokenRule::Organization(_))));
    }

    #[test]
    fn refuses_a_session_of_no_context() {
        let context = v1::Context { organization: "acme".into(), user: "a b".into(), ..Default::default() };
        let mut me = v1::WhoAmIResponse {
            context: Some(context),
            ..caller("organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "acme")
        };
        assert!(matches!(check_caller(&mut me), Err(BrokenRule::Context(_))));
    }

    #[test]
    fn takes_out_a_principal_of_a_kind_that_it_does_not_know() {
        let mut me = v1::WhoAmIResponse { kind: 99, ..caller("organizations/acme/robots/\u{1b}[2J", "acme") };
        assert_eq!(check_caller(&mut me), Ok(()));
        assert_eq!((me.principal.as_str(), me.organization.as_str()), ("", "acme"));
    }
}
