//! Failures in Bedrock or on the way to it, as the client sees them.

use bedrock_simulator::{Effect, Fault, Key, Pace, Simulator};
use e2e::{REGION, Reply, SECRET_ACCESS_KEY, eventually, run, shared, simulator};
use reqwest::Method;
use serde_json::json;

use crate::wire::last;

/// Sends a chat that meets a fault.
async fn chat_with(fault: Fault) -> Reply {
    let (stack, bedrock) = (shared().await, simulator().await);
    let channel = stack.channel(&bedrock).await;
    bedrock.inject(fault);
    stack.envoy.chat(&channel.ask("Hi")).await
}

#[test]
fn throttling_is_429_and_keeps_retry_after() {
    run(async {
        let reply = chat_with(Fault::throttling().with_header("retry-after", "7")).await;
        reply.error(429, "rate_limit_error", "rate_limit_exceeded");
        assert_eq!(reply.header("retry-after"), "7");
    });
}

#[test]
fn modelled_exceptions_become_fitting_errors() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let (server, invalid) = ("server_error", "invalid_request_error");
        for (status, name, expected) in [
            (
                400,
                "ValidationException",
                (400, invalid, "invalid_request"),
            ),
            (
                403,
                "AccessDeniedException",
                (403, "permission_error", "access_denied"),
            ),
            (
                404,
                "ResourceNotFoundException",
                (404, invalid, "model_not_found"),
            ),
            (408, "ModelTimeoutException", (504, server, "timeout")),
            (424, "ModelErrorException", (502, server, "model_error")),
            (
                429,
                "ModelNotReadyException",
                (503, server, "model_not_ready"),
            ),
            (
                500,
                "InternalServerException",
                (500, server, "internal_error"),
            ),
            (
                503,
                "ServiceUnavailableException",
                (503, server, "service_unavailable"),
            ),
        ] {
            for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
                let message = "no arn:aws:bedrock:us-east-1:123456789012:inference-profile/x here";
                bedrock.inject(Fault::error(status, name, message));
                let reply = stack.envoy.chat(&body).await;
                let (status, kind, code) = expected;
                let message = reply.error(status, kind, code);
                assert!(message.starts_with("no [arn] here"), "{message}");
                assert!(
                    reply.header("x-amzn-requestid").starts_with("0000"),
                    "{reply:?}"
                );
            }
        }
    });
}

#[test]
fn an_error_that_is_not_json_is_reported_by_its_status() {
    run(async {
        let page = "<html>Bad gateway at 10.0.0.1</html>";
        for (fault, (status, code)) in [
            (
                Fault::raw(503, "text/plain", "no upstream 10.0.0.1"),
                (503, "service_unavailable"),
            ),
            (Fault::raw(502, "text/html", page), (502, "bad_gateway")),
            (
                Fault::raw(200, "text/html", page),
                (502, "invalid_upstream_response"),
            ),
            (Fault::empty(503), (503, "service_unavailable")),
            (Fault::empty(200), (502, "bad_gateway")),
        ] {
            let case = format!("{fault:?}");
            let reply = chat_with(fault).await;
            assert_eq!(reply.status, status, "{case}: {reply:?}");
            let message = reply.error(status, "server_error", code);
            assert!(!message.contains("10.0.0.1"), "{message}");
        }
    });
}

#[test]
fn an_unknown_operation_in_a_200_is_an_error() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
            bedrock.inject(Fault::new(Effect::UnknownOperation));
            let reply = stack.envoy.chat(&body).await;
            reply.error(502, "server_error", "unknown_operation");
        }
    });
}

#[test]
fn refused_credentials_are_the_gateways_fault_and_leak_nothing() {
    run(async {
        let stack = shared().await;
        let expired = Key::new("ASIAEXPIRED", SECRET_ACCESS_KEY)
            .with_session_token("e2e-token")
            .expired();
        let known = Key::new("AKIDEXAMPLE", SECRET_ACCESS_KEY);
        let bedrock = Simulator::builder().credentials(known).credentials(expired);
        let bedrock = bedrock.region(REGION).start().await.unwrap();
        let wrong = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYWRONGSECRET";
        for (id, secret, token) in [
            ("AKIDUNKNOWN", SECRET_ACCESS_KEY, None),
            ("AKIDEXAMPLE", wrong, None),
            ("ASIAEXPIRED", SECRET_ACCESS_KEY, Some("e2e-token")),
        ] {
            let mut credentials =
                json!({"type": "static", "access_key_id": id, "secret_access_key": secret});
            if let Some(token) = token {
                credentials["session_token"] = json!(token);
            }
            let fields = json!({"credentials": credentials});
            let channel = stack.channel_with(&bedrock, &fields).await;
            for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
                let reply = stack.envoy.chat(&body).await;
                reply.error(502, "server_error", "upstream_authentication_failed");
                for secret in [id, secret, "e2e-token", "arn:aws", "Credential="] {
                    assert!(!reply.text.contains(secret), "{reply:?}");
                }
            }
            // The log tells the operator whose they are, and why they were refused.
            let name = channel.model.replace("model", "channel");
            let said = format!("channel {name}: Bedrock refused its credentials: ");
            eventually("Envoy's log names the channel", async || {
                let log = stack.envoy.log();
                let line = log.lines().find(|line| line.contains(&said))?;
                assert!(line.contains("[error]"), "{line}");
                assert!(!line.contains(secret), "{line}");
                Some(())
            })
            .await;
        }
    });
}

