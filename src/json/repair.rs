//! Repairs JSON that some clients write: halves of surrogate pairs, and texts that were cut off.

use memchr::memmem;
use serde_json::value::RawValue;

/// Takes the place of half a pair: the replacement character.
const REPLACEMENT: &str = "\\ufffd";

/// How deeply a text that was cut off may nest.
const MAX_DEPTH: usize = 100;

/// The same JSON with every half of a surrogate pair replaced; `None` if there is no half. Clients that cut a text by
/// UTF-16 units leave such halves, which no reader accepts.
#[must_use]
pub fn without_halves(json: &str) -> Option<String> {
    memmem::find(json.as_bytes(), b"\\u")?;
    let mut out = String::new();
    let (mut from, mut at) = (0, 0);
    while let Some(offset) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += offset;
        let unit = unit(json, at);
        let width = match (unit, unit.and_then(|_| self::unit(json, at + 6))) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str(json.get(from..at)?);
                out.push_str(REPLACEMENT);
                from = at + 6;
                6
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        at += width;
    }
    if from == 0 {
        return None;
    }
    out.push_str(json.get(from..)?);
    Some(out)
}

/// The UTF-16 unit that an escape at this position stands for.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at.checked_add(6)?)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

/// The object that a cut-off text begins: everything open is closed, and a last part that cannot be understood is
/// dropped.
#[must_use]
pub fn closed(json: &str) -> Option<String> {
    let json = json.trim();
    if !json.starts_with('{') {
        return None;
    }
    let mut scan = Scan::default();
    for (at, byte) in json.bytes().enumerate() {
        scan.take(at, byte)?;
    }
    let whole = format!("{}{}", scan.text(json), scan.closing());
    [whole, scan.safe(json)?]
        .into_iter()
        .find(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

/// What is open at some position in a JSON text.
#[derive(Default)]
struct Scan {
    /// The brackets that close what is open, innermost last.
    open: Vec<u8>,
    in_string: bool,
    /// Where an escape began that may be incomplete.
    escape: Option<usize>,
    /// The last position at which only brackets were missing, and those brackets.
    safe: Option<(usize, Vec<u8>)>,
}

impl Scan {
    fn take(&mut self, at: usize, byte: u8) -> Option<()> {
        if self.in_string {
            self.in_text(at, byte);
            return Some(());
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                self.open.push(if byte == b'{' { b'}' } else { b']' });
                if self.open.len() > MAX_DEPTH {
                    return None;
                }
                self.safe = Some((at + 1, self.open.clone()));
            }
            b'}' | b']' => {
                self.open.pop().filter(|open| *open == byte)?;
                self.safe = Some((at + 1, self.open.clone()));
            }
            b',' => self.safe = Some((at, self.open.clone())),
            _ => {}
        }
        Some(())
    }

    fn in_text(&mut self, at: usize, byte: u8) {
        match self.escape {
            // `\u` has four more digits; every other escape ends here.
            Some(start) if at == start + 1 && byte != b'u' => self.escape = None,
            Some(start) if at >= start + 5 => self.escape = None,
            Some(_) => {}
            None if byte == b'\\' => self.escape = Some(at),
            None if byte == b'"' => self.in_string = false,
            None => {}
        }
    }

    /// The text without an incomplete escape, and with its last string closed.
    fn text(&self, json: &str) -> String {
        let end = self.escape.unwrap_or(json.len());
        let mut text = json.get(..end).unwrap_or(json).to_owned();
        if self.in_string {
            text.push('"');
        }
        text
    }

    fn closing(&self) -> String {
        brackets(&self.open)
    }

    fn safe(&self, json: &str) -> Option<String> {
        let (end, open) = self.safe.as_ref()?;
        Some(format!("{}{}", json.get(..*end)?, brackets(open)))
    }
}

fn brackets(open: &[u8]) -> String {
    open.iter().rev().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_of_pairs_are_replaced_and_pairs_kept() {
        for (json, repaired) in [
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (r#""\ude00\ud83d""#, Some(r#""\ufffd\ufffd""#)),
            (
                r#""a\ud83d\ud83d\ude00b""#,
                Some(r#""a\ufffd\ud83d\ude00b""#),
            ),
            (r#"{"k":"\uDBFF\\ud83d"}"#, Some(r#"{"k":"\ufffd\\ud83d"}"#)),
            (r#""\ud83d\ude00 \u00e9""#, None),
            (r#""\\ud83d \n""#, None),
            (r#""plain""#, None),
        ] {
            assert_eq!(without_halves(json).as_deref(), repaired, "{json}");
        }
    }

    #[test]
    fn what_was_cut_off_is_closed() {
        for (json, whole) in [
            (r#"{"city":"Os"#, Some(r#"{"city":"Os"}"#)),
            (r#"{"a":[1,{"b":"x"#, Some(r#"{"a":[1,{"b":"x"}]}"#)),
            (r#"{"a":1,"b":tr"#, Some(r#"{"a":1}"#)),
            (r#"{"a":1,"b""#, Some(r#"{"a":1}"#)),
            (r#"{"a":1,"b":"#, Some(r#"{"a":1}"#)),
            (r#"{"a":"x\"#, Some(r#"{"a":"x"}"#)),
            (r#"{"a":"x\u00e"#, Some(r#"{"a":"x"}"#)),
            ("{", Some("{}")),
            (r#"{"a""#, Some("{}")),
            (r#"{"a":{"b":1}"#, Some(r#"{"a":{"b":1}}"#)),
            (r#"{"a":1]"#, None),
            ("Oslo", None),
            ("[1", None),
            ("", None),
        ] {
            assert_eq!(closed(json).as_deref(), whole, "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_cut_of_an_object_becomes_one(
            text in ".{0,12}",
            number in any::<i32>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let value = serde_json::json!({"a": text, "b": [number, {text.clone(): null}], "c": true});
            let json = value.to_string();
            let ends: Vec<_> = (1..=json.len()).filter(|at| json.is_char_boundary(*at)).collect();
            let closed = closed(&json[..*cut.get(&ends)]).unwrap();
            let read: serde_json::Value = serde_json::from_str(&closed).unwrap();
            prop_assert!(read.is_object());
        }

        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            let _ = closed(&format!("{{{text}"));
            let _ = without_halves(&text);
        }
    }
}
