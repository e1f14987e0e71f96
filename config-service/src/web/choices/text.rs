//! What a name chooses from, as a person enters it: a list of models by lines, or JSON.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::edit::SyntaxError;

/// The text of what a name chooses from.
pub(super) fn of(choice: &Value) -> String {
    let lines = choice
        .as_array()
        .and_then(|models| models.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    match lines {
        Some(models) => models.join("\n"),
        None => serde_json::to_string_pretty(choice).unwrap_or_default(),
    }
}

/// The body of the edit that a text is about.
///
/// # Errors
///
/// When it begins like JSON but is not valid JSON.
pub(super) fn body(text: &str) -> Result<String, SyntaxError> {
    let text = text.trim();
    if text.starts_with(['{', '[']) {
        // As it was written, so that what stands there twice is noticed.
        let raw: &RawValue = serde_json::from_str(text)?;
        return Ok(format!("{{\"choice\":{raw}}}"));
    }
    let models = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let models: Vec<_> = models.collect();
    Ok(json!({ "choice": models }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_json_are_read_as_they_are_shown() {
        for (text, choice) in [
            ("a\nb", json!(["a", "b"])),
            (
                "{\n  \"weighted\": {\n    \"a\": 1\n  }\n}",
                json!({"weighted": {"a": 1}}),
            ),
        ] {
            assert_eq!(of(&choice), text);
            let read: Value = serde_json::from_str(&body(text).unwrap()).unwrap();
            assert_eq!(read, json!({ "choice": choice }));
        }
        assert_eq!(body(" [\"a\"]\r\n").unwrap(), r#"{"choice":["a"]}"#);
        assert_eq!(body(" a \r\n\r\n b").unwrap(), r#"{"choice":["a","b"]}"#);
        let error = body("{\n  \"weighted\" 5}").unwrap_err();
        assert_eq!(error.line, 2, "{error}");
    }
}
