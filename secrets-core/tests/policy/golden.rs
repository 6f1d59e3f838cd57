//! The examples in `data/` that the packages for other languages are tested with too.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrets_core::redact::{Masked, Redactor};
use secrets_core::{NamePolicy, SecretId, TargetKind, reserved};
use serde_json::{Value, json};

#[test]
fn names_are_judged_as_the_examples_say() {
    for example in examples("names.json") {
        let name = text(&example, "name").unwrap();
        let policy = text(&example, "name_policy").map_or(NamePolicy::Strict, |policy| policy.parse().unwrap());
        let kind = text(&example, "target_kind").map_or(TargetKind::EnvironmentVariable, |kind| kind.parse().unwrap());
        let (error, suggestion) = match SecretId::parse(name, policy) {
            Err(error) => (Some(error.to_string()), error.suggestion().map(SecretId::to_string)),
            Ok(_) => {
                let reserved = reserved::environment(name).filter(|_| kind == TargetKind::EnvironmentVariable);
                (reserved.map(ToString::to_string), None)
            }
        };
        let verdict = json!({"valid": error.is_none(), "error": error, "suggestion": suggestion});
        assert_eq!(verdict, example["verdict"], "{name}");
    }
}

#[test]
fn values_are_masked_as_the_examples_say() {
    for example in examples("redact.json") {
        let (redactor, input) = (redactor(&example), bytes(&example, "input"));
        let (mut stream, mut output) = (redactor.stream(), Vec::new());
        for byte in input.chunks(1) {
            stream.push(byte, &mut output);
        }
        stream.finish(&mut output);
        let expected = bytes(&example, "output");
        assert_eq!(output.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{}", example["about"]);
        let unmasked = redactor.unmasked().iter();
        let unmasked: Value = unmasked.map(|each| json!({"name": each.name, "reason": each.reason.as_str()})).collect();
        assert_eq!(unmasked, example["unmasked"], "{}", example["about"]);
    }
}

#[test]
fn what_can_be_told_already_is_written_as_the_examples_say() {
    for example in examples("redact_stream.json") {
        let mut stream = redactor(&example).stream();
        for step in example["steps"].as_array().unwrap() {
            let mut output = Vec::new();
            match text(step, "push") {
                Some(piece) => stream.push(piece.as_bytes(), &mut output),
                None if step["pause"] == true => stream.pause(&mut output),
                None => stream.finish(&mut output),
            }
            assert_eq!(String::from_utf8(output).unwrap(), text(step, "output").unwrap(), "{}", example["about"]);
        }
    }
}

fn examples(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let examples: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(!examples.is_empty());
    examples
}

fn text<'a>(example: &'a Value, member: &str) -> Option<&'a str> {
    example.get(member)?.as_str()
}

/// A member that is text, or bytes as base64 under another name.
fn bytes(example: &Value, member: &str) -> Vec<u8> {
    match text(example, member) {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(text(example, &format!("{member}_base64")).unwrap()).unwrap(),
    }
}

fn redactor(example: &Value) -> Redactor {
    let secrets = example["secrets"].as_array().unwrap();
    let values: Vec<_> = secrets.iter().map(|secret| bytes(secret, "value")).collect();
    let masked = secrets.iter().zip(&values).map(|(secret, value)| Masked {
        name: text(secret, "name").unwrap(),
        value,
        redaction: text(secret, "redaction").unwrap_or("DEFAULT").parse().unwrap(),
    });
    Redactor::new(masked).unwrap()
}
