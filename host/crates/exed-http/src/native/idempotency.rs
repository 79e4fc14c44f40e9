//! The `Idempotency-Key` header.

use exed_domain::FieldError;
use exed_domain::job::Idempotency;
use http::HeaderMap;
use sha2::{Digest, Sha256};

/// The header's name.
pub(super) const HEADER: &str = "idempotency-key";

/// How long a key may be, in bytes.
const KEY_AT_MOST: usize = 200;

/// The key of a request with the digest of its body; none without the header.
pub(super) fn of(headers: &HeaderMap, body: &[u8]) -> Result<Option<Idempotency>, FieldError> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let accepted = || {
        let problem = format!("must be one value of 1 to {KEY_AT_MOST} visible ASCII characters");
        FieldError::new("Idempotency-Key", problem)
    };
    let key = value.to_str().map_err(|_| accepted())?.trim();
    if values.next().is_some() || key.is_empty() || key.len() > KEY_AT_MOST {
        return Err(accepted());
    }
    let fingerprint = hex::encode(Sha256::digest(body));
    Ok(Some(Idempotency { key: key.to_owned(), fingerprint }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_that_of_the_body() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers, b"x"), Ok(None));
        headers.insert(HEADER, "k-1".parse().unwrap());
        let first = of(&headers, b"x").unwrap().unwrap();
        assert_eq!(first.key, "k-1");
        assert_eq!(of(&headers, b"x").unwrap().unwrap(), first);
        assert_ne!(of(&headers, b"y").unwrap().unwrap().fingerprint, first.fingerprint);
        headers.append(HEADER, "k-2".parse().unwrap());
        assert!(of(&headers, b"x").is_err());
        headers.insert(HEADER, "k".repeat(201).parse().unwrap());
        assert!(of(&headers, b"x").is_err());
    }
}
