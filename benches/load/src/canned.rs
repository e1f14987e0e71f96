//! The upstream's answers: Claude's, complete and as an event stream.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// Number of tokens in a streamed answer.
pub const TOKENS: usize = 200;

/// A complete answer of about 600 bytes.
#[must_use]
pub fn answer() -> Bytes {
    let text = "The second draft is shorter and says the same. ".repeat(8);
    json!({
        "id": "msg_bdrk_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": {"input_tokens": 200, "output_tokens": 88},
    })
    .to_string()
    .into()
}

/// The frames of a streamed answer: one per token, and a few around them.
#[must_use]
pub fn frames() -> Vec<Bytes> {
    let message = json!({
        "id": "msg_bdrk_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    });
    let mut events = vec![
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0,
               "content_block": {"type": "text", "text": ""}}),
    ];
    events.extend((0..TOKENS).map(|index| {
        json!({"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": format!(" token{index}")}})
    }));
    events.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
               "usage": {"output_tokens": TOKENS}}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": 10, "outputTokenCount": TOKENS,
            "invocationLatency": 900, "firstByteLatency": 300}}),
    ]);
    events.iter().map(frame).collect()
}

/// One `chunk` of the event stream.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> has the format.
fn frame(event: &Value) -> Bytes {
    let payload = json!({"bytes": STANDARD.encode(event.to_string()), "p": "abcdefghijkl"});
    let payload = payload.to_string();
    let mut headers = Vec::new();
    for (name, value) in [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ] {
        headers.extend(u8::try_from(name.len()));
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend(length16(value.len()));
        headers.extend_from_slice(value.as_bytes());
    }
    let mut frame = Vec::new();
    frame.extend(length32(16 + headers.len() + payload.len()));
    frame.extend(length32(headers.len()));
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.into()
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn length32(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}
