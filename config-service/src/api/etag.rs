//! Entity tags of channels (RFC 9110, section 8.8.3): the revision of a channel's last edit.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Problem;
use crate::channels::Expected;

/// The tag of a channel that was last edited by `revision`.
pub(super) fn of(revision: u64) -> (HeaderName, HeaderValue) {
    let tag = HeaderValue::try_from(format!("\"{revision}\""));
    (
        header::ETAG,
        tag.unwrap_or(HeaderValue::from_static("\"\"")),
    )
}

/// The state that the client knows, according to `If-Match` (RFC 9110, section 13.1.1).
///
/// A weak tag matches nothing, nor does a tag that is not ours.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Expected, Problem> {
    let mut known = BTreeSet::new();
    let mut is_there = false;
    for value in headers.get_all(header::IF_MATCH) {
        is_there = true;
        let text = value.to_str().unwrap_or_default();
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Expected::Any);
            }
            known.extend(strong(tag).ok_or_else(malformed)?);
        }
    }
    Ok(if is_there {
        Expected::OneOf(known)
    } else {
        Expected::Any
    })
}

/// The revision in a strong tag: `Some(None)` for a tag that cannot be a channel's.
fn strong(tag: &str) -> Option<Option<u64>> {
    let (tag, is_weak) = match tag.strip_prefix("W/") {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.parse().ok().filter(|_| !is_weak))
}

fn malformed() -> Problem {
    Problem::bad_request("the header if-match is not a list of entity tags such as \"7\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: Option<&Expected>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::try_from(*value).unwrap());
        }
        assert_eq!(if_match(&headers).ok().as_ref(), expected, "{values:?}");
    }

    #[test]
    fn lists_of_tags_are_read() {
        let one_of = |known: &[u64]| Expected::OneOf(known.iter().copied().collect());
        check(&[], Some(&Expected::Any));
        check(&["*"], Some(&Expected::Any));
        check(&["\"7\""], Some(&one_of(&[7])));
        check(&["\"7\", \"8\"", "\"9\""], Some(&one_of(&[7, 8, 9])));
        check(&["W/\"7\"", "\"somebody-else\""], Some(&one_of(&[])));
        for malformed in ["7", "\"7", "", "W/7", "\"7\","] {
            check(&[malformed], None);
        }
    }
}
