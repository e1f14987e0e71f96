//! How long Envoy waits for an attempt's answer to begin.
//!
//! Envoy's router takes the time from a header of the request and removes it:
//! <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-upstream-rq-per-try-timeout-ms>.
//! It reads the time once, before the first attempt, and only its own timer leads to another attempt. So the listener
//! stage decides what every attempt gets, before it is known which channels will be tried: the most that any channel
//! of the pool allows, because no channel may get less than its own setting.

use std::time::Duration;

use super::Headers;
use crate::bedrock::Operation;
use crate::chat::Request;
use crate::routes::Route;

/// The header for each attempt, until it is answered.
const ATTEMPT_HEADER: &str = "x-envoy-upstream-rq-per-try-timeout-ms";

/// The header for the whole request with all its attempts, until the end of the answer:
/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-upstream-rq-timeout-ms>.
const TOTAL_HEADER: &str = "x-envoy-upstream-rq-timeout-ms";

/// Tokens that even a slow model writes in a second.
const TOKENS_PER_SECOND: u32 = 20;

/// How long an attempt on a channel may take until its answer begins: a stream with its first bytes, any other answer
/// once it is complete. The operation says which of the two it is, which is not always what the client wants.
pub(super) fn response_timeout(
    route: &Route<'_>,
    request: &Request<'_>,
    operation: Operation,
) -> Duration {
    let channel = &route.channel.channel;
    let most = channel.request_timeout_seconds;
    let seconds = if operation.is_stream() {
        channel.first_byte_timeout_seconds.min(most)
    } else {
        let tokens = request
            .max_output
            .or_else(|| route.model.and_then(|model| model.max_output));
        tokens.map_or(most, |tokens| {
            let writing = tokens.div_ceil(TOKENS_PER_SECOND);
            channel
                .first_byte_timeout_seconds
                .saturating_add(writing)
                .min(most)
        })
    };
    Duration::from_secs(seconds.into())
}

/// Tells Envoy the time for each attempt.
pub(crate) fn add(headers: &mut Headers, timeout: Duration) {
    headers.add(ATTEMPT_HEADER, milliseconds(timeout));
}

/// Tells Envoy the time for a request that is not tried on several channels. A stream may last for as long as it likes
/// once it has begun. Anything else is over after that time: a second attempt, which Envoy makes when the first one gets
/// no answer, would be another answer to pay for.
pub(crate) fn add_to_only(headers: &mut Headers, operation: Operation, timeout: Duration) {
    add(headers, timeout);
    if !operation.is_stream() {
        headers.add(TOTAL_HEADER, milliseconds(timeout));
    }
}

/// A time of whole seconds, as Envoy reads it.
fn milliseconds(timeout: Duration) -> String {
    timeout.as_secs().saturating_mul(1000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::openai_chat::Chat;
    use crate::protocol::{Protocol as _, Said};
    use crate::routes::testing;
    use serde_json::{Value, json};

    /// Seconds that a channel with these fields allows a request.
    #[track_caller]
    fn check(channel: &Value, request: &Value, expected: u64) {
        let mut body = request.clone();
        body["messages"] = json!([{"role": "user", "content": "Hi"}]);
        let body = body.to_string();
        let parsed = Chat.parse(body.as_bytes(), &Said::default()).unwrap();
        let request = &parsed.request;
        let routes = testing::routes(std::slice::from_ref(channel), None);
        let route = routes.find(&request.model).unwrap();
        let operation = if request.stream {
            Operation::InvokeWithResponseStream
        } else {
            Operation::Invoke
        };
        let timeout = response_timeout(&route, request, operation);
        assert_eq!(timeout, Duration::from_secs(expected), "{channel} {body}");
    }

    #[test]
    fn a_stream_has_the_channels_time_and_a_whole_answer_its_tokens_besides() {
        let stream = json!({"model": "claude-sonnet-4-5", "stream": true, "max_tokens": 4000});
        let whole = |tokens: u32| json!({"model": "claude-sonnet-4-5", "max_tokens": tokens});
        check(&json!({}), &stream, 30);
        check(&json!({}), &whole(1000), 80);
        check(&json!({}), &whole(1), 31);
        check(&json!({}), &whole(u32::MAX), 300);
        let patient = json!({"first_byte_timeout_seconds": 60, "request_timeout_seconds": 1000});
        check(&patient, &stream, 60);
        check(&patient, &whole(1000), 110);
        let hasty = json!({"first_byte_timeout_seconds": 60, "request_timeout_seconds": 10});
        check(&hasty, &stream, 10);
        check(&hasty, &whole(1), 10);
    }

    #[test]
    fn without_a_limit_an_answer_is_as_long_as_the_model_can_or_as_anything() {
        // This model writes at most 4096 tokens.
        check(&json!({}), &json!({"model": "claude-3-haiku"}), 30 + 205);
        let longer = json!({"request_timeout_seconds": 3600});
        check(&longer, &json!({"model": "anthropic.claude-next-9"}), 3600);
    }
}
