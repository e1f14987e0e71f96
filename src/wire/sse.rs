//! Server-sent events: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

use serde::Serialize;

use crate::json;

/// Writes an event with a name and JSON.
pub(crate) fn event(out: &mut Vec<u8>, name: &str, data: &impl Serialize) {
    begin(out, name);
    // JSON in memory has no line breaks.
    json::write_or_null(out, data);
    end(out);
}

/// Writes an event with a name and data of one line.
pub(crate) fn raw_event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    begin(out, name);
    out.extend_from_slice(data);
    end(out);
}

/// Begins an event with a name; its data, of one line, comes next.
pub(crate) fn begin(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
}

/// Ends an event.
pub(crate) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\n");
}
