//! Splits an export into its entries, each with its place in the file.

use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};

use crate::fault::Fault;
use crate::reader::SyntaxError;

/// The members in which answers of APIs have the list.
const LISTS: [&str; 4] = ["keys", "data", "tokens", "items"];

/// One entry.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its position, counted from 0 over the whole file.
    pub(super) index: usize,
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// What it says.
    pub(super) fields: Map<String, Value>,
}

impl Entry {
    /// What is wrong with a field, or with the whole entry if there is no name.
    pub(super) fn fault(&self, field: &str, code: &'static str, message: &str) -> Fault {
        fault((self.index, self.line), field, code, message)
    }

    /// The same for a fault of the caller that was made of it.
    pub(super) fn below(&self, own: &Fault) -> Fault {
        fault(
            (self.index, self.line),
            own.pointer.trim_start_matches('/'),
            own.code,
            &own.message,
        )
    }
}

fn fault((index, line): (usize, usize), field: &str, code: &'static str, message: &str) -> Fault {
    let pointer = match field {
        "" => format!("/{index}"),
        field => format!("/{index}/{field}"),
    };
    let subject = match field {
        "" => String::new(),
        field => format!("`{field}` "),
    };
    Fault::new(pointer, code, format!("line {line}: {subject}{message}"))
}

/// Reads an array, an answer of an API with one inside, several of them one after the other, or one entry a line.
///
/// # Errors
///
/// When it is not JSON. What is JSON but no entry is added to `faults`.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Result<Vec<Entry>, SyntaxError> {
    let mut found = Vec::new();
    for value in Deserializer::from_str(text).into_iter::<&RawValue>() {
        collect(value?, &mut found);
    }
    let start = text.as_ptr().addr();
    let mut lines = Lines {
        text,
        seen: 0,
        line: 1,
    };
    let mut entries = Vec::with_capacity(found.len());
    for (index, raw) in found.into_iter().enumerate() {
        let line = lines.of(raw.get().as_ptr().addr().saturating_sub(start));
        match serde_json::from_str(raw.get()) {
            Ok(fields) => entries.push(Entry {
                index,
                line,
                fields,
            }),
            Err(_) => {
                let message = "is not an object; each entry has to be what the other gateway says about one key";
                faults.push(fault((index, line), "", "not_an_object", message));
            }
        }
    }
    Ok(entries)
}

/// Adds the entries in a value.
fn collect<'t>(value: &'t RawValue, found: &mut Vec<&'t RawValue>) {
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        return found.extend(list);
    }
    let members =
        serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(value.get());
    let members = members.unwrap_or_default();
    let list = LISTS.iter().find_map(|name| {
        let list = members.get(*name)?;
        serde_json::from_str::<Vec<&RawValue>>(list.get()).ok()
    });
    match list {
        Some(list) => found.extend(list),
        None => found.push(value),
    }
}

/// Counts lines, further and further into a text.
struct Lines<'t> {
    text: &'t str,
    seen: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, offset: usize) -> usize {
        let passed = self.text.get(self.seen..offset).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.seen = self.seen.max(offset);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line and the number `n` of each entry.
    fn seen(text: &str) -> Vec<(usize, i64)> {
        let mut faults = Vec::new();
        let entries = read(text, &mut faults).unwrap();
        assert_eq!(faults, []);
        let seen = entries.iter();
        seen.map(|own| (own.line, own.fields["n"].as_i64().unwrap()))
            .collect()
    }

    #[test]
    fn every_usual_shape_is_read() {
        for text in [
            "[\n{\"n\":1},\n{\"n\":2}]",
            "{\"total\": 2,\n\"keys\": [{\"n\":1},\n{\"n\":2}]}",
            "\n{\"n\":1}\n{\"n\":2}\n",
            "\n{\"data\":[{\"n\":1}]}\n{\"data\":[{\"n\":2}],\"success\":true}",
        ] {
            assert_eq!(seen(text), [(2, 1), (3, 2)], "{text}");
        }
        assert_eq!(seen("[]"), []);
        assert_eq!(seen(""), []);
        // A list inside an entry is not a list of entries.
        assert_eq!(seen("{\"n\":1,\"models\":[]}"), [(1, 1)]);
    }

    #[test]
    fn what_is_no_entry_is_reported_and_what_is_no_json_is_refused() {
        let mut faults = Vec::new();
        let entries = read("[{\"n\":1},\n5]", &mut faults).unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (&*faults[0].pointer, faults[0].code),
            ("/1", "not_an_object")
        );
        assert!(faults[0].message.starts_with("line 2: "), "{faults:?}");
        let error = read("[{\"key\":\"sk-hush\"", &mut faults).unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
        assert_eq!(error.line, 1);
    }
}
