//! What people paste in place of a key, or along with it.

/// Whether a text only stands in for a key: a mask, a placeholder, or a variable that was not expanded.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let is_between = |open: &str, close: &str| text.starts_with(open) && text.ends_with(close);
    let is_word = || {
        ["redacted", "masked", "hidden", "changeme"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
    };
    let is_crossed_out = || {
        text.len() > 3
            && text
                .bytes()
                .all(|byte| matches!(byte, b'x' | b'X' | b'.' | b'-'))
    };
    text.contains(['*', '•', '●', '…'])
        || text.contains("...")
        || is_between("[", "]")
        || is_between("<", ">")
        || is_between("{{", "}}")
        || is_between("%", "%")
        || text.starts_with('$')
        || is_word()
        || is_crossed_out()
}

/// What stands around a key that was pasted with something else.
pub(super) fn extra(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let quotes = ['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»'];
    if text.starts_with(quotes) || text.ends_with(quotes) {
        return Some("quotes around it");
    }
    if has_name(text) {
        return Some("the name of a variable in front of it");
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    if first.len() < text.len()
        && ["bearer", "basic"].contains(&first.to_ascii_lowercase().as_str())
    {
        return Some("an authentication scheme in front of it");
    }
    text.contains(['|', ',', ';']).then_some(
        "something else joined to it by `|`, `,` or `;`, such as a region or another key",
    )
}

/// Whether it is `NAME=value` or `name: value`. Base64 padding does not count.
fn has_name(text: &str) -> bool {
    let Some((name, value)) = text.split_once(['=', ':']) else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    let words = [
        "secret",
        "access_key",
        "accesskey",
        "session_token",
        "sessiontoken",
        "bearer",
        "api_key",
        "apikey",
    ];
    let is_named = words.iter().any(|word| name.contains(word)) || name.trim() == "authorization";
    is_named && value.chars().any(|c| c != '=' && !c.is_whitespace())
}