#[test]
fn an_endpoint_that_is_down_is_a_503() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        drop(bedrock);
        for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
            let reply = stack.envoy.chat(&body).await;
            let message = reply.error(503, "server_error", "service_unavailable");
            assert!(!message.contains("127.0.0.1"), "{message}");
        }
    });
}

#[test]
fn a_connection_that_closes_without_an_answer_is_a_503() {
    run(async {
        // The request is sent again once.
        let reply = chat_with(Fault::new(Effect::Close).times(2)).await;
        reply.error(503, "server_error", "service_unavailable");
    });
}

/// An answer that starts this late.
fn late(milliseconds: u64) -> Fault {
    Fault::paced(Pace {
        before_headers_ms: milliseconds,
        ..Pace::default()
    })
}

#[test]
fn an_answer_that_does_not_start_in_time_is_a_504() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let limits = json!({"first_byte_timeout_seconds": 1, "request_timeout_seconds": 1});
        let channel = stack.channel_with(&bedrock, &limits).await;
        // A stream is asked for once more.
        for (body, times) in [(channel.ask("Hi"), 1), (channel.ask_stream("Hi"), 2)] {
            bedrock.inject(late(600_000).times(times));
            let reply = stack.envoy.chat(&body).await;
            reply.error(504, "server_error", "timeout");
        }
    });
}

#[test]
fn an_unstreamed_answer_gets_the_time_that_its_tokens_take() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let limits = json!({"first_byte_timeout_seconds": 1});
        let channel = stack.channel_with(&bedrock, &limits).await;
        // As many tokens as take a minute.
        let long = json!({"max_tokens": 1200});
        bedrock.inject(late(3_000));
        let reply = stack.envoy.chat(&channel.ask_with("Hi", &long)).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        let sent = last(&bedrock);
        let mut names = sent.headers.iter().map(|(name, _)| name);
        assert!(!names.any(|name| name.starts_with("x-envoy-")), "{sent:?}");
        bedrock.inject(late(600_000));
        let short = json!({"max_tokens": 20});
        let reply = stack.envoy.chat(&channel.ask_with("Hi", &short)).await;
        reply.error(504, "server_error", "timeout");
    });
}

#[test]
fn a_stream_that_has_started_is_not_cut_by_the_first_byte_timeout() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let limits = json!({"first_byte_timeout_seconds": 5, "request_timeout_seconds": 5});
        let channel = stack.channel_with(&bedrock, &limits).await;
        bedrock.inject(Fault::paced(Pace {
            between_events_ms: 1_200,
            ..Pace::default()
        }));
        let reply = stack.envoy.chat(&channel.ask_stream("one two")).await;
        assert!(reply.is_done(), "{reply:?}");
    });
}

#[test]
fn an_answer_that_breaks_off_while_it_is_held_is_a_502() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
            bedrock.inject(Fault::new(Effect::Cut { after_events: 0 }));
            let reply = stack.envoy.chat(&body).await;
            reply.error(502, "server_error", "bad_gateway");
            assert!(!reply.is_cut, "{reply:?}");
        }
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
    });
}

#[test]
fn an_answer_that_breaks_off_while_it_is_held_has_anthropics_shape_for_its_clients() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for is_stream in [false, true] {
            bedrock.inject(Fault::new(Effect::Cut { after_events: 0 }));
            let body = channel.ask_with("Hi", &json!({"max_tokens": 16, "stream": is_stream}));
            let request = stack.envoy.request(Method::POST, "/v1/messages");
            let reply = stack.envoy.send(request.json(&body)).await;
            assert_eq!(reply.status, 502, "{reply:?}");
            assert_eq!(reply.header("content-type"), "application/json");
            let error = reply.json();
            assert_eq!(error["type"], "error", "{reply:?}");
            assert_eq!(error["error"]["type"], "api_error", "{reply:?}");
            let id = reply.header("request-id");
            assert!(id.starts_with("req_") && id.len() > 4, "{reply:?}");
            assert_eq!(error["request_id"], id, "{reply:?}");
        }
    });
}

#[test]
fn a_guardrail_and_cached_tokens_are_reported() {
    run(async {
        let message = "Blocked by policy.".to_owned();
        let reply = chat_with(Fault::new(Effect::GuardrailIntervened { message })).await;
        assert_eq!(reply.text_of_answer(), "Blocked by policy.");
        assert_eq!(reply.choice()["finish_reason"], "content_filter");
        let reply = chat_with(Fault::new(Effect::CachedTokens {
            read: 100,
            write: 10,
        }))
        .await;
        let usage = reply.json()["usage"].clone();
        assert!(usage["prompt_tokens"].as_u64() > Some(110), "{usage}");
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 100);
    });
}
