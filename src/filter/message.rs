//! Carries out what an exchange wants done with a message.

use proxy_wasm::types::{Action, BufferType, MapType};

use super::{host, metrics};
use crate::exchange::{Edit, Step};

/// Envoy does not say the buffer's size with trailers; it returns what it has.
pub(super) const ALL: usize = u32::MAX as usize;

/// What a step applies to.
pub(super) struct Message {
    headers: MapType,
    body: BufferType,
    /// Bytes that Envoy holds of the body.
    size: usize,
}

impl Message {
    pub(super) fn request(size: usize) -> Self {
        Self {
            headers: MapType::HttpRequestHeaders,
            body: BufferType::HttpRequestBody,
            size,
        }
    }

    pub(super) fn response(size: usize) -> Self {
        Self {
            headers: MapType::HttpResponseHeaders,
            body: BufferType::HttpResponseBody,
            size,
        }
    }

    pub(super) fn apply(&self, step: Step) -> Action {
        match step {
            Step::Pass => Action::Continue,
            Step::Wait => Action::Pause,
            Step::Edit(edit) => {
                self.write(&edit);
                Action::Continue
            }
            Step::Hold(edit) => {
                self.write(&edit);
                Action::Pause
            }
            Step::Release(edit) => {
                self.write(&edit);
                host::resume_answer();
                Action::Pause
            }
            Step::Reply(reply) => {
                host::reply(&reply);
                Action::Pause
            }
        }
    }

    /// Makes changes.
    pub(super) fn write(&self, edit: &Edit) {
        if let Some(headers) = &edit.headers {
            host::set_headers(self.headers, headers);
        }
        if let Some(body) = &edit.body {
            host::replace(self.body, self.size, body.slices());
            metrics::report_memory();
        }
    }
}
