//! Values of requests.

use secrets_proto::v1;
use secrets_proto::v1::secret_value::Value;

use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};

/// The value, if it has any bytes: an empty one keeps what is stored. It takes the message's own buffer, so that that is wiped.
pub(super) fn given(value: Option<v1::SecretValue>) -> Option<SecretBytes> {
    let bytes = match value?.value? {
        Value::Text(text) => text.into_bytes(),
        Value::Data(data) => data,
    };
    let value = SecretBytes::from(bytes);
    (!value.is_empty()).then_some(value)
}

pub(super) fn missing(rule: &str) -> Error {
    Error::field(Reason::InvalidValue, "value", rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_and_an_empty_value_are_the_same() {
        let some = |value| Some(v1::SecretValue { value: Some(value) });
        for none in
            [None, Some(v1::SecretValue { value: None }), some(Value::Text(String::new())), some(Value::Data(vec![]))]
        {
            assert!(given(none).is_none());
        }
        assert_eq!(given(some(Value::Text("x".into()))).unwrap().expose(), b"x");
        assert_eq!(given(some(Value::Data(vec![0, 255]))).unwrap().expose(), [0, 255]);
    }
}
