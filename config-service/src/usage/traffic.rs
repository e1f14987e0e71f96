//! What clients' requests show of the channels that served them.

use axum::http::StatusCode;
use bedrock_filter::health::Trouble;
use time::{Duration, OffsetDateTime};

use super::entry::COUNTERS;
use crate::health::{Event, Health, HealthSource};
use crate::store::Entry;

/// Tells what requests have shown.
pub(super) fn tell(entries: &[Entry], health: &Health) {
    for entry in entries {
        let subject = &entry.subject;
        // A channel that does not count tokens may answer very well.
        let is_chat = !subject.channel.is_empty() && !COUNTERS.contains(&&*subject.endpoint);
        if let Some(result) = result(entry).filter(|_| is_chat) {
            let event = Event {
                at: ended(entry),
                source: HealthSource::Traffic,
                result,
            };
            health.saw(&subject.channel, &subject.model, event);
        }
    }
}

/// How a request ended, as far as that says something about the channel.
fn result(entry: &Entry) -> Option<Result<(), String>> {
    let trouble = match &*entry.outcome {
        "answered" => return Some(Ok(())),
        "broken" => Trouble::Unavailable,
        "throttled" | "timed_out" | "failed" | "refused" => {
            let status = StatusCode::from_u16(entry.status).ok()?;
            Trouble::of(Some(&entry.code), status)?
        }
        _ => return None,
    };
    Some(Err(trouble.told().to_owned()))
}

fn ended(entry: &Entry) -> OffsetDateTime {
    let milliseconds = entry.at_ms.saturating_add(entry.duration_ms);
    let ended = OffsetDateTime::UNIX_EPOCH.checked_add(Duration::milliseconds(milliseconds));
    ended.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Place;
    use crate::store::Subject;

    /// What is known after a request: whether the channel is healthy, and why not.
    fn check(outcome: &str, (status, code): (u16, &str), expected: Option<(bool, &str)>) {
        let health = Health::default();
        let entry = Entry {
            outcome: outcome.to_owned(),
            status,
            code: code.to_owned(),
            subject: Subject {
                channel: "c".to_owned(),
                model: "m".to_owned(),
                ..Subject::default()
            },
            at_ms: 1_000,
            duration_ms: 500,
            ..Entry::default()
        };
        tell(&[entry], &health);
        let place = Place {
            id: "0",
            name: "c",
            edited: None,
        };
        let seen = health.of(place);
        let seen = seen.first();
        let told = seen.map(|own| (own.healthy, own.reason.as_deref().unwrap_or_default()));
        let fits = match (told, expected) {
            (Some((one, reason)), Some((other, part))) => one == other && reason.contains(part),
            (one, other) => one.is_none() && other.is_none(),
        };
        assert!(fits, "{outcome} {status} {code}: {told:?}");
        if let Some(own) = seen {
            let at = own.last_answered.as_ref().or(own.last_failed.as_ref());
            assert_eq!(at.unwrap(), "1970-01-01T00:00:01.5Z");
        }
    }

    #[test]
    fn only_what_the_channel_is_to_blame_for_makes_it_unhealthy() {
        check("answered", (0, ""), Some((true, "")));
        check("broken", (0, ""), Some((false, "broken")));
        check(
            "throttled",
            (429, "rate_limit_exceeded"),
            Some((false, "throttled")),
        );
        check("timed_out", (504, ""), Some((false, "no answer")));
        check(
            "failed",
            (502, "upstream_authentication_failed"),
            Some((false, "credentials")),
        );
        check(
            "refused",
            (404, "model_not_found"),
            Some((false, "does not serve")),
        );
        check("refused", (400, "invalid_request"), None);
        check("failed", (503, "overloaded"), None);
        check("cancelled", (0, ""), None);
        check("limited", (429, "rate_limit_exceeded"), None);
    }
}
