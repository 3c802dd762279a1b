//! The one character that a request may hold and PostgreSQL's texts may not: U+0000.
//!
//! The log would keep it, as an escape in JSON, and every read model would stop at the event. So it is refused wherever
//! a request is read.

use serde_json::Value;

/// Why a value is refused.
pub(super) const REFUSAL: &str = "must not contain the character U+0000";

/// Names the place of a text with the character in a JSON document; nothing where there is none.
pub(super) fn in_json(bytes: &[u8]) -> Option<String> {
    // Inside JSON the character can only be written as this escape, which hardly any body has.
    if !bytes.windows(6).any(|window| window == b"\\u0000") {
        return None;
    }
    place(&serde_json::from_slice(bytes).ok()?)
}

fn place(value: &Value) -> Option<String> {
    let below = |key: &str, inner: &Value| {
        place(inner).map(|rest| match rest.chars().next() {
            None | Some('[') => format!("{key}{rest}"),
            Some(_) => format!("{key}.{rest}"),
        })
    };
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| below(&format!("[{at}]"), item)),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(key, item)| match key.contains('\0') {
                true => Some(key.replace('\0', "\\u0000")),
                false => below(key, item),
            }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_is_found_wherever_it_hides_and_an_escaped_backslash_is_none() {
        let found = |text: &str| in_json(text.as_bytes());
        assert_eq!(found(r#"{"name":"a\u0000b"}"#).as_deref(), Some("name"));
        assert_eq!(
            found(r#"{"rules":[{"pattern":"x"},{"pattern":"\u0000"}]}"#).as_deref(),
            Some("rules[1].pattern")
        );
        assert_eq!(
            found(r#"{"tlds":["com","\u0000"]}"#).as_deref(),
            Some("tlds[1]")
        );
        assert_eq!(
            found(r#"{"headers":{"a\u0000":"x"}}"#).as_deref(),
            Some("headers.a\\u0000")
        );
        assert_eq!(found(r#"{"name":"a\\u0000b"}"#), None);
        assert_eq!(found(r#"{"name":"b"}"#), None);
    }
}
