//! Names in which `*` stands for any text.

/// Whether a name fits a pattern. Takes time in proportion to the product of their lengths, whatever they are.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(start) else {
        return false;
    };
    let mut pieces: Vec<_> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        // The first place leaves the most for the pieces that follow.
        let Some((_, after)) = name.split_once(piece) else {
            return false;
        };
        name = after;
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("nova-pro", "nova-pro", true),
            ("nova-pro", "nova-pro-2", false),
            ("nova-*", "nova-", true),
            ("nova-*", "nova", false),
            ("*", "", true),
            ("**", "x", true),
            ("*-pro", "nova-pro", true),
            ("*-pro", "nova-pro-2", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*b*", "abc", true),
            ("a*bb*b", "abbb", true),
            ("a*bb*b", "abb", false),
            ("Nova*", "nova-pro", false),
            ("é*", "é-x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
