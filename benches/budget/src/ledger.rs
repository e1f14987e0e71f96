//! The budget file: one line for each exchange and figure, sorted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};

use crate::figures::{Cost, Figure, grouped};

const HEADING: &str = "\
# What the filter costs, counted in an interpreter; docs/PERFORMANCE.md says what the figures mean.
# `UPDATE_BUDGET=1 cargo xtask test budget` writes this file and the table there.
";

/// The form of every line that is not a comment.
const COLUMNS: &str = "expected `exchange figure number`";

/// First word of the line that names the compiler.
const COMPILER: &str = "compiler";

/// Figures by exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Commit of the compiler that compiled the module: another one generates different code from
    /// the same source.
    pub compiler: String,
    /// What every exchange costs.
    pub costs: BTreeMap<String, Cost>,
}

impl Ledger {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When a line is not valid; names the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut ledger = Self::default();
        for (index, line) in text.lines().enumerate() {
            ledger
                .parse_line(line)
                .with_context(|| format!("line {}: `{line}`", index + 1))?;
        }
        Ok(ledger)
    }

    fn parse_line(&mut self, line: &str) -> Result<()> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let words: Vec<_> = line.split_whitespace().collect();
        let (exchange, figure, number) = match words.as_slice() {
            [COMPILER, commit] => {
                self.compiler = (*commit).to_owned();
                return Ok(());
            }
            [exchange, figure, number] => (*exchange, *figure, *number),
            _ => bail!(COLUMNS),
        };
        let figure = Figure::named(figure).with_context(|| format!("no figure `{figure}`"))?;
        let number = number.replace(',', "").parse().context(COLUMNS)?;
        let cost = self.costs.entry(exchange.to_owned()).or_default();
        let earlier = cost.insert(figure, number);
        ensure!(earlier.is_none(), "twice");
        Ok(())
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{HEADING}\n{COMPILER} {}\n\n", self.compiler);
        let names = self.costs.keys().map(String::len);
        let width = names.max().unwrap_or_default();
        for (exchange, cost) in &self.costs {
            for (figure, number) in cost {
                let number = grouped(*number);
                // Writing to a `String` cannot fail.
                let _ = writeln!(
                    text,
                    "{exchange:width$}  {:12}  {number:>13}",
                    figure.name()
                );
            }
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_reads_what_it_wrote() {
        let cost = Cost::from([(Figure::Instructions, 1_234_567), (Figure::HostCalls, 9)]);
        let ledger = Ledger {
            compiler: "59807616e".to_owned(),
            costs: [("chat-1k".to_owned(), cost)].into(),
        };
        assert_eq!(Ledger::parse(&ledger.text()).unwrap(), ledger);
    }

    #[test]
    fn a_faulty_line_is_named() {
        for (text, expected) in [
            ("chat host-calls", "line 1: `chat host-calls`: expected"),
            (
                "\nchat seconds 3",
                "line 2: `chat seconds 3`: no figure `seconds`",
            ),
            (
                "chat host-calls 3.5",
                "line 1: `chat host-calls 3.5`: expected",
            ),
            (
                "chat host-calls 3\nchat host-calls 4",
                "line 2: `chat host-calls 4`: twice",
            ),
        ] {
            let error = format!("{:#}", Ledger::parse(text).unwrap_err());
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
