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

    /// The cost of a request on a service tier.
    pub(super) fn cost(&self, tier: &str, counts: &Counts) -> Option<NanoDollars> {
        let suffix = self.suffix(tier, counts)?;
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
            let cost = u128::from(count).checked_mul(self.rate(name, &suffix)?)?;
            trillionths = trillionths.checked_add(cost)?;
        }
        let rounded = trillionths.checked_add(500)? / 1_000;
        u64::try_from(rounded).ok().map(NanoDollars)
    }

    /// What is added to the names of the rates that apply.
    fn suffix(&self, tier: &str, counts: &Counts) -> Option<String> {
        let tier = match tier {
            "" | "default" | "standard" | "auto" => String::new(),
            "flex" | "priority" | "batch" => format!("_{tier}"),
            _ => return None,
        };
        let prompt = counts
            .input
            .saturating_add(counts.cache_read)
            .saturating_add(counts.cache_write_5m)
            .saturating_add(counts.cache_write_1h);
        let step = self.steps.iter().find(|(from, _)| prompt > *from);
        match step {
            None => Some(tier),
            Some((_, step)) if tier.is_empty() => Some(step.clone()),
            // No table says what a long prompt costs on another tier.
            Some(_) => None,
        }
    }

    /// A rate. What caches cost on another tier, or in a long prompt, is in no table: it keeps its ratio to the input,
    /// as vendors say (<https://docs.claude.com/en/docs/about-claude/pricing>).
    fn rate(&self, name: &str, suffix: &str) -> Option<u128> {
        let get = |name: &str| self.rates.get(name).copied().map(u128::from);
        if let Some(own) = get(&format!("{name}{suffix}")) {
            return Some(own);
        }
        let is_cache = name.starts_with("cache_");
        if !is_cache || suffix.is_empty() {
            return None;
        }
        let (usual, input) = (get(name)?, get("input").filter(|rate| *rate > 0)?);
        Some(usual * get(&format!("input{suffix}"))? / input)
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
