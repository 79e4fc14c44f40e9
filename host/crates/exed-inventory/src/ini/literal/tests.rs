use proptest::prelude::*;
use serde_json::json;

use super::value;

#[test]
fn numbers() {
    for (text, expected) in [
        ("1", json!(1)),
        ("-5", json!(-5)),
        ("+7", json!(7)),
        ("1_000", json!(1000)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("0b101", json!(5)),
        ("0", json!(0)),
        ("1.5", json!(1.5)),
        ("1e3", json!(1000.0)),
        (".5", json!(0.5)),
        ("5.", json!(5.0)),
        ("5 # five", json!(5)),
        ("0644", json!("0644")),
        ("1e999", json!("1e999")),
        ("1_", json!("1_")),
        ("--1", json!("--1")),
        ("0._1", json!("0._1")),
        ("0E_07", json!("0E_07")),
        ("0x_1F", json!(31)),
        ("0x", json!("0x")),
        ("0x-1", json!("0x-1")),
        ("1.2.3", json!("1.2.3")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("1a", json!("1a")),
        ("99999999999999999999", json!("99999999999999999999")),
        ("-", json!("-")),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn words_and_strings() {
    for (text, expected) in [
        ("True", json!(true)),
        ("False", json!(false)),
        ("None", json!(null)),
        ("true", json!("true")),
        ("yes", json!("yes")),
        ("Truely", json!("Truely")),
        ("'a b'", json!("a b")),
        (r#""a\tb\x41\u00e9\101\q""#, json!("a\tbA\u{e9}A\\q")),
        (r"r'a\tb'", json!(r"a\tb")),
        ("b'raw'", json!("raw")),
        ("'a' \"b\"", json!("ab")),
        ("'''x'y'''", json!("x'y")),
        ("'open", json!("'open")),
        ("b'a' 'b'", json!("b'a' 'b'")),
        ("f'x'", json!("f'x'")),
        ("a # b", json!("a # b")),
        ("", json!("")),
        ("hello world", json!("hello world")),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn containers() {
    for (text, expected) in [
        ("[1, 'a', None]", json!([1, "a", null])),
        ("[]", json!([])),
        ("{}", json!({})),
        ("()", json!([])),
        ("(1)", json!(1)),
        ("(1,)", json!([1])),
        ("1, 2", json!([1, 2])),
        ("1,", json!([1])),
        ("{'a': 1, 2: [3]}", json!({"a": 1, "2": [3]})),
        ("{1, 2}", json!([1, 2])),
        ("[1", json!("[1")),
        ("[a, b]", json!("[a, b]")),
        ("a,b", json!("a,b")),
        ("{'a': 1, 2}", json!("{'a': 1, 2}")),
        ("{{ template }}", json!("{{ template }}")),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let deep = "[".repeat(5000);
    assert_eq!(value(&deep), json!(deep));
}

proptest! {
    #[test]
    fn any_text_has_a_value(text in "[\\[\\](){},:'\"a0_.+eErbx\\\\ #-]{0,24}") {
        value(&text);
    }

    #[test]
    fn integers_read_back(number in any::<i64>()) {
        prop_assert_eq!(value(&number.to_string()), json!(number));
    }
}
