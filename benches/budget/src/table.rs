//! The figures as a Markdown table, in `docs/PERFORMANCE.md`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use crate::figures::{Cost, Figure, grouped};
use crate::ledger::Ledger;

const BEGIN: &str = "<!-- Written by UPDATE_BUDGET=1 cargo xtask test budget -->\n";
const END: &str = "<!-- Up to here -->\n";

/// A document with a ledger's table in the marked place.
///
/// # Errors
///
/// When the document has no marked place.
pub fn within(document: &str, ledger: &Ledger) -> Result<String> {
    let parts = document.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| format!("no `{BEGIN}` and `{END}`"))?;
    let table = markdown(ledger);
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

/// One row for each exchange; single figures follow as a sentence.
fn markdown(ledger: &Ledger) -> String {
    let is_row = |cost: &Cost| !cost.contains_key(&Figure::SizeBytes);
    let columns = Figure::ALL.map(|figure| (figure, figure != Figure::SizeBytes));
    let columns: Vec<_> = columns
        .iter()
        .filter(|(_, shown)| *shown)
        .map(|(own, _)| *own)
        .collect();
    let mut text = String::from("| exchange |");
    for figure in &columns {
        // Writing to a `String` cannot fail.
        let _ = write!(text, " {figure} |");
    }
    let _ = writeln!(text, "\n|---|{}", "---:|".repeat(columns.len()));
    for (exchange, cost) in ledger.costs.iter().filter(|(_, cost)| is_row(cost)) {
        let _ = write!(text, "| `{exchange}` |");
        for figure in &columns {
            let number = cost.get(figure).copied().map(grouped);
            let _ = write!(text, " {} |", number.unwrap_or_default());
        }
        text.push('\n');
    }
    for size in ledger
        .costs
        .values()
        .filter_map(|cost| cost.get(&Figure::SizeBytes))
    {
        let _ = writeln!(text, "\nThe module has {} bytes.", grouped(*size));
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_only_its_marked_place() {
        let lines = "chat instructions 1000\nchat host-calls 7\nmodule size-bytes 2000";
        let ledger = Ledger::parse(lines).unwrap();
        let document = format!("before\n{BEGIN}old\n{END}after\n");
        let document = within(&document, &ledger).unwrap();
        assert!(document.starts_with("before\n<!--"), "{document}");
        assert!(document.contains("| `chat` | 1,000 |  | 7 |"), "{document}");
        assert!(
            document.contains("The module has 2,000 bytes."),
            "{document}"
        );
        assert!(document.ends_with("-->\nafter\n"), "{document}");
        assert_eq!(within(&document, &ledger).unwrap(), document);
        assert!(within("no marks", &ledger).is_err());
    }
}
