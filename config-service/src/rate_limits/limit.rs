//! The limits that Envoys ask about.

use bedrock_filter::chat::LimitKind;

/// Longest name of a caller, in bytes.
pub const MAX_CALLER_LEN: usize = 256;

const KINDS: [LimitKind; 2] = [LimitKind::Requests, LimitKind::Tokens];

/// The name of a kind of limit in descriptors, and in the rules of `envoyproxy/ratelimit`.
#[must_use]
pub const fn key(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Requests => "rpm",
        LimitKind::Tokens => "tpm",
    }
}

/// What a caller gets if its limit cannot be read: little, but never no limit at all.
const fn fallback(kind: LimitKind) -> u32 {
    match kind {
        LimitKind::Requests => 60,
        LimitKind::Tokens => 10_000,
    }
}

/// A caller's limit, as a descriptor has it: `rpm=600, caller=team-a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<'d> {
    /// What is counted.
    pub kind: LimitKind,
    /// How much is allowed in a minute.
    pub per_minute: u32,
    /// Whose limit it is.
    pub caller: &'d str,
}

impl<'d> Limit<'d> {
    /// The limit in the entries of a descriptor; `None` if they name something else.
    #[must_use]
    pub fn of_entries(entries: &[(&'d str, &'d str)]) -> Option<Self> {
        let [(name, value), ("caller", caller)] = entries else {
            return None;
        };
        let kind = KINDS.into_iter().find(|own| key(*own) == *name)?;
        Some(Self {
            kind,
            per_minute: value.parse().unwrap_or_else(|_| fallback(kind)),
            caller,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_says_the_limit() {
        let limit = |kind, per_minute| {
            Some(Limit {
                kind,
                per_minute,
                caller: "a",
            })
        };
        let cases = [
            ("rpm", "600", limit(LimitKind::Requests, 600)),
            ("rpm", "0", limit(LimitKind::Requests, 0)),
            ("tpm", "4294967295", limit(LimitKind::Tokens, u32::MAX)),
            // Never unlimited.
            ("rpm", "4294967296", limit(LimitKind::Requests, 60)),
            ("rpm", "-1", limit(LimitKind::Requests, 60)),
            ("tpm", "", limit(LimitKind::Tokens, 10_000)),
            ("rps", "1", None),
        ];
        for (key, value, expected) in cases {
            let entries = [(key, value), ("caller", "a")];
            assert_eq!(Limit::of_entries(&entries), expected, "{key}={value}");
        }
        assert_eq!(Limit::of_entries(&[("rpm", "600")]), None);
        assert_eq!(Limit::of_entries(&[("caller", "a"), ("rpm", "600")]), None);
        let three = [("rpm", "600"), ("caller", "a"), ("model", "m")];
        assert_eq!(Limit::of_entries(&three), None);
    }
}
