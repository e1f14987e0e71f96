//! How a client stands with its limits.
//!
//! <https://platform.openai.com/docs/guides/rate-limits>

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::chat::{LimitKind, Standing};

/// The headers of a limit, and the same of the other.
const HEADERS: [[&str; 3]; 2] = [
    [
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ],
    [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ],
];

/// The headers that tell a client how it stands with each of its limits.
pub(in crate::protocol) fn headers(standings: &[Standing]) -> Vec<(HeaderName, HeaderValue)> {
    let all = standings.iter().flat_map(|own| {
        let [requests, tokens] = HEADERS;
        let [limit, remaining, reset] = match own.kind {
            LimitKind::Requests => requests,
            LimitKind::Tokens => tokens,
        };
        [
            Some((limit, own.limit.to_string())),
            own.remaining.map(|left| (remaining, left.to_string())),
            own.reset.map(|after| (reset, duration(after))),
        ]
    });
    let all = all.flatten().filter_map(|(name, value)| {
        let value = HeaderValue::try_from(value).ok()?;
        Some((HeaderName::from_static(name), value))
    });
    all.collect()
}

/// A duration as OpenAI writes it: `900ms`, `17s`, `1m0s`.
fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{}ms", duration.as_millis());
    }
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    if seconds < 60 {
        return format!("{seconds}s");
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
        let headers = headers(&standings);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            headers,
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
