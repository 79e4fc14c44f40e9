//! Loosely typed input as EXEd's clients send it: the parameters of a query, or the top level of a JSON
//! object. Every accessor refuses a value of the wrong type with a message that names the field.

use std::fmt;

use exed_domain::FieldError;
use http::Uri;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::query;

/// Where the values come from; a query has only text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Query,
    Json,
}

/// Named values.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    source: Source,
}

type Read<T> = Result<T, FieldError>;

impl Fields {
    /// The parameters of a request's query.
    pub(crate) fn of_query(uri: &Uri) -> Read<Self> {
        let pairs = query::pairs(uri.query().unwrap_or_default())?;
        let values = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        Ok(Self { values, source: Source::Query })
    }

    /// The top level of a JSON object.
    pub(crate) fn of_json(body: &[u8]) -> Read<Self> {
        let parsed: Result<UniqueKeys, _> = serde_json::from_slice(body);
        let UniqueKeys(values) = parsed.map_err(|error| FieldError::new("body", error.to_string()))?;
        Ok(Self { values, source: Source::Json })
    }

    /// A value, where null is the same as absent.
    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A text that may be absent.
    pub(crate) fn text(&self, name: &str) -> Read<Option<&str>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, "a string", other)),
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required_text(&self, name: &str) -> Read<&str> {
        match self.text(name)? {
            None => Err(FieldError::new(name, "is required")),
            Some(text) if text.trim().is_empty() => Err(FieldError::new(name, "must not be empty")),
            Some(text) => Ok(text),
        }
    }

    /// A boolean: true and false, 1 and 0, or the words yes, true, no and false in any case.
    pub(crate) fn flag(&self, name: &str) -> Read<Option<bool>> {
        const ACCEPTED: &str = "a boolean (1, true, yes, 0, false or no)";
        let Some(value) = self.value(name) else { return Ok(None) };
        let word = match value {
            Value::Bool(flag) => return Ok(Some(*flag)),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.to_ascii_lowercase(),
            Value::Null | Value::Array(_) | Value::Object(_) => return Err(wrong(name, ACCEPTED, value)),
        };
        match word.as_str() {
            "1" | "true" | "yes" => Ok(Some(true)),
            "0" | "false" | "no" => Ok(Some(false)),
            _ => Err(wrong(name, ACCEPTED, value)),
        }
    }

    /// A whole number. Text counts only in a query, which has nothing else.
    pub(crate) fn integer(&self, name: &str) -> Read<Option<i64>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = match (value, self.source) {
            (Value::Number(number), _) => number.as_i64(),
            (Value::String(text), Source::Query) => text.parse().ok(),
            (_, _) => None,
        };
        number.map(Some).ok_or_else(|| wrong(name, "an integer", value))
    }

    /// An object that may be absent.
    pub(crate) fn object(&self, name: &str) -> Read<Option<&Map<String, Value>>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }

    /// A list of texts that must be there, must not be empty, and holds no empty text.
    pub(crate) fn required_texts(&self, name: &str) -> Read<Vec<String>> {
        const ACCEPTED: &str = "a non-empty array of strings";
        let value = self.value(name).ok_or_else(|| FieldError::new(name, "is required"))?;
        let items = match value {
            Value::Array(items) if !items.is_empty() => items,
            Value::Array(_) => {
                return Err(FieldError::new(name, format!("must be {ACCEPTED}, but it is empty")));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                return Err(wrong(name, ACCEPTED, value));
            }
        };
        let text = |(index, item): (usize, &Value)| {
            let text = item.as_str().filter(|text| !text.trim().is_empty());
            text.map(str::to_owned)
                .ok_or_else(|| wrong(&format!("{name}[{index}]"), "a non-empty string", item))
        };
        items.iter().enumerate().map(text).collect()
    }
}

fn wrong(name: &str, accepted: &str, got: &Value) -> FieldError {
    let mut shown = got.to_string();
    if shown.chars().count() > 60 {
        shown = shown.chars().take(60).chain("…".chars()).collect();
    }
    FieldError::new(name, format!("must be {accepted}, not {shown}"))
}

/// A JSON object that names each key once.
struct UniqueKeys(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueKeysVisitor)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<UniqueKeys, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("`{key}` is given more than once")));
            }
            map.insert(key, value);
        }
        Ok(UniqueKeys(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Fields {
        Fields::of_json(text.as_bytes()).unwrap()
    }

    fn query(text: &str) -> Fields {
        Fields::of_query(&format!("/x?{text}").parse().unwrap()).unwrap()
    }

    #[test]
    fn booleans_are_words_in_any_case() {
        let fields = query("a=YES&b=0&c=False&d=maybe");
        assert_eq!(fields.flag("a"), Ok(Some(true)));
        assert_eq!(fields.flag("b"), Ok(Some(false)));
        assert_eq!(fields.flag("c"), Ok(Some(false)));
        assert_eq!(fields.flag("absent"), Ok(None));
        let error = fields.flag("d").unwrap_err().to_string();
        assert_eq!(error, r#"d: must be a boolean (1, true, yes, 0, false or no), not "maybe""#);
        let fields = json(r#"{"a": true, "b": 1, "c": "no", "d": 2, "e": []}"#);
        assert_eq!(fields.flag("a"), Ok(Some(true)));
        assert_eq!(fields.flag("b"), Ok(Some(true)));
        assert_eq!(fields.flag("c"), Ok(Some(false)));
        assert!(fields.flag("d").is_err() && fields.flag("e").is_err());
    }

    #[test]
    fn integers_are_text_only_in_a_query() {
        assert_eq!(query("state=2").integer("state"), Ok(Some(2)));
        assert!(query("state=two").integer("state").is_err());
        assert_eq!(json(r#"{"state": 2}"#).integer("state"), Ok(Some(2)));
        assert!(json(r#"{"state": "2"}"#).integer("state").is_err());
        assert!(json(r#"{"state": 1.5}"#).integer("state").is_err());
    }

    #[test]
    fn targets_are_a_non_empty_array_of_strings() {
        let problem = |text: &str| json(text).required_texts("targets").unwrap_err().to_string();
        assert_eq!(problem("{}"), "targets: is required");
        assert_eq!(problem(r#"{"targets": null}"#), "targets: is required");
        assert_eq!(
            problem(r#"{"targets": []}"#),
            "targets: must be a non-empty array of strings, but it is empty"
        );
        assert_eq!(
            problem(r#"{"targets": "web1"}"#),
            r#"targets: must be a non-empty array of strings, not "web1""#
        );
        assert_eq!(problem(r#"{"targets": ["a", 7]}"#), "targets[1]: must be a non-empty string, not 7");
    }

    #[test]
    fn syntax_errors_name_the_position() {
        let error = |text: &str| Fields::of_json(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error("{\"a\": 1,\n}"), "body: trailing comma at line 2 column 1");
        assert!(error("[]").starts_with("body: invalid type: sequence, expected a JSON object"));
        assert!(error("").starts_with("body: EOF"));
        assert!(error(r#"{"a": 1, "a": 2}"#).starts_with("body: `a` is given more than once"));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(fields) = Fields::of_json(&body) {
                let _ = (fields.text("a"), fields.flag("a"), fields.integer("a"), fields.required_texts("a"));
            }
        }
    }
}
