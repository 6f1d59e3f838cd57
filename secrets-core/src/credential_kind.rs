//! The kinds of credential, and the prefix by which each is recognised.

/// The kind of a credential: whom it speaks for.
///
/// A credential of the service begins with the [prefix](Self::prefix) of its kind, so that a person, a log filter or a
/// scanner of repositories recognises one without asking the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// A person's token.
    Personal,
    /// A service account's token.
    ServiceAccount,
    /// A session's token, which is valid for exactly one context.
    Session,
    /// The token of the platform's operator.
    Operator,
    /// An invitation's code, which is redeemed once for a personal token and gives no access by itself.
    Invitation,
    /// A person's recovery code, which is redeemed once in the same way where their token is lost.
    RecoveryCode,
    /// A code that a person's token makes for another machine, which is redeemed once in the same way.
    SignInCode,
}

crate::wire_enum::wire_enum!(CredentialKind, "credential kind", {
    Personal => "PERSONAL",
    ServiceAccount => "SERVICE_ACCOUNT",
    Session => "SESSION",
    Operator => "OPERATOR",
    Invitation => "INVITATION",
    RecoveryCode => "RECOVERY_CODE",
    SignInCode => "SIGN_IN_CODE",
});

impl CredentialKind {
    /// What every credential of this kind begins with: five bytes of ASCII, the underscore included.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "sper_",
            Self::ServiceAccount => "ssvc_",
            Self::Session => "sses_",
            Self::Operator => "sopr_",
            Self::Invitation => "sinv_",
            Self::RecoveryCode => "srec_",
            Self::SignInCode => "slgn_",
        }
    }

    /// Whether it is a code: it is redeemed once for a personal token, and does nothing else.
    pub const fn is_code(self) -> bool {
        matches!(self, Self::Invitation | Self::RecoveryCode | Self::SignInCode)
    }

    /// The kind whose prefix `text` begins with; `None` if it begins with no prefix of the service, as a JWT does.
    ///
    /// This reads the prefix alone and does not say that `text` is a credential.
    pub fn from_prefix(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| text.starts_with(kind.prefix()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_each_kind_by_its_prefix() {
        for kind in CredentialKind::ALL {
            assert_eq!(CredentialKind::from_prefix(kind.prefix()), Some(*kind));
            assert_eq!(CredentialKind::from_prefix(&format!("{}0aZ", kind.prefix())), Some(*kind));
        }
    }

    #[test]
    fn recognises_nothing_else() {
        for text in ["", "_", "sper", "sperx_", "SPER_x", " sper_x", "sxxx_x", "eyJhbGciOi.x"] {
            assert_eq!(CredentialKind::from_prefix(text), None, "{text:?}");
        }
    }

    #[test]
    fn gives_each_kind_a_prefix_and_a_word_of_its_own() {
        let prefixes: std::collections::BTreeSet<_> = CredentialKind::ALL.iter().map(|kind| kind.prefix()).collect();
        let expected = ["sinv_", "slgn_", "sopr_", "sper_", "srec_", "sses_", "ssvc_"];
        assert_eq!(prefixes.into_iter().collect::<Vec<_>>(), expected);
        for kind in CredentialKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
    }
}
