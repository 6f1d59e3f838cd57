//! ListSecretVersions.

use secrets_core::SecretName;

use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::store::version::{self, SecretVersion};

/// What ListSecretVersions is asked for.
pub struct ListVersions {
    pub name: SecretName,
    /// How many, and from where.
    pub page: Page,
}

/// A page of versions, newest first.
pub struct ListedVersions {
    /// The versions; their sealed values stay here.
    pub versions: Vec<SecretVersion>,
    pub current: u32,
    /// The token of the next page; empty on the last.
    pub next: String,
    pub total: usize,
}

impl Service {
    /// Lists a secret's versions, newest first, destroyed ones included.
    pub async fn list_secret_versions(
        &self,
        call: &mut OpenCall,
        input: ListVersions,
    ) -> Result<ListedVersions, Error> {
        let db = &self.read(call).await?;
        let shown = self.find_shown(db, call, &input.name).await?;
        let secret = &shown.current.secret;
        // Bound to the secret itself: another one under the same name has other versions.
        let query = ["ListSecretVersions", &secret.uid.to_string()];
        let after = match self.cursor(&query, &input.page.token)? {
            Some(cursor) => cursor.parse::<u32>().map_err(Error::internal)?,
            None => u32::MAX,
        };
        let mut versions = version::list(db, secret.organization, secret.uid).await?;
        let total = versions.len();
        versions.retain(|version| version.version < after);
        let more = versions.len() as u64 > input.page.size;
        versions.truncate(usize::try_from(input.page.size).unwrap_or(usize::MAX));
        let next = match versions.last() {
            Some(last) if more => self.page_token(&query, &last.version.to_string()),
            _ => String::new(),
        };
        Ok(ListedVersions { versions, current: secret.current_version, next, total })
    }
}
