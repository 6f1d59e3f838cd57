//! Associated data: who a sealed record belongs to, authenticated beside its content.
//!
//! The fields are written as a [`Transcript`]. First comes the record's header, then its purpose, then the fields of the identity in a fixed order and
//! number; the target of a value, whose fields differ by kind, is last and begins with its kind.
//!
//! ```text
//! value  header, `secrets.v1 value`, organization uid, scope kind, scope uid, secret uid, secret_id, version,
//!        target kind, then  ENVIRONMENT_VARIABLE: nothing    FILE: path, mode
//!                           REGISTRY: host, username         API_ONLY: nothing
//! key    header, `secrets.v1 key`, key purpose, organization uid (empty for a system key), version
//! seed   header, `secrets.v1 root seed`
//! ```
//!
//! Uids are their 16 bytes, versions and modes 4 bytes big-endian, the rest text in UTF-8.

use secrets_core::{Scope, ScopeKind, SecretId, Target, Uid};

use super::transcript::Transcript;

pub(crate) const VALUE_MAGIC: [u8; 4] = *b"SVAL";
pub(crate) const KEY_MAGIC: [u8; 4] = *b"SKEY";
pub(crate) const SEED_MAGIC: [u8; 4] = *b"SEED";

/// Whose record it is: its kind and its place in the database.
pub trait AssociatedData {
    /// The first four bytes of records of this kind.
    fn magic(&self) -> [u8; 4];
    /// Writes the purpose of the kind, then the fields that tell this record from all others of its kind.
    fn write(&self, fields: &mut Transcript);
}

/// The associated data of a record with this `header`.
pub(crate) fn associated_data(header: &[u8], identity: &impl AssociatedData) -> Vec<u8> {
    let mut fields = Transcript::default();
    fields.push(header);
    identity.write(&mut fields);
    fields.into_bytes()
}

/// Everything that a stored value belongs to; its version of the secret is sealed with all of it.
#[derive(Clone, Copy)]
pub struct ValueIdentity<'a> {
    /// The organization, whose data key seals the value.
    pub organization: Uid,
    /// Where the secret lives.
    pub scope: Scope,
    pub secret: Uid,
    /// Its name, which never changes.
    pub secret_id: &'a SecretId,
    pub version: u32,
    /// Where this version lands.
    pub target: &'a Target,
}

impl AssociatedData for ValueIdentity<'_> {
    fn magic(&self) -> [u8; 4] {
        VALUE_MAGIC
    }

    fn write(&self, fields: &mut Transcript) {
        fields
            .push(b"secrets.v1 value")
            .push(self.organization.as_bytes())
            .push(scope_kind(self.scope.kind))
            .push(self.scope.uid.as_bytes())
            .push(self.secret.as_bytes())
            .push(self.secret_id.as_str().as_bytes())
            .push(&self.version.to_be_bytes());
        match self.target {
            Target::EnvironmentVariable => fields.push(b"ENVIRONMENT_VARIABLE"),
            Target::File { path, mode } => {
                fields.push(b"FILE").push(path.as_str().as_bytes()).push(&mode.bits().to_be_bytes())
            }
            Target::Registry { host, username } => {
                fields.push(b"REGISTRY").push(host.as_str().as_bytes()).push(username.as_str().as_bytes())
            }
            Target::ApiOnly => fields.push(b"API_ONLY"),
        };
    }
}

/// Spelled here, not in core: what is sealed today has to open after any renaming.
fn scope_kind(kind: ScopeKind) -> &'static [u8] {
    match kind {
        ScopeKind::Organization => b"ORGANIZATION",
        ScopeKind::Project => b"PROJECT",
        ScopeKind::Workspace => b"WORKSPACE",
        ScopeKind::User => b"USER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Texts(&'static [&'static str]);

    impl AssociatedData for Texts {
        fn magic(&self) -> [u8; 4] {
            *b"TEST"
        }

        fn write(&self, fields: &mut Transcript) {
            for text in self.0 {
                fields.push(text.as_bytes());
            }
        }
    }

    #[test]
    fn bytes_do_not_move_between_fields() {
        let lists: [&[&str]; 6] = [&[], &[""], &["", ""], &["ab", "c"], &["a", "bc"], &["\0\0\0\0\0\0\0\u{2}ab", "c"]];
        for (at, one) in lists.iter().enumerate() {
            for other in lists.iter().skip(at + 1) {
                assert_ne!(associated_data(b"h", &Texts(one)), associated_data(b"h", &Texts(other)), "{one:?}");
            }
        }
        assert_ne!(associated_data(b"h", &Texts(&["x"])), associated_data(b"hx", &Texts(&[""])));
    }

    #[test]
    fn a_field_is_its_length_and_its_bytes() {
        assert_eq!(associated_data(b"h", &Texts(&["ab"])), b"\0\0\0\0\0\0\0\x01h\0\0\0\0\0\0\0\x02ab");
    }
}
