//! What a call was refused with.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The code and the details of a refusal, for assertions.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub reason: String,
    pub message: String,
    pub fields: Vec<String>,
    pub metadata: HashMap<String, String>,
}

/// Reads the details of a refusal; every one of them must have a reason.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> Refusal {
    let status = result.expect_err("a refusal");
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}")).clone();
    assert_eq!(info.domain, "secretsapi.v1");
    Refusal {
        code: status.code(),
        reason: info.reason,
        message: status.message().to_owned(),
        fields: details
            .bad_request()
            .map(|bad| bad.field_violations.iter().map(|violation| violation.field.clone()).collect())
            .unwrap_or_default(),
        metadata: info.metadata,
    }
}
