//! From token counts to money.

use std::collections::BTreeMap;
use std::fmt;

/// Rates of an entry, in millionths of a US dollar for a million tokens, by name: `input`, `output_flex`, …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rates {
    rates: BTreeMap<String, u64>,
    /// From how many input tokens other rates apply to the whole request, the largest first.
    steps: Vec<(u64, String)>,
}

/// Money, in billionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NanoDollars(pub u64);

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Input that was neither read from a cache nor written to one.
    pub input: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// Input read from a cache.
    pub cache_read: u64,
    /// Input written to a cache for five minutes.
    pub cache_write_5m: u64,
    /// Input written to a cache for an hour.
    pub cache_write_1h: u64,
}

impl Rates {
    pub(super) fn new(rates: BTreeMap<String, u64>) -> Self {
        let thousands = |name: &str| {
            let step = name.strip_prefix("input_")?;
            let number = step.strip_prefix("over_")?.strip_suffix('k')?;
            Some((number.parse::<u64>().ok()? * 1_000, format!("_{step}")))
        };
        let mut steps: Vec<_> = rates.keys().filter_map(|name| thousands(name)).collect();
        steps.sort_unstable_by(|one, other| other.cmp(one));
        Self { rates, steps }
    }

    /// Each in US dollars for a million tokens.
    pub(super) fn dollars(&self) -> BTreeMap<String, f64> {
        let rates = self.rates.iter();
        let dollars = rates.map(|(name, millionths)| (name.clone(), *millionths as f64 / 1e6));
        dollars.collect()
    }

    /// The cost of a request on a service tier. Where the tier, a long prompt or a cache has no rate of its own, the usual
    /// one counts: an estimate, so that nothing that a client may ask for makes a request free.
    pub(super) fn cost(&self, tier: &str, counts: &Counts) -> Option<NanoDollars> {
        let suffixes = self.suffixes(tier, counts);
        let parts = [
            ("input", counts.input),
            ("output", counts.output),
            ("cache_read", counts.cache_read),
            ("cache_write_5m", counts.cache_write_5m),
            ("cache_write_1h", counts.cache_write_1h),
        ];
        // A rate in millionths of a dollar for a million tokens is one in trillionths for each.
        let mut trillionths: u128 = 0;
        for (name, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
            let cost = u128::from(count).checked_mul(self.rate(name, &suffixes)?)?;
            trillionths = trillionths.checked_add(cost)?;
        }
        let rounded = trillionths.checked_add(500)? / 1_000;
        u64::try_from(rounded).ok().map(NanoDollars)
    }

    /// What is added to the names of the rates that apply: for a tier, and for a long prompt.
    fn suffixes(&self, tier: &str, counts: &Counts) -> Vec<String> {
        let tier = matches!(tier, "flex" | "priority" | "batch").then(|| format!("_{tier}"));
        let prompt = counts
            .input
            .saturating_add(counts.cache_read)
            .saturating_add(counts.cache_write_5m)
            .saturating_add(counts.cache_write_1h);
        let step = self.steps.iter().find(|(from, _)| prompt > *from);
        let step = step.map(|(_, step)| step.clone());
        tier.into_iter().chain(step).collect()
    }

    /// A rate. No table says what a long prompt costs on another tier, so that the higher of the two counts.
    fn rate(&self, name: &str, suffixes: &[String]) -> Option<u128> {
        let own = suffixes.iter().filter_map(|own| self.special(name, own));
        own.max().or_else(|| self.usual(name))
    }

    /// The rate of a tier or of long prompts. What caches cost there is in no table: it keeps its ratio to the input, as
    /// vendors say (<https://docs.claude.com/en/docs/about-claude/pricing>).
    fn special(&self, name: &str, suffix: &str) -> Option<u128> {
        if let Some(own) = self.get(&format!("{name}{suffix}")) {
            return Some(own);
        }
        if !name.starts_with("cache_") {
            return None;
        }
        let input = self.get("input").filter(|rate| *rate > 0)?;
        Some(self.usual(name)? * self.get(&format!("input{suffix}"))? / input)
    }

    /// The usual rate. What a cache has costs what other input does, unless there is a rate for it.
    fn usual(&self, name: &str) -> Option<u128> {
        let instead: &[&str] = match name {
            "cache_write_1h" => &["cache_write_5m", "input"],
            "cache_read" | "cache_write_5m" => &["input"],
            _ => &[],
        };
        let own = self.get(name);
        own.or_else(|| instead.iter().find_map(|name| self.get(name)))
    }

    fn get(&self, name: &str) -> Option<u128> {
        self.rates.get(name).copied().map(u128::from)
    }
}

impl NanoDollars {
    /// In dollars, for people.
    #[must_use]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for NanoDollars {
    /// In dollars, without zeros at the end: `0.0123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, rest) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let text = format!("{dollars}.{rest:09}");
        let text = text.trim_end_matches('0');
        f.write_str(text.strip_suffix('.').unwrap_or(text))
    }
}
