//! What core says of the examples in `secrets-core/tests/data`, with which every binding is tested too; those that need no
//! plain types are in core's own tests as well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrets_core::redact::{Masked, Redactor};
use secrets_facade::{Question, Rules, explain, review_dotenv, unmasked, validate_name};
use serde_json::{Value, json};

fn examples(file: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../secrets-core/tests/data");
    let examples: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
    assert!(!examples.is_empty());
    examples
}

/// A member that is text, or bytes as base64 under another name.
fn bytes(example: &Value, member: &str) -> Vec<u8> {
    match example[member].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(example[format!("{member}_base64")].as_str().unwrap()).unwrap(),
    }
}

fn redactor(example: &Value) -> Redactor {
    let secrets = example["secrets"].as_array().unwrap();
    let values: Vec<Vec<u8>> = secrets.iter().map(|secret| bytes(secret, "value")).collect();
    let masked = secrets.iter().zip(&values).map(|(secret, value)| Masked {
        name: secret["name"].as_str().unwrap(),
        value,
        redaction: secret["redaction"].as_str().unwrap_or("DEFAULT").parse().unwrap(),
    });
    Redactor::new(masked).unwrap()
}

#[test]
fn judges_names_as_the_examples_say() {
    for example in examples("names.json") {
        let verdict = validate_name(
            example["name"].as_str().unwrap(),
            example["name_policy"].as_str(),
            example["target_kind"].as_str(),
        );
        assert_eq!(json!(verdict.unwrap()), example["verdict"], "{}", example["name"]);
    }
}

#[test]
fn reviews_documents_as_the_examples_say() {
    for example in examples("dotenv.json") {
        let rules: Rules = serde_json::from_value(example["rules"].clone()).unwrap();
        let review = review_dotenv(&bytes(&example, "document"), &rules).unwrap();
        assert_eq!(json!(review), example["review"], "{}", example["about"]);
    }
}

#[test]
fn explains_as_the_examples_say() {
    for example in examples("explain.json") {
        let question: Question = serde_json::from_value(example["question"].clone()).unwrap();
        assert_eq!(json!(explain(&question).unwrap()), example["explanation"], "{}", example["about"]);
    }
}

#[test]
fn masks_as_the_examples_say_in_pieces_of_any_size() {
    for example in examples("redact.json") {
        let (redactor, input) = (redactor(&example), bytes(&example, "input"));
        let expected = bytes(&example, "output");
        for size in 1..=input.len() {
            let (mut stream, mut output) = (redactor.stream(), Vec::new());
            for piece in input.chunks(size) {
                stream.push(piece, &mut output);
            }
            stream.finish(&mut output);
            assert_eq!(output.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{}", example["about"]);
        }
        assert_eq!(json!(unmasked(&redactor)), example["unmasked"], "{}", example["about"]);
    }
}

#[test]
fn streams_as_the_examples_say() {
    for example in examples("redact_stream.json") {
        let mut stream = redactor(&example).stream();
        for step in example["steps"].as_array().unwrap() {
            let mut output = Vec::new();
            match step["push"].as_str() {
                Some(text) => stream.push(text.as_bytes(), &mut output),
                None if step["pause"] == true => stream.pause(&mut output),
                None => stream.finish(&mut output),
            }
            assert_eq!(String::from_utf8(output).unwrap(), step["output"].as_str().unwrap(), "{}", example["about"]);
        }
    }
}

#[test]
fn refuses_what_it_does_not_understand() {
    let field = |error: secrets_facade::InvalidArgument| error.to_string().split(':').next().unwrap().to_owned();
    assert_eq!(field(validate_name("A", Some("LAX"), None).unwrap_err()), "name_policy");
    assert_eq!(field(validate_name("A", None, Some("PIPE")).unwrap_err()), "target_kind");
    let rules = Rules { only: vec!["a-b".into()], ..Rules::default() };
    assert_eq!(field(review_dotenv(b"", &rules).unwrap_err()), "only");
    assert!(serde_json::from_value::<Rules>(json!({"existng": {}})).is_err());
    for now in [json!(1), json!(1e15), json!(-0.0)] {
        let question = json!({"context": {"organization": "x"}, "now": now, "candidates": []});
        assert_eq!(field(explain(&serde_json::from_value(question).unwrap()).unwrap_err()), "organization");
    }
    for now in [json!(0.5), json!(1e16), json!(u64::MAX), json!("1"), json!(null)] {
        let question = json!({"context": {"organization": "x"}, "now": now, "candidates": []});
        assert!(serde_json::from_value::<Question>(question).is_err(), "{now}");
    }
    let message = |error: &str| secrets_facade::invalid_shape(error).to_string();
    assert_eq!(message("unknown field `a`"), "unknown field `a`");
    assert!(!message("invalid type: string \"lin_api\", expected a map").contains("lin_api"));
}

/// The packages for other languages are workspaces of their own, and can't take it from ours.
#[test]
fn every_package_has_the_version_of_the_workspace() {
    let bindings = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (file, line) in [
        ("python/Cargo.toml", concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"")),
        ("python/pyproject.toml", concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"")),
        ("node/Cargo.toml", concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"")),
        ("node/package.json", concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\",")),
    ] {
        let text = std::fs::read_to_string(bindings.join(file)).unwrap();
        assert!(text.lines().any(|each| each.trim() == line), "{file} has no line {line}");
    }
}
