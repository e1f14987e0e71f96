//! How a client stands with its limits.
//!
//! <https://docs.claude.com/en/api/rate-limits#response-headers>

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::chat::{LimitKind, Standing};

/// The headers that tell a client how it stands with each of its limits.
pub(super) fn headers(
    standings: &[Standing],
    now: SystemTime,
    tell: &mut dyn FnMut(&'static str, String),
) {
    for own in standings {
        let [limit, remaining, reset] = names(own.kind);
        tell(limit, own.limit.to_string());
        if let Some(left) = own.remaining {
            tell(remaining, left.to_string());
        }
        if let Some(at) = own.reset.and_then(|after| time(now, after)) {
            tell(reset, at);
        }
    }
}

fn time(now: SystemTime, after: Duration) -> Option<String> {
    let seconds = OffsetDateTime::from(now.checked_add(after)?).replace_nanosecond(0);
    seconds.ok()?.format(&Rfc3339).ok()
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
        let mut told = Vec::new();
        headers(&[standing], now, &mut |name, value| {
            told.push((name, value));
        });
        let told: Vec<_> = told
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("anthropic-ratelimit-tokens-limit", "50000"),
                ("anthropic-ratelimit-tokens-remaining", "12"),
                ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:17Z"),
            ]
        );
    }
}
