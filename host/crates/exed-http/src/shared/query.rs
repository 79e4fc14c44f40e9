//! Query strings, decoded strictly: a byte that is not what the client meant must not become another
//! command on a host.

use exed_domain::FieldError;

/// The parameters in their order, decoded. Duplicates are refused, because which one was meant is a guess.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, FieldError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(name).map_err(|problem| FieldError::new("query", problem))?;
        let value = decode(value).map_err(|problem| FieldError::new(name.clone(), problem))?;
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(FieldError::new(name, "is given more than once"));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Decodes `%XX` and `+`.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => bytes.push(high * 16 + low),
                (_, _) => return Err("has a % that two hexadecimal digits do not follow".to_owned()),
            },
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 after percent-decoding".to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes_and_refuses() {
        let found = pairs("target=web%2A&cmd=echo+%C3%A9+%2B1&flag").unwrap();
        let expected = [("target", "web*"), ("cmd", "echo é +1"), ("flag", "")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(pairs("a=1&a=2").unwrap_err().to_string(), "a: is given more than once");
        assert_eq!(pairs("cmd=%f").unwrap_err().field, "cmd");
        assert_eq!(pairs("cmd=%ff").unwrap_err().problem, "is not UTF-8 after percent-decoding");
        assert_eq!(pairs("").unwrap(), []);
    }

    proptest! {
        #[test]
        fn every_text_survives_encoding(value in ".*") {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let found = pairs(&format!("v={encoded}")).unwrap();
            prop_assert_eq!(found, vec![("v".to_owned(), value)]);
        }

        #[test]
        fn nothing_panics(query in ".*") {
            let _ = pairs(&query);
        }
    }
}
