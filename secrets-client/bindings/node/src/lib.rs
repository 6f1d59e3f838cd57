//! `secrets-core` for Node. `index.d.ts` documents it and tells its types; what is judged, and how, is core's.

use indexmap::IndexMap;
use napi::bindgen_prelude::{Buffer, Either, Uint8Array};
use napi::{Error, Result, Status};
use napi_derive::napi;
use secrets_core::Redaction;
use secrets_core::redact::{self, Masked};
use secrets_facade::invalid_shape;
use serde_json::Value;

/// Whether a secret may have this name.
#[napi]
pub fn validate_name(name: String, name_policy: Option<String>, target_kind: Option<String>) -> Result<Value> {
    plain(&secrets_facade::validate_name(&name, name_policy.as_deref(), target_kind.as_deref()).map_err(invalid)?)
}

/// What an import of a `.env` document would do.
#[napi]
pub fn review_dotenv(document: Uint8Array, rules: Option<Value>) -> Result<Value> {
    let rules = rules.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let rules = serde_json::from_value(rules).map_err(invalid_shape).map_err(invalid)?;
    plain(&secrets_facade::review_dotenv(&document, &rules).map_err(invalid)?)
}

/// What a context gets, and why not something else.
#[napi]
pub fn explain(question: Value) -> Result<Value> {
    let question = serde_json::from_value(question).map_err(invalid_shape).map_err(invalid)?;
    plain(&secrets_facade::explain(&question).map_err(invalid)?)
}

/// The compiled patterns of a set of secrets.
#[napi]
pub struct Redactor {
    core: redact::Redactor,
}

#[napi]
impl Redactor {
    /// Masks the values of `secrets`, apart from those of the names in `redaction_off`.
    #[napi(constructor)]
    pub fn new(
        secrets: IndexMap<String, Either<String, Uint8Array>>,
        redaction_off: Option<Vec<String>>,
    ) -> Result<Self> {
        let off = redaction_off.unwrap_or_default();
        let masked = secrets.iter().map(|(name, value)| Masked {
            name,
            value: match value {
                Either::A(text) => text.as_bytes(),
                Either::B(bytes) => bytes,
            },
            redaction: if off.contains(name) { Redaction::Off } else { Redaction::Default },
        });
        Ok(Self { core: redact::Redactor::new(masked).map_err(invalid)? })
    }

    /// What is not masked, or not wholly.
    #[napi(getter)]
    pub fn unmasked(&self) -> Result<Value> {
        plain(&secrets_facade::unmasked(&self.core))
    }

    /// Whether nothing is ever masked.
    #[napi(getter)]
    pub fn is_empty(&self) -> bool {
        self.core.is_empty()
    }

    /// What stands in a value's place.
    #[napi(getter)]
    pub fn replacement(&self) -> &'static str {
        self.core.replacement()
    }

    /// Masks a text at once.
    #[napi]
    pub fn redact(&self, whole: Uint8Array) -> Buffer {
        self.core.redact(&whole).into()
    }

    /// Masks a text that comes in pieces.
    #[napi]
    pub fn stream(&self) -> RedactorStream {
        RedactorStream { core: self.core.stream() }
    }
}

/// A text that comes in pieces.
#[napi]
pub struct RedactorStream {
    core: redact::RedactorStream,
}

#[napi]
impl RedactorStream {
    /// Takes more of the text; gives what is decided by now.
    #[napi]
    pub fn push(&mut self, input: Uint8Array) -> Buffer {
        let mut output = Vec::new();
        self.core.push(&input, &mut output);
        output.into()
    }

    /// Gives what was held back and may be shown, as nothing more follows soon.
    #[napi]
    pub fn pause(&mut self) -> Buffer {
        let mut output = Vec::new();
        self.core.pause(&mut output);
        output.into()
    }

    /// Gives what was held back, as nothing more follows.
    #[napi]
    pub fn finish(&mut self) -> Buffer {
        let mut output = Vec::new();
        self.core.finish(&mut output);
        output.into()
    }

    /// How many bytes are held back.
    #[napi(getter)]
    pub fn held_back(&self) -> u32 {
        u32::try_from(self.core.held_back()).unwrap_or(u32::MAX)
    }
}

fn plain(verdict: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(verdict).map_err(invalid)
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::new(Status::InvalidArg, error.to_string())
}
