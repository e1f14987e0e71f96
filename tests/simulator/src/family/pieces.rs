//! How texts and arguments are cut into the pieces of a stream.

/// Bytes of tool input per event.
pub(crate) const JSON_PIECE: usize = 7;
/// Upper bound of a text piece, for texts without spaces.
const TEXT_PIECE: usize = 1000;

/// Word by word, spaces included.
pub(crate) fn of_text(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
        .flat_map(|word| of(word, TEXT_PIECE))
}

/// Cuts at character boundaries, near every `size` bytes.
pub(crate) fn of(text: &str, size: usize) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let end = (size.min(rest.len())..=rest.len()).find(|end| rest.is_char_boundary(*end));
        let (piece, tail) = rest.split_at(end.unwrap_or(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_never_split_a_character() {
        for size in 1..9 {
            let text = "{\"stadt\":\"Köln 🌧\"}";
            assert_eq!(of(text, size).concat(), text, "{size}");
        }
    }
}
