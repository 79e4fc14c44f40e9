//! Reading native requests: strict query parameters, strict JSON.

use axum::body::Body;
use bytes::Bytes;
use exed_domain::FieldError;
use http::{HeaderMap, Uri, header};
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};
use crate::router::Api;
use crate::shared::body;
use crate::shared::query;

/// How many items a page has when no `limit` is given.
const PAGE: usize = 100;

/// How many items a page has at most.
const PAGE_AT_MOST: usize = 1000;

/// The parameters of a query, all of them known.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query and refuses parameters that are not in `known`, because a misspelt filter must not
    /// silently match everything.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, FieldError> {
        let pairs = query::pairs(uri.query().unwrap_or_default())?;
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(Self(pairs)),
            Some((name, _)) if known.is_empty() => {
                Err(FieldError::new(name.clone(), "is not a parameter of this path, which has none"))
            }
            Some((name, _)) => {
                let known = known.join(", ");
                let problem = format!("is not a parameter of this path; it has: {known}");
                Err(FieldError::new(name.clone(), problem))
            }
        }
    }

    /// One of them; empty is absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, FieldError> {
        let parse = |text: &str| {
            let wrong = |_| FieldError::new(name, format!("must be a number, 0 or more, not \"{text}\""));
            text.parse().map_err(wrong)
        };
        self.get(name).map(parse).transpose()
    }

    /// `limit`, from 1 to 1000; 100 if it is absent.
    pub(super) fn limit(&self) -> Result<usize, FieldError> {
        let Some(asked) = self.number("limit")? else { return Ok(PAGE) };
        match usize::try_from(asked) {
            Ok(limit) if (1..=PAGE_AT_MOST).contains(&limit) => Ok(limit),
            Ok(_) | Err(_) => {
                Err(FieldError::new("limit", format!("must be from 1 to {PAGE_AT_MOST}, not {asked}")))
            }
        }
    }
}

/// A body of JSON, with its bytes. The media type is checked: pages of other sites can send text without
/// asking, but not JSON.
pub(super) async fn json<T: DeserializeOwned>(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
) -> Result<(T, Bytes), Problem> {
    require_media_type(headers, "application/json")?;
    let options = api.options();
    let bytes = body::read(body, options.body_limit, options.body_timeout).await?;
    let parsed = serde_json::from_slice(&bytes);
    let parsed = parsed.map_err(|error| FieldError::new("body", error.to_string()))?;
    Ok((parsed, bytes))
}

/// Checks the `Content-Type`, parameters aside.
pub(super) fn require_media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let given = if given.is_empty() { "nothing" } else { given };
    let detail = format!("Content-Type: must be {wanted}, not {given}");
    Err(Problem::new(Kind::MediaType, detail))
}
