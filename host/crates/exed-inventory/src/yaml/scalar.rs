//! Plain scalars by the rules of YAML 1.1, as PyYAML applies them.

use serde_json::{Number, Value};

/// The value of a plain scalar. Infinities, not-a-number and dates stay text, because JSON has none.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => boolean(text)
            .map(Value::Bool)
            .or_else(|| integer(text))
            .or_else(|| float(text))
            .unwrap_or_else(|| Value::from(text)),
    }
}

/// The boolean of a word.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn signed(text: &str) -> (i128, &str) {
    match text.split_at_checked(1) {
        Some(("-", rest)) => (-1, rest),
        Some(("+", rest)) => (1, rest),
        Some(_) | None => (1, text),
    }
}

/// Digits of a base; underscores may stand anywhere behind the first one.
fn digits(text: &str, radix: u32) -> Option<i128> {
    let kept = text.replace('_', "");
    if kept.is_empty() || !kept.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    i128::from_str_radix(&kept, radix).ok()
}

/// An integer: binary `0b`, octal with a leading zero, decimal, hexadecimal, or sexagesimal `1:30`.
pub(super) fn integer(text: &str) -> Option<Value> {
    let (sign, unsigned) = signed(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let magnitude = if let Some(binary) = unsigned.strip_prefix("0b") {
        digits(binary, 2)
    } else if let Some(hexadecimal) = unsigned.strip_prefix("0x") {
        digits(hexadecimal, 16)
    } else if unsigned.contains(':') {
        // With a leading zero it is a time of day, and stays text.
        if unsigned.starts_with('0') { None } else { sexagesimal(unsigned) }
    } else if unsigned.len() > 1 && unsigned.starts_with('0') {
        digits(unsigned, 8)
    } else {
        digits(unsigned, 10)
    }?;
    let number = magnitude.checked_mul(sign)?;
    match i64::try_from(number) {
        Ok(number) => Some(Value::from(number)),
        Err(_) => u64::try_from(number).ok().map(Value::from),
    }
}

fn sexagesimal(text: &str) -> Option<i128> {
    let mut places = text.split(':');
    let mut total = digits(places.next()?, 10)?;
    for place in places {
        let value =
            digits(place, 10).filter(|value| *value < 60 && place.len() <= 2 && !place.contains('_'))?;
        total = total.checked_mul(60)?.checked_add(value)?;
    }
    Some(total)
}

/// A float: it has a point, and its exponent has a sign; `1e3` is text.
pub(super) fn float(text: &str) -> Option<Value> {
    let (sign, unsigned) = signed(text);
    let (whole, rest) = unsigned.split_once('.')?;
    if whole.contains(':') {
        let seconds = sexagesimal(whole)?;
        let fraction: f64 = format!("0.{}", rest.replace('_', "")).parse().ok()?;
        #[expect(clippy::cast_precision_loss, reason = "a float is what was written")]
        let value = (seconds as f64 + fraction) * if sign < 0 { -1.0 } else { 1.0 };
        return Number::from_f64(value).map(Value::Number);
    }
    let (fraction, exponent) = match rest.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (rest, None),
    };
    let is_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let starts_well = if whole.is_empty() {
        fraction.starts_with(|c: char| c.is_ascii_digit()) && unsigned.len() == text.len()
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit())
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        exponent
            .strip_prefix(['+', '-'])
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if !(starts_well && exponent_fits && is_digits(whole) && is_digits(fraction)) {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::plain;

    #[test]
    fn as_yaml_1_1_says() {
        for (text, expected) in [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("y", json!("y")),
            ("TRUE", json!(true)),
            ("tRue", json!("tRue")),
            ("~", json!(null)),
            ("", json!(null)),
            ("None", json!("None")),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("0644", json!(420)),
            ("089", json!("089")),
            ("0o644", json!("0o644")),
            ("0x1f", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("1:30", json!(90)),
            ("190:20:30", json!(685_230)),
            ("12:99", json!("12:99")),
            ("1.5", json!(1.5)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("1e3", json!("1e3")),
            ("1.0e+3", json!(1000.0)),
            ("1.0e3", json!("1.0e3")),
            ("1:30.5", json!(90.5)),
            ("0:30.5", json!(30.5)),
            ("01:30", json!("01:30")),
            ("+.5", json!("+.5")),
            (".inf", json!(".inf")),
            ("1.2.3", json!("1.2.3")),
            ("2024-01-02", json!("2024-01-02")),
            ("192.0.2.1", json!("192.0.2.1")),
            ("99999999999999999999", json!("99999999999999999999")),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_scalar_has_a_value(text in "[0-9a-f:._+eExb-]{0,12}") {
            plain(&text);
        }
    }
}
