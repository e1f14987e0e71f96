//! Tells a client what was left out of its request.

/// The header of an answer with the names.
pub(crate) const LEFT_OUT: &str = "x-bedrock-left-out";

/// Longest name that is shown whole, in bytes.
const MAX_NAME_LEN: usize = 64;

/// Longest value, in bytes, before the mark that says that there are more.
const MAX_LEN: usize = 512;

/// The value of the header for some names; `None` if there are none.
///
/// A name is the client's, and may have anything in it: what is not a letter, digit, `_`, `-` or `.` becomes `?`.
pub(super) fn value<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let mut value = String::new();
    let mut told: Vec<String> = Vec::new();
    for name in names {
        let safe = safe(name);
        if told.contains(&safe) {
            continue;
        }
        if !value.is_empty() {
            value.push_str(", ");
        }
        if value.len() + safe.len() > MAX_LEN {
            value.push_str("...");
            break;
        }
        value.push_str(&safe);
        told.push(safe);
    }
    (!value.is_empty()).then_some(value)
}

fn safe(name: &str) -> String {
    let is_safe = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let chars = name.chars().take(MAX_NAME_LEN);
    let safe: String = chars.map(|c| if is_safe(&c) { c } else { '?' }).collect();
    if safe.is_empty() {
        return "?".to_owned();
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> Option<String> {
        value(names.iter().copied())
    }

    #[test]
    fn names_are_told_once_in_their_order() {
        assert_eq!(told(&[]), None);
        let names = ["min_p", "extra_body.provider", "min_p", "reasoningSummary"];
        let value = "min_p, extra_body.provider, reasoningSummary";
        assert_eq!(told(&names).as_deref(), Some(value));
    }

    #[test]
    fn whatever_a_name_is_the_value_is_a_header() {
        let names = ["a\r\nset-cookie: b", "", "\u{0}", "naïve, c"];
        let value = "a??set-cookie??b, ?, na?ve??c";
        assert_eq!(told(&names).as_deref(), Some(value));
        let long = "x".repeat(100_000);
        let many: Vec<_> = (0..64).map(|n| format!("{n}{long}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let value = told(&many).unwrap();
        assert!(
            value.ends_with(", ...") && value.len() <= MAX_LEN + 10,
            "{value}"
        );
        assert!(http::HeaderValue::from_str(&value).is_ok());
    }
}
