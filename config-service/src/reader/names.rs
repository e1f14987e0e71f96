//! Unknown field names, and repeated ones.

use crate::fault::Fault;

/// The fault for a field that does not exist, with the likely spelling.
pub(crate) fn unknown(name: &str, at: &str, known: &[&str]) -> Fault {
    let message = match nearest(name, known) {
        Some(likely) => format!("there is no such field; did you mean `{likely}`?"),
        None => format!(
            "there is no such field; expected one of {}",
            known.join(", ")
        ),
    };
    Fault::new(at, "unknown_field", message)
}

/// The fault for a field that appears more than once.
pub(crate) fn duplicate(at: &str) -> Fault {
    let message = "the field appears more than once; keep one of them";
    Fault::new(at, "duplicate_field", message)
}

/// The known name with the smallest edit distance, if it is small enough to be a typo.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let closest = known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .min()?;
    (closest.0 <= 1 + closest.1.len() / 4).then_some(closest.1)
}

/// Levenshtein distance in bytes; inputs are cut at 64 bytes.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let changed = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = changed.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}
