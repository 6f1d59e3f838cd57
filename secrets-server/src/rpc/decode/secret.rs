//! Requests of `SecretService`.

mod edit;
mod import;
mod target;
mod value;

use secrets_core::{InvalidResourceName, NamePolicy, ScopeName, SecretId, SecretName, Uid};
use secrets_proto::v1;

use super::{at_most, resource};
use crate::error::{Error, Reason};
use crate::service::page::Page;
use crate::service::secret::copy::CopySecret;
use crate::service::secret::create::CreateSecret;
use crate::service::secret::delete::DeleteSecret;
use crate::service::secret::destroy::DestroyVersion;
use crate::service::secret::invalid_name;
use crate::service::secret::list::{ListSecrets, Order};
use crate::service::secret::rollback::RollbackSecret;
use crate::service::secret::undelete::UndeleteSecret;
use crate::service::secret::update::UpdateSecret;
use crate::service::secret::versions::ListVersions;

pub use import::import_secrets;

/// Secrets of a page, unless the request says otherwise: as many as a scope can have.
const DEFAULT_PAGE_SIZE: u64 = 1_000;
/// Versions of a page, unless the request says otherwise: as many as a secret can have.
const DEFAULT_VERSIONS_PAGE_SIZE: u64 = 100;
/// Of an order, which is two words.
const MAX_ORDER_BYTES: usize = 128;

pub fn create_secret(request: v1::CreateSecretRequest) -> Result<CreateSecret, Error> {
    // Wiped when dropped, whatever else of the request is refused.
    let value = value::given(request.value);
    Ok(CreateSecret {
        scope: resource("parent", &request.parent)?,
        secret_id: secret_id("secret_id", &request.secret_id)?,
        edit: edit::set_fields(request.secret.unwrap_or_default())?,
        value: value.ok_or_else(|| value::missing("must have at least one byte"))?,
        validate_only: request.validate_only,
    })
}

pub fn get_secret(request: v1::GetSecretRequest) -> Result<SecretName, Error> {
    secret_name("name", &request.name)
}

pub fn list_secrets(request: v1::ListSecretsRequest) -> Result<ListSecrets, Error> {
    at_most("order_by", request.order_by.len(), MAX_ORDER_BYTES, "bytes")?;
    Ok(ListSecrets {
        scope: resource("parent", &request.parent)?,
        page: Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?,
        filter: request.filter.parse().map_err(|error| Error::field(Reason::InvalidFilter, "filter", error))?,
        order: request
            .order_by
            .parse::<Order>()
            .map_err(|error| Error::field(Reason::InvalidFilter, "order_by", error))?,
        query: [request.filter, request.order_by],
        show_deleted: request.show_deleted,
        include_inherited: request.include_inherited,
    })
}

pub fn update_secret(request: v1::UpdateSecretRequest) -> Result<UpdateSecret, Error> {
    let value = value::given(request.value);
    let secret = request.secret.unwrap_or_default();
    let name = secret_name("secret.name", &secret.name)?;
    let etag = etag("secret.etag", secret.etag.clone())?;
    let edit = match request.update_mask {
        None => edit::set_fields(secret)?,
        Some(mask) => {
            if mask.paths.iter().any(|path| path == "value") && value.is_none() {
                return Err(value::missing(
                    "must have at least one byte because `update_mask` names it; to keep the stored value, leave it out of the mask",
                ));
            }
            edit::masked(secret, &mask.paths)?
        }
    };
    Ok(UpdateSecret {
        name,
        etag,
        edit,
        value,
        allow_missing: request.allow_missing,
        validate_only: request.validate_only,
    })
}

pub fn delete_secret(request: v1::DeleteSecretRequest) -> Result<DeleteSecret, Error> {
    Ok(DeleteSecret {
        name: secret_name("name", &request.name)?,
        etag: etag("etag", request.etag)?,
        purge: request.purge,
        allow_missing: request.allow_missing,
        validate_only: request.validate_only,
    })
}

pub fn undelete_secret(request: v1::UndeleteSecretRequest) -> Result<UndeleteSecret, Error> {
    let uid = match request.uid.as_str() {
        "" => None,
        text => Some(
            Uid::try_parse(text)
                .map_err(|_| Error::invalid("uid", "must be the `uid` (a UUID) of a deleted secret, or empty"))?,
        ),
    };
    Ok(UndeleteSecret { name: secret_name("name", &request.name)?, uid })
}

pub fn list_versions(request: v1::ListSecretVersionsRequest) -> Result<ListVersions, Error> {
    Ok(ListVersions {
        name: secret_name("parent", &request.parent)?,
        page: Page::new(request.page_size, request.page_token, DEFAULT_VERSIONS_PAGE_SIZE)?,
    })
}

pub fn rollback_secret(request: v1::RollbackSecretRequest) -> Result<RollbackSecret, Error> {
    Ok(RollbackSecret {
        name: secret_name("name", &request.name)?,
        version: version(request.version)?,
        etag: etag("etag", request.etag)?,
        validate_only: request.validate_only,
    })
}

pub fn copy_secret(request: v1::CopySecretRequest) -> Result<CopySecret, Error> {
    let (name, destination) = copied(&request.name, &request.parent)?;
    let etag = etag("etag", request.etag)?;
    Ok(CopySecret { name, destination, etag, deletes_source: false, validate_only: request.validate_only })
}

pub fn move_secret(request: v1::MoveSecretRequest) -> Result<CopySecret, Error> {
    let (name, destination) = copied(&request.name, &request.parent)?;
    let etag = etag("etag", request.etag)?;
    Ok(CopySecret { name, destination, etag, deletes_source: true, validate_only: request.validate_only })
}

/// A secret and another scope of its organization.
fn copied(name: &str, parent: &str) -> Result<(SecretName, ScopeName), Error> {
    let name = secret_name("name", name)?;
    let destination: ScopeName = resource("parent", parent)?;
    if destination == name.scope {
        return Err(Error::invalid("parent", "must be another scope than the one that has the secret"));
    }
    if destination.organization() != name.scope.organization() {
        return Err(Error::invalid("parent", "must be in the organization of the secret"));
    }
    Ok((name, destination))
}

pub fn destroy_version(request: v1::DestroySecretVersionRequest) -> Result<DestroyVersion, Error> {
    Ok(DestroyVersion {
        name: secret_name("name", &request.name)?,
        version: version(request.version)?,
        etag: etag("etag", request.etag)?,
    })
}

/// A secret's path. An invalid name at its end gives the same error as any other secret's name.
fn secret_name(field: &'static str, text: &str) -> Result<SecretName, Error> {
    match text.parse::<SecretName>() {
        Err(InvalidResourceName::SecretId(error)) => Err(invalid_name(field, &error)),
        _ => resource(field, text),
    }
}

/// A name that is valid under either policy: the organization's own is applied later.
pub fn secret_id(field: &'static str, text: &str) -> Result<SecretId, Error> {
    SecretId::parse(text, NamePolicy::Relaxed).map_err(|error| invalid_name(field, &error))
}

/// The etag that a secret must have, if one is given.
fn etag(field: &'static str, text: String) -> Result<Option<String>, Error> {
    let text = super::etag(field, text)?;
    Ok((!text.is_empty()).then_some(text))
}

fn version(version: u32) -> Result<u32, Error> {
    match version {
        0 => Err(Error::invalid("version", "must be at least 1")),
        version => Ok(version),
    }
}
