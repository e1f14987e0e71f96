//! What Envoy's rate limit filter says.
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rate_limit_filter>

use std::time::Duration;

use crate::chat::{LimitKind, Standing};

/// The details of its reply if a limit is exceeded.
pub(super) const OVER_LIMIT: &[u8] = b"request_rate_limited";

/// The details of its reply if the service does not answer, where that is to end requests.
pub(super) const NO_ANSWER: &[u8] = b"rate_limiter_error";

/// How a caller stands with its limits, by the headers of an answer.
///
/// The config-service tells about each limit in the headers of OpenAI's API. `envoyproxy/ratelimit` cannot; there the
/// headers that Envoy makes have all limits, but of what is left only that of the nearest.
pub(super) fn standings<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Vec<Standing> {
    let kinds = [LimitKind::Requests, LimitKind::Tokens];
    let exact: Vec<_> = kinds
        .into_iter()
        .filter_map(|kind| told(kind, &header))
        .collect();
    if exact.is_empty() {
        return nearest(&header).unwrap_or_default();
    }
    exact
}

fn told<'h>(kind: LimitKind, header: &impl Fn(&str) -> Option<&'h str>) -> Option<Standing> {
    let value = |what: &str| header(&format!("x-ratelimit-{what}-{}", kind.unit()));
    Some(Standing {
        kind,
        limit: value("limit")?.parse().ok()?,
        remaining: value("remaining").and_then(|text| text.parse().ok()),
        reset: value("reset").and_then(duration),
    })
}

/// `x-ratelimit-limit: 3, 3;w=60;name="rpm", 100;w=60;name="tpm"`: the nearest limit, then all of them.
fn nearest<'h>(header: &impl Fn(&str) -> Option<&'h str>) -> Option<Vec<Standing>> {
    let mut parts = header("x-ratelimit-limit")?.split(',').map(str::trim);
    let nearest: u32 = parts.next()?.parse().ok()?;
    let remaining = header("x-ratelimit-remaining").and_then(|text| text.parse().ok());
    let reset = header("x-ratelimit-reset").and_then(|text| text.parse().ok());
    let mut standings: Vec<_> = parts.filter_map(limit).collect();
    if let Some(own) = standings.iter_mut().find(|own| own.limit == nearest) {
        own.remaining = remaining;
        own.reset = reset.map(Duration::from_secs);
    }
    Some(standings)
}

/// `100;w=60;name="tpm"`.
fn limit(part: &str) -> Option<Standing> {
    let mut fields = part.split(';').map(str::trim);
    let limit = fields.next()?.parse().ok()?;
    let kind = match fields.find_map(|field| field.strip_prefix("name="))? {
        "\"rpm\"" => LimitKind::Requests,
        "\"tpm\"" => LimitKind::Tokens,
        _ => return None,
    };
    Some(Standing {
        kind,
        limit,
        remaining: None,
        reset: None,
    })
}

/// `900ms`, `17s` or `1m0s`.
fn duration(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    let text = text.strip_suffix('s')?;
    let (minutes, seconds) = text.split_once('m').unwrap_or(("0", text));
    let (minutes, seconds): (u64, u64) = (minutes.parse().ok()?, seconds.parse().ok()?);
    Some(Duration::from_secs(
        minutes.checked_mul(60)?.checked_add(seconds)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &'static str)]) -> Vec<Standing> {
        let headers: Vec<_> = headers.to_vec();
        standings(|name| {
            headers
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| *value)
        })
    }

    fn standing(kind: LimitKind, limit: u32, left: Option<(u32, u64)>) -> Standing {
        Standing {
            kind,
            limit,
            remaining: left.map(|(remaining, _)| remaining),
            reset: left.map(|(_, millis)| Duration::from_millis(millis)),
        }
    }

    #[test]
    fn the_config_service_tells_about_each_limit() {
        let headers = [
            ("x-ratelimit-limit", "3, 3;w=60;name=\"rpm\""),
            ("x-ratelimit-limit-requests", "3"),
            ("x-ratelimit-remaining-requests", "2"),
            ("x-ratelimit-reset-requests", "900ms"),
            ("x-ratelimit-limit-tokens", "100"),
            ("x-ratelimit-remaining-tokens", "70"),
            ("x-ratelimit-reset-tokens", "1m5s"),
        ];
        let expected = [
            standing(LimitKind::Requests, 3, Some((2, 900))),
            standing(LimitKind::Tokens, 100, Some((70, 65_000))),
        ];
        assert_eq!(read(&headers), expected);
    }

    #[test]
    fn envoys_own_headers_tell_about_the_nearest() {
        let limits = "100, 3;w=60;name=\"rpm\", 100;w=60;name=\"tpm\"";
        let headers = [
            ("x-ratelimit-limit", limits),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "17"),
        ];
        let expected = [
            standing(LimitKind::Requests, 3, None),
            standing(LimitKind::Tokens, 100, Some((7, 17_000))),
        ];
        assert_eq!(read(&headers), expected);
    }

    #[test]
    fn what_is_no_limit_is_not_told() {
        assert_eq!(read(&[]), []);
        assert_eq!(read(&[("x-ratelimit-limit", "many")]), []);
        assert_eq!(
            read(&[("x-ratelimit-limit", "3, 3;w=60;name=\"other\", 3")]),
            []
        );
        assert_eq!(read(&[("x-ratelimit-limit-requests", "-1")]), []);
    }
}
