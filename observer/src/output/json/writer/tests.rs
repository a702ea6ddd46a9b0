//! The same bytes as `serde_json`.

use super::*;

fn written<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = b"kept,".to_vec();
    write(value, &mut out).unwrap();
    String::from_utf8(out)
        .unwrap()
        .strip_prefix("kept,")
        .unwrap()
        .to_owned()
}

#[test]
fn strings_are_escaped_as_serde_json_does() {
    let mut texts: Vec<String> = (0..0x180)
        .filter_map(char::from_u32)
        .flat_map(|c| (0..12).map(move |at| format!("{}{c}{}", "x".repeat(at), "é".repeat(11 - at))))
        .collect();
    texts.extend(
        [
            "",
            "\"\\\u{7f}!\u{1f}\u{20}#[]",
            "\u{10ffff}\0\0\"",
            "plain and long enough for words",
        ]
        .map(str::to_owned),
    );
    for text in texts {
        let wanted = serde_json::to_string(&text).unwrap();
        assert_eq!(written(&text), wanted);
        struct Shown<'a>(&'a str);
        impl Serialize for Shown<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self.0)
            }
        }
        assert_eq!(written(&Shown(&text)), wanted);
    }
}

#[test]
fn values_are_written_as_serde_json_does() {
    let value = serde_json::json!({
        "numbers": [0, -1, u64::MAX, i64::MIN],
        "nothing": null,
        "empty": [[], {}, ""],
        "nested": { "a": { "b": [true, false] }, "c,": "," },
    });
    assert_eq!(written(&value), serde_json::to_string(&value).unwrap());
}

#[test]
fn marked_text_is_taken_as_it_is() {
    assert_eq!(
        written(&(Plain("x25519"), "a\"b", Raw("{\"a\":1}"), "\\")),
        r#"["x25519","a\"b",{"a":1},"\\"]"#
    );
    assert_eq!(serde_json::to_string(&Plain("x")).unwrap(), r#""x""#);
}

#[test]
fn what_events_do_not_contain_is_refused() {
    assert!(write(&1.5, &mut Vec::new()).is_err());
    assert!(write(&std::collections::BTreeMap::from([(1, 2)]), &mut Vec::new()).is_err());
}
