//! One HTTP context for each attempt on a cluster.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};

use super::message::{ALL, Message};
use super::requests;
use super::streams::{self, Shared, Watched};
use super::{end, health, host, metrics};
use crate::exchange::{Arrival, Edit, Exchange};
use crate::failover::RetryableRequest;

/// Carries one attempt through Envoy's callbacks.
pub(super) struct FilterUpstream {
    /// Envoy's number for the attempt.
    context: u32,
    /// From the first header until the attempt begins.
    request: Option<Rc<RetryableRequest>>,
    /// Once the whole placeholder has arrived.
    exchange: Option<Shared>,
    /// Keeps the answer where ticks find it.
    watched: Option<Watched>,
}

impl FilterUpstream {
    pub(super) fn new(context: u32) -> Self {
        Self {
            context,
            request: None,
            exchange: None,
            watched: None,
        }
    }

    /// Makes sure that nothing leaves. It sends no reply, see [`Exchange::attempt`].
    fn refuse() -> Action {
        log::error!("a request on a pool is unknown to this VM and was not sent");
        if let Some(headers) = &Edit::unsendable().headers {
            host::set_headers(MapType::HttpRequestHeaders, headers);
        }
        Action::Continue
    }

    /// Puts the call in place of the placeholder.
    fn begin(&mut self, size: usize) -> Action {
        let Some(request) = self.request.take() else {
            return Action::Continue;
        };
        let channel = requests::endpoint_channel().unwrap_or_default();
        let (mut exchange, step) = Exchange::attempt(request, &channel, host::now());
        exchange.set_clock(host::now);
        self.exchange = Some(streams::share(exchange));
        Message::request(size).apply(step)
    }

    /// Feeds the exchange, if it has begun.
    fn feed(&mut self, step: impl FnOnce(&mut Exchange) -> Action) -> Action {
        let Some(shared) = &self.exchange else {
            return Action::Continue;
        };
        let mut exchange = shared.borrow_mut();
        if exchange.is_done() {
            return Action::Continue;
        }
        let action = step(&mut exchange);
        if self.watched.is_none() && exchange.wants_ticks() {
            self.watched = Some(streams::watch(self.context, shared));
        }
        action
    }
}

impl Context for FilterUpstream {}

impl HttpContext for FilterUpstream {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        self.request = requests::find();
        // A placeholder has a body.
        if end || self.request.is_none() {
            return Self::refuse();
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if end || self.request.is_none() {
            return self.begin(size);
        }
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let size = host::read(BufferType::HttpRequestBody, ALL).len();
        self.begin(size)
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        self.feed(|exchange| {
            exchange.set_now(host::now());
            let headers = host::headers(MapType::HttpResponseHeaders);
            let step = exchange.response_headers(headers, Arrival::of(end));
            metrics::report_events(&requests::picker());
            health::report_attempts(&requests::picker());
            Message::response(0).apply(step)
        })
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.feed(|exchange| {
            let mut read = || host::read(BufferType::HttpResponseBody, size);
            let step = exchange.response_body(size, Arrival::of(end), &mut read);
            metrics::report_events(&requests::picker());
            health::report_attempts(&requests::picker());
            end::note_speech(exchange);
            Message::response(size).apply(step)
        })
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.feed(|exchange| {
            let body = host::read(BufferType::HttpResponseBody, ALL);
            let size = body.len();
            let mut read = || body.clone();
            let step = exchange.response_trailers(size, &mut read);
            health::report_attempts(&requests::picker());
            Message::response(size).apply(step)
        })
    }
}
