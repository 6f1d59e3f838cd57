//! The scenario as it is written in `scenario.json`.

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
    pub(crate) watch: Option<Value>,
    #[serde(default)]
    pub(crate) then: Vec<Step>,
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, String>,
    pub(crate) expect: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) within_seconds: u64,
}

/// Where the scenario is written.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/scenario.json")
}

impl Scenario {
    pub(crate) fn read() -> Self {
        serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    use super::*;

    #[test]
    fn every_error_reason_is_tested_or_listed_as_unreachable() {
        let pool = DescriptorPool::decode(secrets_proto::FILE_DESCRIPTOR_SET).unwrap();
        let reasons = pool.get_enum_by_name("secretsapi.v1.ErrorReason").unwrap();
        let readme = std::fs::read_to_string(path().with_file_name("README.md")).unwrap();
        let rows: Vec<_> = readme.lines().filter(|line| line.starts_with("| `")).collect();
        let steps = Scenario::read().steps;
        for reason in reasons.values().filter(|value| value.number() != 0) {
            let reason = reason.name().trim_start_matches("ERROR_REASON_").to_owned();
            let met = steps.iter().any(|step| {
                let error = step.expect.as_ref().and_then(|expect| expect.get("error"));
                error.is_some_and(|error| error["reason"] == *reason)
            });
            let listed = rows.iter().any(|row| row.contains(&format!("`{reason}`")));
            assert!(met != listed, "{reason}: met in the scenario {met}, listed in the README {listed}");
        }
    }

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let mut names: Vec<_> = Scenario::read().steps.into_iter().map(|step| step.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
