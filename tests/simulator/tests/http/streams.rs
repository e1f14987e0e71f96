//! Event streams, whole and broken.

use bedrock_simulator::{Effect, Fault, Pace};
use serde_json::json;

use crate::client::{Call, Frame, HAIKU, body, decode, events, start};

fn call() -> Call {
    Call::stream(HAIKU, &body("one two three"))
}

#[tokio::test]
async fn any_piece_size_carries_the_same_bytes() {
    let simulator = start().await;
    let whole = call().send(&simulator).await.bytes().await.unwrap();
    assert_eq!(events(&whole).len(), 10);
    for piece_bytes in [1, 2, 13, 1000] {
        let pace = Pace {
            piece_bytes,
            ..Pace::default()
        };
        simulator.inject(Fault::paced(pace));
        let pieces = call().send(&simulator).await.bytes().await.unwrap();
        assert_eq!(pieces, whole, "{piece_bytes}");
    }
}

#[tokio::test]
async fn an_exception_frame_ends_the_stream() {
    let simulator = start().await;
    for after_events in [0, 4] {
        simulator.inject(Fault::exception(
            after_events,
            "throttlingException",
            "Too many requests",
        ));
        let bytes = call().send(&simulator).await.bytes().await.unwrap();
        let (frames, rest) = decode(&bytes).unwrap();
        assert_eq!((frames.len(), rest), (after_events + 1, 0));
        let expected = json!({"message": "Too many requests"});
        assert_eq!(
            frames[after_events],
            Frame::Exception("throttlingException".into(), expected)
        );
    }
}

#[tokio::test]
async fn a_truncated_stream_ends_cleanly() {
    let simulator = start().await;
    simulator.inject(Fault::new(Effect::Truncate { after_events: 5 }));
    let bytes = call().send(&simulator).await.bytes().await.unwrap();
    assert_eq!(events(&bytes).len(), 5);
}

#[tokio::test]
async fn a_corrupted_frame_fails_its_checksum() {
    let simulator = start().await;
    simulator.inject(Fault::new(Effect::CorruptFrame { event: 3 }));
    let bytes = call().send(&simulator).await.bytes().await.unwrap();
    assert_eq!(decode(&bytes), Err(3));
}

#[tokio::test]
async fn a_cut_connection_delivers_whole_frames_and_half_of_one() {
    let simulator = start().await;
    simulator.inject(Fault::new(Effect::Cut { after_events: 2 }));
    let mut response = call().send(&simulator).await;
    let mut bytes = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => panic!("the stream ended cleanly"),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    let (frames, rest) = decode(&bytes).unwrap();
    assert_eq!(frames.len(), 2);
    assert!(rest > 0, "half a frame");
}

#[tokio::test]
async fn events_can_be_paced() {
    let simulator = start().await;
    let pace = Pace {
        before_headers_ms: 30,
        between_events_ms: 10,
        piece_bytes: 40,
        ..Pace::default()
    };
    simulator.inject(Fault::paced(pace));
    let begin = std::time::Instant::now();
    let bytes = call().send(&simulator).await.bytes().await.unwrap();
    // A lower bound only: 30 ms before the headers and nine pauses.
    assert!(begin.elapsed().as_millis() >= 120);
    assert_eq!(events(&bytes).len(), 10);
}

#[tokio::test]
async fn a_held_stream_goes_on_when_it_is_released() {
    let simulator = start().await;
    simulator.inject(Fault::held(2));
    let mut response = call().send(&simulator).await;
    let mut bytes = Vec::new();
    while decode(&bytes).unwrap().0.len() < 2 {
        bytes.extend(response.chunk().await.unwrap().unwrap());
    }
    let (frames, rest) = decode(&bytes).unwrap();
    assert_eq!((frames.len(), rest), (2, 0));
    simulator.release();
    bytes.extend(response.bytes().await.unwrap());
    assert_eq!(events(&bytes).len(), 10);
}

#[tokio::test]
async fn cached_tokens_and_guardrails_show_in_the_stream() {
    let simulator = start().await;
    simulator.inject(Fault::new(Effect::CachedTokens { read: 7, write: 3 }));
    let bytes = call().send(&simulator).await.bytes().await.unwrap();
    let seen = events(&bytes);
    assert_eq!(seen[0]["message"]["usage"]["cache_read_input_tokens"], 7);
    assert_eq!(
        seen[9]["amazon-bedrock-invocationMetrics"]["cacheWriteInputTokenCount"],
        3
    );
    simulator.inject(Fault::new(Effect::GuardrailIntervened {
        message: "Blocked.".into(),
    }));
    let bytes = call().send(&simulator).await.bytes().await.unwrap();
    let seen = events(&bytes);
    assert_eq!(seen[2]["delta"]["text"], "Blocked.");
    assert_eq!(
        seen.last().unwrap()["amazon-bedrock-guardrailAction"],
        "INTERVENED"
    );
}
