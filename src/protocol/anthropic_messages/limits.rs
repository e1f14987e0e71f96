//! How a client stands with its limits.
//!
//! <https://docs.claude.com/en/api/rate-limits#response-headers>

use std::time::SystemTime;

use http::{HeaderName, HeaderValue};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::chat::{LimitKind, Standing};

/// The headers that tell a client how it stands with each of its limits.
pub(super) fn headers(standings: &[Standing], now: SystemTime) -> Vec<(HeaderName, HeaderValue)> {
    let all = standings.iter().flat_map(|own| {
        let [limit, remaining, reset] = names(own.kind);
        let at = own.reset.and_then(|after| {
            let seconds = OffsetDateTime::from(now.checked_add(after)?).replace_nanosecond(0);
            seconds.ok()?.format(&Rfc3339).ok()
        });
        [
            Some((limit, own.limit.to_string())),
            own.remaining.map(|left| (remaining, left.to_string())),
            at.map(|at| (reset, at)),
        ]
    });
    let all = all.flatten().filter_map(|(name, value)| {
        let value = HeaderValue::try_from(value).ok()?;
        Some((HeaderName::from_static(name), value))
    });
    all.collect()
}

fn names(kind: LimitKind) -> [&'static str; 3] {
    match kind {
        LimitKind::Requests => [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
        LimitKind::Tokens => [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_limit_is_told_with_the_time_of_its_reset() {
        let standing = Standing {
            kind: LimitKind::Tokens,
            limit: 50_000,
            remaining: Some(12),
            reset: Some(Duration::from_millis(17_500)),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let headers = headers(&[standing], now);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            headers,
            [
                ("anthropic-ratelimit-tokens-limit", "50000"),
                ("anthropic-ratelimit-tokens-remaining", "12"),
                ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:17Z"),
            ]
        );
    }
}
