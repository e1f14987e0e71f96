//! Encoder of the binary event stream (`application/vnd.amazon.eventstream`).
//!
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The header value type "string", the only one Bedrock sends.
const STRING: u8 = 7;
/// Total length, headers length, CRC of the two, CRC of the message.
const OVERHEAD: usize = 16;
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// One frame: prelude, headers, payload, both checksums.
pub(crate) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let headers = encode_headers(headers);
    let total = OVERHEAD + headers.len() + payload.len();
    let mut frame = Vec::with_capacity(total);
    frame.extend(length(total));
    frame.extend(length(headers.len()));
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// The frame of one event of `InvokeModelWithResponseStream`: the event in
/// base64 and padding whose length hides the length of the text.
///
/// The padding is a function of `index`, so that a test sees the same bytes
/// every time.
pub(crate) fn chunk(index: usize, event: &Value) -> Vec<u8> {
    let bytes = STANDARD.encode(event.to_string());
    let payload = json!({ "bytes": bytes, "p": padding(index) }).to_string();
    frame(&event_headers("chunk"), payload.as_bytes())
}

/// The frame of one event of `ConverseStream`. An event is an object with one
/// key, its type; its content is sent as it is, with padding.
pub(crate) fn named(index: usize, event: &Value) -> Vec<u8> {
    let mut fields = event.as_object().into_iter().flatten();
    let Some((name, inner)) = fields.next() else {
        return Vec::new();
    };
    let mut payload = inner.clone();
    if let Some(fields) = payload.as_object_mut() {
        fields.insert("p".to_owned(), json!(padding(index)));
    }
    frame(&event_headers(name), payload.to_string().as_bytes())
}

fn padding(index: usize) -> &'static str {
    let most = (index * 17 + 5) % PADDING.len() + 1;
    PADDING.get(..most).unwrap_or_default()
}

/// The frame of an exception; `name` in lower camel case.
pub(crate) fn exception(name: &str, message: &str) -> Vec<u8> {
    let payload = json!({ "message": message }).to_string();
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    frame(&headers, payload.as_bytes())
}

fn event_headers(event_type: &str) -> [(&str, &str); 3] {
    [
        (":event-type", event_type),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ]
}

fn encode_headers(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for (name, value) in headers {
        encoded.extend(u8::try_from(name.len()).unwrap_or(u8::MAX).to_be_bytes());
        encoded.extend(name.bytes());
        encoded.push(STRING);
        encoded.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        encoded.extend(value.bytes());
    }
    encoded
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(name: &str) -> (String, Vec<u8>) {
        let text = include_str!("../../vectors/event-stream.json");
        let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
        assert_eq!(vectors.len(), 5);
        let vector = vectors.iter().find(|v| v["name"] == name).unwrap();
        let payload = vector["payload"].as_str().unwrap().as_bytes().to_vec();
        (vector["frame_hex"].as_str().unwrap().to_owned(), payload)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn all_five_vectors_encode_to_their_bytes() {
        let throttled = "Too many requests, please wait before trying again.";
        let error = [
            (":message-type", "error"),
            (":error-code", "InternalError"),
            (":error-message", "boom"),
        ];
        let encoded: [(&str, Vec<u8>); 5] = [
            (
                "invoke-chunk",
                frame(&event_headers("chunk"), &vector("invoke-chunk").1),
            ),
            (
                "throttlingException",
                exception("throttlingException", throttled),
            ),
            (
                "converse-contentBlockDelta",
                frame(
                    &event_headers("contentBlockDelta"),
                    &vector("converse-contentBlockDelta").1,
                ),
            ),
            ("error-message", frame(&error, &[])),
            ("empty", frame(&[], &[])),
        ];
        for (name, bytes) in encoded {
            assert_eq!(hex(&bytes), vector(name).0, "{name}");
        }
    }

    #[test]
    fn padding_differs_between_events_and_is_never_empty() {
        let event = json!({"type": "ping"});
        let lengths: Vec<usize> = (0..62).map(|index| chunk(index, &event).len()).collect();
        let distinct: std::collections::BTreeSet<_> = lengths.iter().collect();
        assert_eq!(distinct.len(), 62);
    }
}
