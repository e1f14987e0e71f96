//! A simulated Envoy: the functions that the module imports, and a count of what passes through
//! them.
//!
//! It behaves like Envoy where the filter can notice: buffers, header maps, properties that
//! both stages of a stream share, local replies. It behaves the same in every run: its clock
//! stands still unless it is set.

mod abi;
mod guest;
mod pairs;

use std::collections::BTreeMap;

pub use abi::link;
pub use pairs::Pairs;

/// Where the module's clock starts: 2026-01-01T00:00:00Z, in nanoseconds.
const START: u64 = 1_767_225_600_000_000_000;

/// Everything that the module can access.
#[derive(Debug)]
pub struct Host {
    /// The time of day, in nanoseconds since 1970.
    pub now: u64,
    /// The plugin configuration that `proxy_on_configure` reads.
    pub configuration: Vec<u8>,
    /// What has crossed the boundary so far.
    pub counts: Counts,
    /// What the module logged, for messages about exchanges that went wrong.
    pub log: Vec<String>,
    /// The context whose callback is running.
    pub active: u32,
    contexts: BTreeMap<u32, Http>,
    /// What `proxy_set_property` stored, by stream and path.
    properties: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
    /// What `proxy_set_shared_data` stored.
    shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    /// What `proxy_enqueue_shared_queue` put into the only queue.
    queue: Vec<Vec<u8>>,
    metrics: Vec<(Vec<u8>, i64)>,
}

/// Calls and bytes that crossed between the module and its host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls from the module.
    pub calls: u64,
    /// Bytes written into the module's memory.
    pub bytes_in: u64,
    /// Bytes read from it.
    pub bytes_out: u64,
}

impl Counts {
    /// What was added since an earlier count.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls - earlier.calls,
            bytes_in: self.bytes_in - earlier.bytes_in,
            bytes_out: self.bytes_out - earlier.bytes_out,
        }
    }
}

/// What Envoy holds for one HTTP context.
#[derive(Debug, Default)]
pub struct Http {
    /// The stream that it belongs to; both stages of a stream share its properties.
    pub stream: u32,
    /// Headers of the request.
    pub request_headers: Pairs,
    /// The buffered part of the request's body.
    pub request_body: Vec<u8>,
    /// Headers of the response.
    pub response_headers: Pairs,
    /// The buffered part of the response's body.
    pub response_body: Vec<u8>,
    /// The filter's own reply.
    pub reply: Option<Reply>,
    /// Attributes of this context only, by path.
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A reply by the filter itself.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u32,
    /// Headers without `:status`.
    pub headers: Pairs,
    /// The body.
    pub body: Vec<u8>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            now: START,
            configuration: Vec::new(),
            counts: Counts::default(),
            log: Vec::new(),
            active: 0,
            contexts: BTreeMap::new(),
            properties: BTreeMap::new(),
            shared: BTreeMap::new(),
            queue: Vec::new(),
            metrics: Vec::new(),
        }
    }
}

impl Host {
    /// Adds what Envoy holds for a new context.
    pub fn open(&mut self, context: u32, http: Http) {
        self.contexts.insert(context, http);
    }

    /// Removes it again.
    pub fn close(&mut self, context: u32) {
        if let Some(http) = self.contexts.remove(&context)
            && http.stream == context
        {
            self.properties.retain(|(stream, _), _| *stream != context);
        }
    }

    /// What is held for a context, if it is open.
    pub fn http(&mut self, context: u32) -> Option<&mut Http> {
        self.contexts.get_mut(&context)
    }

    fn current(&mut self) -> Option<&mut Http> {
        let active = self.active;
        self.http(active)
    }

    fn property(&self, path: &[u8]) -> Option<&[u8]> {
        let http = self.contexts.get(&self.active)?;
        let stored = self.properties.get(&(http.stream, path.to_vec()));
        let value = stored.or_else(|| http.attributes.get(path))?;
        Some(value)
    }

    fn set_property(&mut self, path: Vec<u8>, value: Vec<u8>) -> bool {
        let Some(stream) = self.current().map(|http| http.stream) else {
            return false;
        };
        self.properties.insert((stream, path), value);
        true
    }
}
