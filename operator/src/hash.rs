//! Hashes that tell whether something changed.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256.
pub fn of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first forty bits of SHA-256 in ten hexadecimal digits, for names.
pub fn short(bytes: &[u8]) -> String {
    of(bytes)
        .iter()
        .take(5)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Forty bits in hexadecimal of the JSON of a value, whatever the order of its keys.
pub fn of_json(value: &Value) -> String {
    short(canonical(value.clone()).to_string().as_bytes())
}

/// The same value with its keys in alphabetical order. Whether maps keep the order of insertion depends on how a
/// program was built, and a hash must not: an upgrade of the operator would restart every store.
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(left, _), (right, _)| left.cmp(right));
            let sorted = fields.into_iter().map(|(key, value)| (key, canonical(value)));
            Value::Object(sorted.collect())
        }
        Value::Array(entries) => entries.into_iter().map(canonical).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_keys_in_another_order_when_hashed_then_the_hash_is_the_same() {
        let one = json!({"b": [{"y": 1, "x": 2}], "a": null});
        let other = json!({"a": null, "b": [{"x": 2, "y": 1}]});
        assert_eq!(of_json(&one), of_json(&other));
        assert_eq!(canonical(one).to_string(), r#"{"a":null,"b":[{"x":2,"y":1}]}"#);
        assert_ne!(
            of_json(&other),
            of_json(&json!({"a": null, "b": [{"x": 2, "y": 2}]}))
        );
    }
}
