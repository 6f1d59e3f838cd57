//! What a call is for, as its caller says in its metadata. Nothing is decided by it: it stands in the call's audit event, where those
//! who read the log can leave out what a shell asks at every press of a key.

use http::HeaderMap;
use secrets_proto::Method;

pub use crate::store::audit::Purpose;

/// The metadata key.
const HEADER: &str = "x-purpose";

impl Purpose {
    /// What a request with these headers says; none for a word of another release, and for several.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(HEADER).iter();
        match (values.next()?.as_bytes(), values.next()) {
            (b"completion", None) => Some(Self::Completion),
            _ => None,
        }
    }

    /// Whether a call of this method can be for it: it lists names, and nothing else. Of what is left out when the log is read
    /// there is no more than this, whatever callers say.
    pub fn suits(self, method: Method) -> bool {
        match self {
            Self::Completion => matches!(
                method,
                Method::WhoAmI
                    | Method::ListOrganizations
                    | Method::ListProjects
                    | Method::ListWorkspaces
                    | Method::ListSecrets
                    | Method::Explain
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(values: &[&str]) -> Option<Purpose> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Purpose::of(&headers)
    }

    #[test]
    fn knows_its_words_alone() {
        assert_eq!(of(&["completion"]), Some(Purpose::Completion));
        for values in [&[][..], &[""], &["Completion"], &["backup"], &["caf\u{e9}"], &["completion", "completion"]] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }

    #[test]
    fn no_completion_changes_or_delivers_anything() {
        let suiting: Vec<_> = Method::ALL.iter().filter(|method| Purpose::Completion.suits(**method)).collect();
        assert_eq!(suiting.len(), 6);
        assert!(suiting.iter().all(|method| !method.is_mutation()), "{suiting:?}");
        for method in
            [Method::Resolve, Method::Watch, Method::ListAuditEvents, Method::ListSessions, Method::ListTokens]
        {
            assert!(!Purpose::Completion.suits(method), "{method}");
        }
    }
}
