//! The scenario as it is written in `interop/scenario.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    #[serde(rename = "note")]
    _note: Option<String>,
    #[serde(rename = "as")]
    pub(crate) actor: Option<String>,
    pub(crate) call: Option<String>,
    #[serde(default)]
    pub(crate) request: Value,
    pub(crate) resolve: Option<Value>,
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, String>,
    pub(crate) expect: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) within_seconds: u64,
}

/// Where the scenario is written.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/scenario.json")
}

impl Scenario {
    pub(crate) fn read() -> Self {
        serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
    }
}
