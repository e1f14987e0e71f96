//! Compares figures, and describes what changed.

use std::fmt;

use crate::figures::{Figure, grouped};
use crate::ledger::Ledger;

/// By how many per cent a figure may change before it is reported.
const TOLERANCE: u64 = 2;

/// The same for figures that depend on the compiler, when it is not the one named in the
/// file.
const TOLERANCE_OF_ANOTHER_COMPILER: u64 = 10;

/// The command that rewrites the file.
const REMEDY: &str = "UPDATE_BUDGET=1 cargo xtask test budget";

/// One figure that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    exchange: String,
    figure: Figure,
    before: u64,
    after: u64,
}

/// The counted figures, compared with those in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    risen: Vec<Change>,
    fallen: Vec<Change>,
    /// Exchanges and figures that are only on one side.
    unmatched: Vec<String>,
    /// The compilers of the file and of the module, if they differ.
    compilers: Option<[String; 2]>,
}

impl Comparison {
    /// Compares the file with the counted figures.
    #[must_use]
    pub fn new(file: &Ledger, counted: &Ledger) -> Self {
        let compilers = [&file.compiler, &counted.compiler];
        let mut comparison = Self {
            risen: Vec::new(),
            fallen: Vec::new(),
            unmatched: unmatched(counted, file, "is not in the file"),
            compilers: (file.compiler != counted.compiler).then(|| compilers.map(String::clone)),
        };
        comparison
            .unmatched
            .extend(unmatched(file, counted, "was not counted"));
        for (exchange, cost) in &counted.costs {
            for (&figure, &after) in cost {
                if let Some(&before) = file.costs.get(exchange).and_then(|cost| cost.get(&figure)) {
                    comparison.add(Change {
                        exchange: exchange.clone(),
                        figure,
                        before,
                        after,
                    });
                }
            }
        }
        comparison
    }

    fn add(&mut self, change: Change) {
        let by_compiler = self.compilers.is_some() && change.figure.is_by_compiler();
        let tolerance = if by_compiler {
            TOLERANCE_OF_ANOTHER_COMPILER
        } else {
            TOLERANCE
        };
        if change.after * 100 > change.before * (100 + tolerance) {
            self.risen.push(change);
        } else if change.after * 100 < change.before * (100 - tolerance) {
            self.fallen.push(change);
        }
    }

    /// Why the test fails; `None` if it does not.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        if self.risen.is_empty() && self.unmatched.is_empty() {
            return None;
        }
        let changes = self.risen.iter().map(ToString::to_string);
        let lines: Vec<_> = changes.chain(self.unmatched.iter().cloned()).collect();
        let compilers = self.compilers.iter().map(|[file, module]| {
            format!(
                "\nthe file's figures are for a module compiled by rustc {file}, but this one was \
                 compiled by rustc {module} (`rustc -vV`, commit-hash); with that compiler they \
                 may be unchanged"
            )
        });
        Some(format!(
            "the filter costs more than benches/budget/budget.txt allows:\n  {}{}\nmake it cheaper \
             or, if the cost is worth it, run `{REMEDY}` and review the diff",
            lines.join("\n  "),
            compilers.collect::<String>()
        ))
    }

    /// A note that may be shown although the test passes.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if self.fallen.is_empty() {
            return None;
        }
        let lines: Vec<_> = self.fallen.iter().map(ToString::to_string).collect();
        Some(format!(
            "the filter costs less than benches/budget/budget.txt says; run `{REMEDY}` to hold it \
             to that:\n  {}",
            lines.join("\n  ")
        ))
    }
}

/// What one ledger has and the other lacks.
fn unmatched(one: &Ledger, other: &Ledger, what: &str) -> Vec<String> {
    let figures = one.costs.iter().flat_map(|(exchange, cost)| {
        let other = other.costs.get(exchange);
        let missing = cost
            .keys()
            .filter(move |figure| other.is_none_or(|other| !other.contains_key(*figure)));
        missing.map(move |figure| format!("{exchange}: {figure} {what}"))
    });
    figures.collect()
}

impl fmt::Display for Change {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a percentage is shown with one decimal"
    )]
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            exchange,
            figure,
            before,
            after,
        } = self;
        let percent = (*after as f64 / *before as f64 - 1.0) * 100.0;
        write!(
            formatter,
            "{exchange}: {figure} {} -> {} ({percent:+.1} %)",
            grouped(*before),
            grouped(*after)
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn ledger(compiler: &str, lines: &str) -> Ledger {
        Ledger::parse(&format!("compiler {compiler}\n{lines}")).unwrap()
    }

    fn compare(before: &str, after: &str) -> Comparison {
        Comparison::new(&ledger("a", before), &ledger("a", after))
    }

    #[test]
    fn two_per_cent_are_tolerated_and_more_is_not() {
        assert_eq!(
            compare("chat host-calls 100", "chat host-calls 102").failure(),
            None
        );
        let failure = compare("chat host-calls 100", "chat host-calls 103").failure();
        let failure = failure.unwrap();
        assert!(
            failure.contains("chat: host-calls 100 -> 103 (+3.0 %)"),
            "{failure}"
        );
        assert!(failure.contains("UPDATE_BUDGET=1"), "{failure}");
        assert!(!failure.contains("rustc"), "{failure}");
    }

    #[test]
    fn a_lower_figure_is_a_hint_and_not_a_failure() {
        let comparison = compare("chat host-calls 1000", "chat host-calls 900");
        assert_eq!(comparison.failure(), None);
        let hint = comparison.hint().unwrap();
        assert!(
            hint.contains("chat: host-calls 1,000 -> 900 (-10.0 %)"),
            "{hint}"
        );
        assert_eq!(
            compare("chat host-calls 1000", "chat host-calls 980").hint(),
            None
        );
    }

    #[test]
    fn nothing_may_be_missing_on_either_side() {
        let failure = compare("chat host-calls 1", "chat bytes-in 1")
            .failure()
            .unwrap();
        assert!(
            failure.contains("chat: bytes-in is not in the file"),
            "{failure}"
        );
        assert!(
            failure.contains("chat: host-calls was not counted"),
            "{failure}"
        );
    }

    #[test]
    fn another_compiler_is_named_and_allowed_more_where_it_matters() {
        let file = ledger("a", "chat instructions 100\nchat host-calls 100");
        let check = |lines| Comparison::new(&file, &ledger("b", lines)).failure();
        assert_eq!(check("chat instructions 110\nchat host-calls 100"), None);
        let failure = check("chat instructions 110\nchat host-calls 103").unwrap();
        assert!(failure.contains("host-calls"), "{failure}");
        assert!(!failure.contains("instructions"), "{failure}");
        assert!(
            failure.contains("rustc a") && failure.contains("rustc b"),
            "{failure}"
        );
        assert!(check("chat instructions 111\nchat host-calls 100").is_some());
    }
}
