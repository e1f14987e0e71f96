//! One HTTP context for each exchange.

use std::time::UNIX_EPOCH;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};

use super::relays::{self, Filed};
use super::{host, metrics};
use crate::exchange::{Exchange, Reply, Step};

/// Buffer sizes are not told with trailers; Envoy gives what it has.
pub(super) const ALL: usize = u32::MAX as usize;

/// Carries an [`Exchange`] through Envoy's callbacks.
pub(super) struct FilterHttp {
    exchange: Exchange,
    /// Keeps the request where its attempts find it.
    filed: Option<Filed>,
}

impl FilterHttp {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            filed: None,
        }
    }
}

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
                if let Some(headers) = &edit.headers {
                    host::set_headers(self.headers, headers);
                }
                if let Some(body) = &edit.body {
                    host::replace(self.body, self.size, body.slices());
                    metrics::report_memory();
                }
                Action::Continue
            }
            Step::Reply(reply) => {
                host::reply(&reply);
                Action::Pause
            }
        }
    }
}

impl FilterHttp {
    /// Files what attempts have to find. Without it they would send the stand-in unsigned, so that a
    /// fault here must end the request.
    fn file(&mut self, action: Action) -> Action {
        if self.exchange.is_done() {
            metrics::report_events(&relays::dispatcher());
        }
        if let Some(relay) = self.exchange.relay()
            && self.filed.is_none()
        {
            self.filed = relays::file(relay);
            if self.filed.is_none() {
                host::reply(&Reply::unavailable());
                return Action::Pause;
            }
        }
        action
    }
}

impl Context for FilterHttp {}

impl HttpContext for FilterHttp {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        let headers = host::headers(MapType::HttpRequestHeaders);
        let step = self.exchange.request_headers(headers, end);
        Message::request(0).apply(step)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if self.exchange.is_done() {
            return Action::Continue;
        }
        // A body comes in up to hundreds of pieces, and only the last one needs the time.
        let now = if end { host::now() } else { UNIX_EPOCH };
        if end {
            self.exchange.set_client(host::client);
        }
        let mut read = || host::read(BufferType::HttpRequestBody, size);
        let step = self.exchange.request_body(size, end, now, &mut read);
        let action = Message::request(size).apply(step);
        self.file(action)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if self.exchange.is_done() {
            return Action::Continue;
        }
        let body = host::read(BufferType::HttpRequestBody, ALL);
        let size = body.len();
        let mut read = || body.clone();
        self.exchange.set_client(host::client);
        let step = self
            .exchange
            .request_body(size, true, host::now(), &mut read);
        let action = Message::request(size).apply(step);
        self.file(action)
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        if self.exchange.is_done() {
            return Action::Continue;
        }
        if let Some(relay) = self.exchange.relay() {
            let now = host::now();
            relay.note_silence(now);
            if !relay.was_tried(now) {
                log::error!("a request was sent to a pool that made no attempt of it");
            }
            metrics::report_events(&relays::dispatcher());
        }
        let headers = host::headers(MapType::HttpResponseHeaders);
        let step = self.exchange.response_headers(headers, end);
        Message::response(0).apply(step)
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if self.exchange.is_done() {
            return Action::Continue;
        }
        let mut read = || host::read(BufferType::HttpResponseBody, size);
        let step = self.exchange.response_body(size, end, &mut read);
        metrics::report_end(&mut self.exchange);
        Message::response(size).apply(step)
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        if self.exchange.is_done() {
            return Action::Continue;
        }
        let body = host::read(BufferType::HttpResponseBody, ALL);
        let size = body.len();
        let mut read = || body.clone();
        let step = self.exchange.response_trailers(size, &mut read);
        metrics::report_end(&mut self.exchange);
        Message::response(size).apply(step)
    }
}
