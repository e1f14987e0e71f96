//! What is counted.

use std::collections::BTreeMap;
use std::fmt;

/// One kind of cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Executed Wasm operators: loads, stores, arithmetic, branches and calls, but not those that only name
    /// a value (`local.get`, `i32.const`) or structure the code (`block`, `end`).
    Instructions,
    /// Bytes moved by `memory.copy`, `memory.fill` and `memory.init`, each of which is one operator,
    /// however long.
    CopiedBytes,
    /// Calls to Envoy's functions.
    HostCalls,
    /// Bytes that Envoy wrote into the module's memory.
    BytesIn,
    /// Bytes that Envoy read from the module's memory.
    BytesOut,
    /// The largest size of linear memory, in bytes. It never shrinks.
    MemoryBytes,
    /// Size of the module's file, in bytes.
    SizeBytes,
}

impl Figure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Instructions,
        Self::CopiedBytes,
        Self::HostCalls,
        Self::BytesIn,
        Self::BytesOut,
        Self::MemoryBytes,
        Self::SizeBytes,
    ];

    /// Its name in the budget file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::CopiedBytes => "copied-bytes",
            Self::HostCalls => "host-calls",
            Self::BytesIn => "bytes-in",
            Self::BytesOut => "bytes-out",
            Self::MemoryBytes => "memory-bytes",
            Self::SizeBytes => "size-bytes",
        }
    }

    /// Whether it depends on the compiler, not only on the source.
    #[must_use]
    pub fn is_by_compiler(self) -> bool {
        match self {
            Self::Instructions | Self::CopiedBytes | Self::MemoryBytes | Self::SizeBytes => true,
            Self::HostCalls | Self::BytesIn | Self::BytesOut => false,
        }
    }

    /// The figure with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The figures of one exchange.
pub type Cost = BTreeMap<Figure, u64>;

/// A number with thousands separated by commas.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567];
        let texts = numbers.map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn names_lead_back_to_their_figures() {
        for figure in Figure::ALL {
            assert_eq!(Figure::named(figure.name()), Some(figure));
        }
        assert_eq!(Figure::named("seconds"), None);
    }
}
