//! JSON as people read it.

/// Indents JSON and keeps everything else, keys' order included, as it is.
pub(crate) fn pretty(body: &[u8]) -> String {
    let text = String::from_utf8(body.to_vec()).unwrap();
    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
        return text;
    }
    let mut out = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        let new_line = |depth: usize| format!("\n{}", "  ".repeat(depth));
        match c {
            '{' | '[' if chars.next_if(|next| matches!(next, '}' | ']')).is_some() => {
                out.push_str(if c == '{' { "{}" } else { "[]" });
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                out.push_str(&new_line(depth));
            }
            '}' | ']' => {
                depth -= 1;
                out.push_str(&new_line(depth));
                out.push(c);
            }
            ',' => {
                out.push(c);
                out.push_str(&new_line(depth));
            }
            ':' => out.push_str(": "),
            '"' => {
                in_string = true;
                out.push(c);
            }
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}
