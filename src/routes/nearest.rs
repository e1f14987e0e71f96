//! Names similar to one that no channel serves: most such names are misspelt, or spelt as for another gateway.

/// Most names that are compared, and most that are similar: a request for a name that does not exist must not cost
/// more than others.
const MAX_NAMES: usize = 1_000;
const MAX_NEAR: usize = 16;

/// Longest name that is compared, in bytes; no model has a longer one.
const MAX_LEN: usize = 100;

/// Shortest name that counts when it is part of another.
const MIN_PART: usize = 4;

/// Names that can be suggested, ready to be compared.
#[derive(Debug)]
pub(super) struct Suggestions(Vec<Suggestion>);

#[derive(Debug)]
struct Suggestion {
    letters: Vec<u8>,
    name: String,
}

impl Suggestions {
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().take(MAX_NAMES).map(|name| Suggestion {
            letters: letters(name),
            name: name.to_owned(),
        });
        Self(names.collect())
    }

    /// The names that are similar to another, the most similar first.
    pub(super) fn nearest(&self, asked: &str) -> impl Iterator<Item = &str> {
        let asked = letters(asked);
        let near = self.0.iter().filter_map(|own| {
            let distance = distance(&asked, &own.letters)?;
            Some((distance, own.name.as_str()))
        });
        let mut near: Vec<_> = near.collect();
        near.sort_unstable();
        near.into_iter().take(MAX_NEAR).map(|(_, name)| name)
    }
}

/// The characters that distinguish a name: gateways put a vendor in front, and write versions with points, dashes or
/// blanks.
fn letters(name: &str) -> Vec<u8> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let Some(name) = Some(name).filter(|name| name.len() <= MAX_LEN) else {
        return Vec::new();
    };
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|byte| byte.to_ascii_lowercase()).collect()
}

/// How many letters differ; `None` if it is a different name altogether.
fn distance(asked: &[u8], name: &[u8]) -> Option<usize> {
    if asked.is_empty() {
        return None;
    }
    let most = asked.len().max(name.len()) / 3;
    let may_be_like = asked.first() == name.first() && asked.len().abs_diff(name.len()) <= most;
    let is_like = || may_be_like && edits(asked, name) <= most;
    (is_like() || is_part(asked, name) || is_part(name, asked)).then(|| edits(asked, name))
}

fn is_part(part: &[u8], whole: &[u8]) -> bool {
    part.len() >= MIN_PART && whole.windows(part.len()).any(|window| window == part)
}

/// The Levenshtein distance.
fn edits(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, own) in from.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (above, other) in row.iter().skip(1).zip(to) {
            let changed = diagonal + usize::from(own != other);
            diagonal = *above;
            left = changed.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "claude-haiku-4-5",
        "claude-opus-4-8",
        "claude-sonnet-4-5",
        "gpt-4o",
        "llama3-3-70b-instruct",
        "nova-pro",
    ];

    #[track_caller]
    fn check(asked: &str, first: Option<&str>) {
        let known = Suggestions::of(NAMES);
        let near: Vec<_> = known.nearest(asked).collect();
        assert_eq!(near.first().copied(), first, "{asked}: {near:?}");
    }

    #[test]
    fn a_misspelt_name_is_recognised() {
        for (asked, first) in [
            ("claude-sonet-4-5", "claude-sonnet-4-5"),
            ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
            ("Claude Sonnet 4.5", "claude-sonnet-4-5"),
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
            ("sonnet", "claude-sonnet-4-5"),
            ("gpt-4", "gpt-4o"),
            ("amazon.nova-pro-v1:0", "nova-pro"),
            ("llama-3.3-70b", "llama3-3-70b-instruct"),
        ] {
            check(asked, Some(first));
        }
    }

    #[test]
    fn another_name_altogether_suggests_nothing() {
        let long = "claude-sonnet-4-5".repeat(20);
        for asked in ["", "/", "o1", "whisper-large", "no-such-model", &long] {
            check(asked, None);
        }
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(edits(from.as_bytes(), to.as_bytes()), count, "{from} {to}");
        }
    }
}
