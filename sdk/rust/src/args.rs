//! From JSON arguments to the plugin's types, with the refused field named.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::executor::FieldError;

/// Parses `args`; `null` counts as an empty object.
pub(crate) fn parse<T: DeserializeOwned>(args: &Value) -> Result<T, FieldError> {
    let empty = Value::Object(Map::new());
    let args = if args.is_null() { &empty } else { args };
    match T::deserialize(args) {
        Ok(parsed) => Ok(parsed),
        Err(error) => {
            let text = error.to_string();
            let field = named_field(&text).or_else(|| culprit::<T>(args, &text)).unwrap_or_default();
            Err(FieldError::new(field, text))
        }
    }
}

/// Serde names missing and unknown fields between backticks.
fn named_field(text: &str) -> Option<String> {
    let names_field = ["missing field", "unknown field"].iter().any(|prefix| text.starts_with(prefix));
    names_field.then(|| text.split('`').nth(1).map(str::to_owned)).flatten()
}

/// For a wrong type serde names no field. Fields are read in order and missing ones are noticed last, so
/// the first field whose removal changes the error is the one it is about.
fn culprit<T: DeserializeOwned>(args: &Value, text: &str) -> Option<String> {
    let fields = args.as_object()?;
    fields
        .keys()
        .find(|key| {
            let mut rest = fields.clone();
            rest.remove(*key);
            T::deserialize(&Value::Object(rest)).err().is_none_or(|other| other.to_string() != text)
        })
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Args {
        #[serde(rename = "command")]
        _command: String,
        #[serde(default, rename = "count")]
        _count: u32,
    }

    #[test]
    fn names_the_refused_field() {
        for (args, field) in [
            (json!({}), "command"),
            (json!(null), "command"),
            (json!({"command": 7}), "command"),
            (json!({"command": "x", "count": "many"}), "count"),
            (json!({"command": "x", "colour": "red"}), "colour"),
            (json!([]), "command"),
            (json!("text"), ""),
        ] {
            let error = parse::<Args>(&args).unwrap_err();
            if args.is_array() {
                assert!(!error.problem.is_empty());
            } else {
                assert_eq!(error.field, field, "{args}: {}", error.problem);
            }
        }
        assert!(parse::<Args>(&json!({"command": "x", "count": 2})).is_ok());
    }
}
