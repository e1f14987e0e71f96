//! Writes event streams.

use base64::Engine as _;

/// One frame of an event stream.
///
/// <https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html> has the format.
#[must_use]
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = u32::try_from(16 + head.len() + payload.len()).unwrap();
    let mut frame = total.to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// The frames of `answer.events`: each line an event, as JSON; `@name {json}` for an event of
/// Converse's; or `!name {json}` for an exception.
#[must_use]
pub fn frames(events: &str) -> Vec<u8> {
    let json = (":content-type", "application/json");
    let mut out = Vec::new();
    for line in events.lines().filter(|line| !line.trim().is_empty()) {
        let bytes = if let Some(exception) = line.strip_prefix('!') {
            let (name, payload) = exception.split_once(' ').unwrap();
            let kind = (":message-type", "exception");
            frame(&[(":exception-type", name), json, kind], payload.as_bytes())
        } else if let Some(event) = line.strip_prefix('@') {
            let (name, payload) = event.split_once(' ').unwrap();
            let kind = (":message-type", "event");
            frame(&[(":event-type", name), json, kind], payload.as_bytes())
        } else {
            let event = base64::engine::general_purpose::STANDARD.encode(line);
            let payload = format!(r#"{{"bytes":"{event}","p":"abcdefgh"}}"#);
            let kind = (":message-type", "event");
            frame(&[(":event-type", "chunk"), json, kind], payload.as_bytes())
        };
        out.extend(bytes);
    }
    out
}
