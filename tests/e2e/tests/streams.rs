//! Streams that are split, damaged, interrupted or cut.

use bedrock_simulator::{Effect, Fault, Pace};
use e2e::{PATIENCE, Reply, run, shared, simulator};

const TEXT: &str = "A rather long text, so that the stream has quite a few events 🌧";

async fn stream_with(fault: Fault) -> Reply {
    let (stack, bedrock) = (shared().await, simulator().await);
    let channel = stack.channel(&bedrock).await;
    bedrock.inject(fault);
    stack.envoy.chat(&channel.ask_stream(TEXT)).await
}

#[test]
fn any_split_of_the_bytes_gives_the_same_events() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let body = channel.ask_stream(TEXT);
        let whole = stack.envoy.chat(&body).await;
        assert!(whole.is_done(), "{whole:?}");
        for piece_bytes in [1, 7, 100, 1_000_000] {
            let pace = Pace {
                piece_bytes,
                ..Pace::default()
            };
            bedrock.inject(Fault::paced(pace));
            let split = stack.envoy.chat(&body).await;
            assert_eq!(split.without_identity(), whole.without_identity());
        }
    });
}

#[test]
fn events_arrive_while_the_model_is_still_speaking() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let pace = Pace {
            between_events_ms: 50,
            ..Pace::default()
        };
        bedrock.inject(Fault::paced(pace));
        let body = channel.ask_stream(TEXT);
        let mut response = stack.envoy.chat_request(&body).send().await.unwrap();
        let mut pieces = 0;
        while response.chunk().await.unwrap().is_some() {
            pieces += 1;
        }
        // If they were held back, there would be one or two.
        assert!(pieces > 5, "{pieces} pieces");
    });
}

#[test]
fn an_exception_in_the_first_frame_is_an_http_error() {
    run(async {
        let reply = stream_with(Fault::exception(0, "throttlingException", "Slow down.")).await;
        let message = reply.error(429, "rate_limit_error", "rate_limit_exceeded");
        assert_eq!(message, "Slow down.");
        let reply = stream_with(Fault::exception(0, "validationException", "No.")).await;
        reply.error(400, "invalid_request_error", "invalid_request");
        let reply = stream_with(Fault::exception(0, "internalServerException", "Oh.")).await;
        reply.error(500, "server_error", "internal_error");
    });
}

#[test]
fn an_exception_in_the_middle_is_an_error_event_and_no_done() {
    run(async {
        for (name, kind, code) in [
            (
                "throttlingException",
                "rate_limit_error",
                "rate_limit_exceeded",
            ),
            ("modelStreamErrorException", "server_error", "stream_error"),
            (
                "serviceUnavailableException",
                "server_error",
                "service_unavailable",
            ),
        ] {
            let message = "stopped for arn:aws:iam::123456789012:role/x";
            let reply = stream_with(Fault::exception(4, name, message)).await;
            assert!(reply.text.contains("You"), "{reply:?}");
            assert_eq!(reply.stream_error(kind, code), "stopped for [arn]");
            assert!(!reply.is_cut, "{reply:?}");
        }
    });
}

#[test]
fn a_stream_that_ends_too_early_is_an_error_event_and_no_done() {
    run(async {
        for after_events in [1, 3, 6] {
            let reply = stream_with(Fault::new(Effect::Truncate { after_events })).await;
            reply.stream_error("server_error", "stream_error");
            assert!(!reply.is_cut, "{reply:?}");
        }
    });
}

#[test]
fn a_stream_that_ends_before_its_first_event_is_an_http_error() {
    run(async {
        let reply = stream_with(Fault::new(Effect::Truncate { after_events: 0 })).await;
        reply.error(502, "server_error", "stream_error");
    });
}

#[test]
fn a_damaged_frame_is_an_error_event_and_no_done() {
    run(async {
        let reply = stream_with(Fault::new(Effect::CorruptFrame { event: 4 })).await;
        assert!(reply.text.contains("You"), "{reply:?}");
        reply.stream_error("server_error", "stream_error");
        let reply = stream_with(Fault::new(Effect::CorruptFrame { event: 0 })).await;
        reply.error(502, "server_error", "stream_error");
    });
}

#[test]
fn a_connection_cut_in_a_frame_is_never_a_complete_answer() {
    run(async {
        let reply = stream_with(Fault::new(Effect::Cut { after_events: 5 })).await;
        assert_eq!(reply.status, 200);
        assert!(!reply.text.contains("[DONE]"), "{reply:?}");
        let has_error = reply.text.contains("\"error\"");
        assert!(reply.is_cut || has_error, "{reply:?}");
    });
}

#[test]
fn an_error_instead_of_a_stream_frees_the_connection_at_once() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        // The upstream would go on for longer than the test waits.
        let pace = Pace {
            between_events_ms: 120_000,
            ..Pace::default()
        };
        bedrock.inject(Fault::new(Effect::CorruptFrame { event: 0 }).with_pace(pace));
        let client = reqwest::Client::new();
        let url = format!("{}/v1/chat/completions", stack.envoy.url());
        let request = client.post(&url).json(&channel.ask_stream(TEXT));
        let reply = Reply::read(request.send().await.unwrap()).await;
        reply.error(502, "server_error", "stream_error");
        // The client keeps the connection, so this request uses the same one.
        let request = client.post(&url).json(&channel.ask("Still there?"));
        let answer = tokio::time::timeout(PATIENCE, request.send()).await;
        let reply = Reply::read(answer.expect("no answer in time").unwrap()).await;
        assert_eq!(reply.text_of_answer(), "You said: Still there?");
    });
}
