//! What a deserializer says, in the words of JSON: a client knows no `u64` and no struct.

/// What is expected, as serde and ours say it, and what a client reads.
const EXPECTED: [(&str, &str); 21] = [
    ("a boolean", "true or false"),
    ("a string", "a text"),
    ("string or map", "one of the texts that it may be"),
    ("a map", "an object"),
    ("map", "an object"),
    ("struct variant", "an object"),
    ("a sequence", "a list"),
    ("u8", "a whole number from 0 to 255"),
    ("u16", "a whole number from 0 to 65535"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number of at least 0"),
    ("usize", "a whole number of at least 0"),
    ("u128", "a whole number of at least 0"),
    ("i8", "a whole number from -128 to 127"),
    ("i16", "a whole number from -32768 to 32767"),
    ("i32", "a whole number from -2147483648 to 2147483647"),
    ("i64", "a whole number"),
    ("i128", "a whole number"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("a formatted UUID string", "a UUID"),
];

/// What was found, as serde says it, and what a client reads.
const FOUND: [(&str, &str); 7] = [
    ("sequence", "a list"),
    ("map", "an object"),
    ("boolean ", ""),
    ("integer ", ""),
    ("floating point ", ""),
    ("string ", "the text "),
    ("character ", "the text "),
];

/// Messages that say nothing particular, by how they begin.
const WHOLE: [(&str, &str); 11] = [
    ("number out of range", "is a number out of range"),
    ("number too large to fit", "is too great a number"),
    ("number too small to fit", "is too small a number"),
    (
        "invalid digit found",
        "must be a whole number of at least 0",
    ),
    (
        "cannot parse integer from empty string",
        "must be a whole number of at least 0",
    ),
    ("invalid float literal", "must be a number"),
    ("cannot parse float from empty string", "must be a number"),
    (
        "provided string was not `true` or `false`",
        "must be true or false",
    ),
    ("UUID parsing failed", "must be a UUID"),
    ("expected value", "must be one of the texts that it may be"),
    (
        "unexpected end of hex escape",
        "has half of a surrogate pair, which is no character",
    ),
];

/// Says a deserializer's message in the words of JSON; one that is plain already stays as it is.
pub(super) fn in_plain_words(message: &str) -> String {
    let mismatch = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.rsplit_once(", expected "));
    if let Some((found, expected)) = mismatch {
        return format!("must be {}, not {}", wanted(expected), given(found));
    }
    let whole = WHOLE.iter().find(|(start, _)| message.starts_with(start));
    match whole {
        Some((_, plain)) => (*plain).to_owned(),
        None if message.starts_with("lone leading surrogate") => {
            "has half of a surrogate pair, which is no character".to_owned()
        }
        None => message.to_owned(),
    }
}

fn wanted(expected: &str) -> &str {
    let known = EXPECTED.iter().find(|(rust, _)| *rust == expected);
    match known {
        Some((_, plain)) => plain,
        None if expected.starts_with("struct ") => "an object",
        None => expected,
    }
}

fn given(found: &str) -> String {
    let found = found.replace('`', "");
    let known = FOUND
        .iter()
        .find_map(|(rust, plain)| Some((plain, found.strip_prefix(rust)?)));
    match known {
        Some((plain, rest)) => format!("{plain}{rest}"),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Value, json};

    use super::*;

    fn refused<T: DeserializeOwned + std::fmt::Debug>(value: Value) -> String {
        in_plain_words(&serde_json::from_value::<T>(value).unwrap_err().to_string())
    }

    #[test]
    fn messages_speak_of_json_and_not_of_rust() {
        #[derive(Debug, Deserialize)]
        struct Empty {}
        #[derive(Debug, Deserialize)]
        enum Word {
            Only,
        }
        let _ = Word::Only;
        let said = [
            (
                refused::<u64>(json!(-1)),
                "must be a whole number of at least 0, not -1",
            ),
            (
                refused::<u64>(json!(1.5)),
                "must be a whole number of at least 0, not 1.5",
            ),
            (
                refused::<u8>(json!(300)),
                "must be a whole number from 0 to 255, not 300",
            ),
            (
                refused::<String>(json!(["a"])),
                "must be a text, not a list",
            ),
            (refused::<f64>(json!(true)), "must be a number, not true"),
            (
                refused::<bool>(json!("a, expected b")),
                "must be true or false, not the text \"a, expected b\"",
            ),
            (
                refused::<Vec<u8>>(json!({})),
                "must be a list, not an object",
            ),
            (refused::<Empty>(json!(null)), "must be an object, not null"),
            (
                refused::<Word>(json!(5)),
                "must be one of the texts that it may be, not 5",
            ),
            (refused::<uuid::Uuid>(json!("x")), "must be a UUID"),
            (refused::<uuid::Uuid>(json!(5)), "must be a UUID, not 5"),
        ];
        for (said, plain) in said {
            assert_eq!(said, plain);
        }
        let listed = refused::<Word>(json!("Other"));
        assert_eq!(listed, "unknown variant `Other`, expected `Only`");
    }
}
