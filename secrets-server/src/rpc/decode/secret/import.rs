//! ImportSecrets.

use secrets_core::import::{ConflictPolicy, RejectedPolicy};
use secrets_proto::v1;
use secrets_proto::v1::import_secrets_request::Source;

use super::secret_id;
use crate::crypto::SecretBytes;
use crate::error::Error;
use crate::rpc::decode::{MAX_NAMES, at_most, resource};
use crate::service::secret::import::{Document, ImportSecrets};

pub fn import_secrets(request: v1::ImportSecretsRequest) -> Result<ImportSecrets, Error> {
    // The document is taken first, so that it is wiped when dropped, whatever else of the request is refused.
    let stringify = request.stringify;
    let document = request.source.map(|source| match source {
        Source::Dotenv(bytes) => Document::Dotenv(SecretBytes::from(bytes)),
        Source::Json(bytes) => Document::Json { text: SecretBytes::from(bytes), stringify },
    });
    at_most("only_secret_ids", request.only_secret_ids.len(), MAX_NAMES, "names")?;
    Ok(ImportSecrets {
        scope: resource("parent", &request.parent)?,
        document: document.ok_or_else(|| Error::invalid("source", "must be set: `dotenv` or `json`"))?,
        conflict_policy: conflict_policy(request.conflict_policy)?,
        on_rejected: on_rejected(request.on_rejected)?,
        only: request
            .only_secret_ids
            .iter()
            .map(|text| secret_id("only_secret_ids", text))
            .collect::<Result<_, _>>()?,
        literal: request.literal,
        rename: request.rename,
        validate_only: request.validate_only,
    })
}

fn conflict_policy(policy: i32) -> Result<ConflictPolicy, Error> {
    match v1::ConflictPolicy::try_from(policy) {
        Ok(v1::ConflictPolicy::Unspecified | v1::ConflictPolicy::Skip) => Ok(ConflictPolicy::Skip),
        Ok(v1::ConflictPolicy::Overwrite) => Ok(ConflictPolicy::Overwrite),
        Ok(v1::ConflictPolicy::Fail) => Ok(ConflictPolicy::Fail),
        Err(_) => Err(Error::invalid("conflict_policy", "expected SKIP, OVERWRITE or FAIL")),
    }
}

fn on_rejected(policy: i32) -> Result<RejectedPolicy, Error> {
    match v1::RejectedPolicy::try_from(policy) {
        Ok(v1::RejectedPolicy::Unspecified | v1::RejectedPolicy::Fail) => Ok(RejectedPolicy::Fail),
        Ok(v1::RejectedPolicy::Skip) => Ok(RejectedPolicy::Skip),
        Err(_) => Err(Error::invalid("on_rejected", "expected FAIL or SKIP")),
    }
}
