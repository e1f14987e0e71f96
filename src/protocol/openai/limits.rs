//! How a client stands with its limits.
//!
//! <https://platform.openai.com/docs/guides/rate-limits>

use std::time::Duration;

use crate::chat::{LimitKind, Standing};

/// The headers that tell a client how it stands with each of its limits.
pub(in crate::protocol) fn headers(
    standings: &[Standing],
    tell: &mut dyn FnMut(&'static str, String),
) {
    for own in standings {
        let [limit, remaining, reset] = names(own.kind);
        tell(limit, own.limit.to_string());
        if let Some(left) = own.remaining {
            tell(remaining, left.to_string());
        }
        if let Some(after) = own.reset {
            tell(reset, duration(after));
        }
    }
}

fn names(kind: LimitKind) -> [&'static str; 3] {
    match kind {
        LimitKind::Requests => [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ],
        LimitKind::Tokens => [
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
        ],
    }
}

/// A duration as OpenAI writes it: `900ms`, `17s`, `1m0s`.
fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return duration.subsec_millis().to_string() + "ms";
    }
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    if seconds < 60 {
        return seconds.to_string() + "s";
    }
    format!("{}m{}s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_tokens_are_both_told() {
        let standings = [
            Standing {
                kind: LimitKind::Requests,
                limit: 600,
                remaining: Some(599),
                reset: Some(Duration::from_millis(100)),
            },
            Standing {
                kind: LimitKind::Tokens,
                limit: 50_000,
                remaining: None,
                reset: Some(Duration::from_millis(59_001)),
            },
        ];
        let mut told = Vec::new();
        headers(&standings, &mut |name, value| told.push((name, value)));
        let told: Vec<_> = told
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("x-ratelimit-limit-requests", "600"),
                ("x-ratelimit-remaining-requests", "599"),
                ("x-ratelimit-reset-requests", "100ms"),
                ("x-ratelimit-limit-tokens", "50000"),
                ("x-ratelimit-reset-tokens", "1m0s"),
            ]
        );
        assert_eq!(duration(Duration::from_millis(1_001)), "2s");
    }
}
