//! Permitted and forbidden answers.

use reqwest::header::HeaderMap;
use serde_json::json;

use super::super::Name;
use super::*;

const WORDS: &str = "word-1-of-mine and more";

fn attempt(fault: Option<Fault>) -> Attempt {
    Attempt {
        region: Name::A,
        fault,
        refused: false,
    }
}

fn reply(status: u16, text: String) -> Result<Reply, String> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    Ok(Reply {
        status,
        headers,
        text,
        is_cut: false,
    })
}

fn plain(text: &str) -> Result<Reply, String> {
    reply(
        200,
        json!({"choices": [{"message": {"content": text}}]}).to_string(),
    )
}

fn error(status: u16) -> Result<Reply, String> {
    let error = json!({"message": "m", "type": "t", "code": "c", "param": null});
    reply(status, json!({"error": error}).to_string())
}

fn stream(pieces: &[&str], end: &str) -> Result<Reply, String> {
    let events = pieces
        .iter()
        .map(|piece| json!({"choices": [{"delta": {"content": piece}}]}));
    let events: String = events.map(|event| format!("data: {event}\n\n")).collect();
    reply(200, format!("{events}{end}"))
}

const DONE: &str = "data: [DONE]\n\n";
const TOLD: &str = "data: {\"error\":{\"message\":\"m\"}}\n\n";

/// The verdict on an answer to a request in this weather.
fn judge(
    (streams, single): (bool, bool),
    faults: &[Option<Fault>],
    got: &Result<Reply, String>,
) -> Result<End, String> {
    let attempts: Vec<_> = faults.iter().cloned().map(attempt).collect();
    let felt = Felt {
        single,
        ..Felt::default()
    };
    let case = Case {
        words: WORDS,
        streams,
        attempts: &attempts,
        felt: &felt,
        took: Duration::ZERO,
    };
    case.judge(got)
}

const PLAIN: (bool, bool) = (false, false);
const PLAIN_ALONE: (bool, bool) = (false, true);
const STREAM: (bool, bool) = (true, false);

#[test]
fn a_complete_answer_has_the_requests_own_words_once_and_comes_from_a_region() {
    let own = format!("You said: {WORDS}");
    let other = "You said: word-2-of-mine and more";
    assert_eq!(judge(PLAIN, &[None], &plain(&own)), Ok(End::Whole));
    let after = [Some(Fault::throttling()), None];
    assert_eq!(judge(PLAIN, &after, &plain(&own)), Ok(End::Whole));
    assert!(judge(PLAIN, &[None], &plain(other)).is_err());
    assert!(judge(PLAIN, &[None], &plain(&own.repeat(2))).is_err());
    assert!(judge(PLAIN, &[], &plain(&own)).is_err());
    assert!(judge(PLAIN, &[Some(Fault::throttling())], &plain(&own)).is_err());
    let halves = ["You said: ", WORDS];
    assert_eq!(
        judge(STREAM, &[None], &stream(&halves, DONE)),
        Ok(End::Whole)
    );
    let alive = format!(": keep-alive\n\n{DONE}");
    assert_eq!(
        judge(STREAM, &[None], &stream(&halves, &alive)),
        Ok(End::Whole)
    );
    assert!(judge(STREAM, &[None], &stream(&[&own, &own], DONE)).is_err());
    assert!(judge(STREAM, &[None], &stream(&halves, &DONE.repeat(2))).is_err());
    // What a region broke cannot be complete.
    let broken = [Some(Fault::exception(3, "throttlingException", ""))];
    assert!(judge(STREAM, &broken, &stream(&halves, DONE)).is_err());
}

#[test]
fn an_error_needs_a_region_that_caused_it_and_none_that_could_help() {
    let throttled = [Some(Fault::throttling())];
    assert_eq!(
        judge(PLAIN_ALONE, &throttled, &error(429)),
        Ok(End::Refused(429))
    );
    assert!(judge(PLAIN_ALONE, &throttled, &error(500)).is_err());
    assert!(judge(PLAIN_ALONE, &[None], &error(429)).is_err());
    assert!(judge(PLAIN_ALONE, &throttled, &reply(429, "busy".to_owned())).is_err());
    assert!(judge(PLAIN, &throttled, &error(429)).is_err());
    assert!(judge(PLAIN, &[], &error(503)).is_err());
    assert!(judge(PLAIN_ALONE, &[None], &Err("closed".to_owned())).is_err());
}

#[test]
fn a_stream_breaks_off_where_a_region_broke_it_and_tells_the_client() {
    let late = [Some(Fault::exception(3, "throttlingException", ""))];
    assert_eq!(
        judge(STREAM, &late, &stream(&["You"], TOLD)),
        Ok(End::Broken)
    );
    assert!(judge(STREAM, &late, &stream(&["You"], "")).is_err());
    assert!(judge(STREAM, &late, &stream(&["I"], TOLD)).is_err());
    assert!(judge(STREAM, &[None], &stream(&["You"], TOLD)).is_err());
    // Another region could have answered.
    let early = [Some(Fault::exception(2, "throttlingException", ""))];
    assert!(judge(STREAM, &early, &stream(&[], TOLD)).is_err());
    let cut = [Some(Fault::new(Effect::Cut { after_events: 3 }))];
    assert_eq!(judge(STREAM, &cut, &stream(&["You"], "")), Ok(End::Broken));
}

#[test]
fn a_request_that_a_region_answered_is_not_retried() {
    let own = plain(&format!("You said: {WORDS}"));
    let twice = judge(PLAIN, &[None, None], &own).unwrap_err();
    assert!(twice.starts_with("it was retried"), "{twice}");
    let after = [None, Some(Fault::throttling()), None];
    assert!(judge(PLAIN, &after, &own).is_err());
    // Slow answers are abandoned.
    let slow = [Some(Fault::new(Effect::None)), None];
    assert_eq!(judge(PLAIN, &slow, &own), Ok(End::Whole));
    let attempts = [attempt(None), attempt(None)];
    for (felt, took) in [
        (Felt::default(), TIMEOUT),
        (
            Felt {
                unreachable: true,
                ..Felt::default()
            },
            Duration::ZERO,
        ),
    ] {
        let case = Case {
            words: WORDS,
            streams: false,
            attempts: &attempts,
            felt: &felt,
            took,
        };
        assert_eq!(case.judge(&own), Ok(End::Whole));
    }
}
