//! A secret as callers see it: everything but its value.

use secrets_core::authorize::Listing;
use secrets_core::{ScopeName, SecretName, Target};

use super::patch::VisibilityNames;
use super::visibility::Reached;
use crate::error::Error;
use crate::service::warning::Warning;
use crate::store::KeyedConnection;
use crate::store::revision::Revision;
use crate::store::secret::SecretWithVersion;

/// A secret with the names of what it reaches.
#[derive(Clone, Debug)]
pub struct SecretView {
    pub name: SecretName,
    /// The stored secret and its current version.
    pub current: SecretWithVersion,
    /// What it reaches, as far as the caller may know.
    pub visibility: VisibilityNames,
    /// It is listed for a narrower scope than its own.
    pub inherited: bool,
    /// It can't be changed in the listed scope, or not by the caller.
    pub read_only: bool,
    /// The secret that wins instead.
    pub shadowed_by: Option<SecretName>,
}

/// What a change of one secret ends with.
#[derive(Clone, Debug)]
pub struct ChangedSecret {
    /// The secret after the change; none when it was purged or never there.
    pub secret: Option<SecretView>,
    /// Where the organization's history stands.
    pub revision: Revision,
    pub warnings: Vec<Warning>,
    /// No version was made, since the value and target given are those that the secret has.
    pub value_unchanged: bool,
}

impl ChangedSecret {
    /// A change of which nothing more is to be said.
    pub(super) fn new(secret: Option<SecretView>, revision: Revision) -> Self {
        Self { secret, revision, warnings: Vec::new(), value_unchanged: false }
    }
}

/// Shows one secret of a scope to somebody for whom `listing` decides what of its selection they see: none if not even the
/// secret.
pub(super) async fn show(
    db: &impl KeyedConnection,
    scope: &ScopeName,
    mut current: SecretWithVersion,
    listing: &Listing,
) -> Result<Option<SecretView>, Error> {
    let Some(visibility) = listing.shows(&current.secret.visibility) else { return Ok(None) };
    current.secret.visibility = visibility;
    let reached = Reached::by(db, current.secret.organization, std::iter::once(&current.secret.visibility)).await?;
    Ok(Some(SecretView::new(scope, current, &reached)))
}

impl SecretView {
    /// A secret in its own scope; `reached` knows the names of all that its visibility selects.
    pub(super) fn new(scope: &ScopeName, current: SecretWithVersion, reached: &Reached) -> Self {
        Self {
            name: SecretName::new(scope.clone(), current.secret.secret_id.clone()),
            visibility: reached.names(&current.secret.visibility),
            current,
            inherited: false,
            read_only: false,
            shadowed_by: None,
        }
    }
}

impl SecretView {
    /// About how many bytes of a message it takes, and never fewer.
    pub(super) fn weight(&self) -> usize {
        // Names, times, principals, and everything else that is short.
        const BOUNDED: usize = 1_536;
        const FRAME: usize = 8;
        let secret = &self.current.secret;
        let labels = secret.labels.iter().map(|(key, value)| key.len() + value.len() + FRAME).sum::<usize>();
        let target = match &self.current.version.target {
            Target::File { path, .. } => path.as_str().len(),
            _ => 0,
        };
        let selected = match &self.visibility {
            VisibilityNames::All => 0,
            VisibilityNames::Selected { projects, workspaces } => {
                projects.iter().map(|id| id.as_str().len() + FRAME).sum::<usize>()
                    + workspaces.iter().map(|id| id.as_str().len() + FRAME).sum::<usize>()
            }
        };
        BOUNDED + secret.description.as_str().len() + labels + target + selected
    }
}
