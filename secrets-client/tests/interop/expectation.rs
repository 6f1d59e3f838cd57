//! Compares the outcome of a step with what the step expects.

use serde_json::{Map, Value};

/// Compares the outcome of a step with what the step expects; an error says where they differ.
pub(crate) fn check(expected: Option<&Map<String, Value>>, came: &Value) -> Result<(), String> {
    let Some(expected) = expected else {
        return if came.get("error").is_some() { Err(format!("it failed: {came}")) } else { Ok(()) };
    };
    for (name, member) in expected {
        let found = came.get(name).ok_or_else(|| format!("no {name} came, but {came}"))?;
        // A variable too many is one that a program should not have got.
        if name == "environment" && member != found {
            return Err(format!("expected the variables {member}, and {found} came"));
        }
        fits(name, member, Some(found))?;
    }
    Ok(())
}

fn fits(place: &str, expected: &Value, came: Option<&Value>) -> Result<(), String> {
    let fit = match (expected, came) {
        (_, None) => is_empty(expected),
        (Value::Object(expected), Some(Value::Object(came))) => {
            return expected
                .iter()
                .try_for_each(|(name, member)| fits(&format!("{place}.{name}"), member, came.get(name)));
        }
        (Value::Array(expected), Some(Value::Array(came))) if expected.len() == came.len() => {
            return expected.iter().zip(came).enumerate().try_for_each(|(position, (expected, came))| {
                fits(&format!("{place}.{position}"), expected, Some(came))
            });
        }
        (_, Some(came)) => expected == came,
    };
    let shown = came.map_or_else(|| "nothing".to_owned(), Value::to_string);
    if fit { Ok(()) } else { Err(format!("{place}: expected {expected}, and {shown} came")) }
}

/// What protobuf leaves out of a message.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_expected_is_compared_and_lists_as_a_whole() {
        let came = json!({"response": {"a": "x", "list": [{"b": 1, "c": 2}, {"b": 2}], "inner": {"d": true}}});
        for (expected, fit) in [
            (json!({}), true),
            (json!({"response": {}}), true),
            (json!({"response": {"a": "x", "list": [{"b": 1}, {"b": 2}]}}), true),
            (json!({"response": {"absent": 0, "empty": [], "no": false, "none": {}}}), true),
            (json!({"response": {"a": "y"}}), false),
            (json!({"response": {"list": [{"b": 1}]}}), false),
            (json!({"response": {"list": [{"b": 2}, {"b": 1}]}}), false),
            (json!({"response": {"list": []}}), false),
            (json!({"response": {"inner": {"d": false}}}), false),
            (json!({"response": {"absent": "x"}}), false),
            (json!({"error": {}}), false),
        ] {
            assert_eq!(check(expected.as_object(), &came).is_ok(), fit, "{expected}");
        }
        assert!(check(None, &came).is_ok());
        assert!(check(None, &json!({"error": {"code": "NOT_FOUND"}})).is_err());
    }

    #[test]
    fn an_environment_fits_as_a_whole_alone() {
        let came = json!({"environment": {"A": "1", "B": "2"}});
        for (expected, fit) in [
            (json!({"environment": {"A": "1", "B": "2"}}), true),
            (json!({"environment": {"A": "1"}}), false),
            (json!({"environment": {}}), false),
        ] {
            assert_eq!(check(expected.as_object(), &came).is_ok(), fit, "{expected}");
        }
    }
}
