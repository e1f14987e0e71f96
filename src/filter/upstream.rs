//! One HTTP context for each attempt on a cluster.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};

use super::http::{ALL, Message};
use super::relays;
use super::{host, metrics};
use crate::exchange::{Edit, Exchange};
use crate::relay::Relay;

/// Carries one attempt through Envoy's callbacks.
#[derive(Default)]
pub(super) struct FilterUpstream {
    /// From the first header until the attempt begins.
    relay: Option<Rc<Relay>>,
    /// Once the stand-in has arrived as a whole.
    exchange: Option<Exchange>,
}

impl FilterUpstream {
    /// Sees to it that nothing leaves. No reply: see [`Exchange::attempt`].
    fn refuse() -> Action {
        log::error!("a request on a pool is not known to this VM and is not sent");
        if let Some(headers) = &Edit::unsendable().headers {
            host::set_headers(MapType::HttpRequestHeaders, headers);
        }
        Action::Continue
    }

    /// Puts the call in place of the stand-in.
    fn begin(&mut self, size: usize) -> Action {
        let Some(relay) = self.relay.take() else {
            return Action::Continue;
        };
        let channel = relays::channel().unwrap_or_default();
        let (exchange, step) = Exchange::attempt(relay, &channel, host::now());
        self.exchange = Some(exchange);
        Message::request(size).apply(step)
    }

    /// Feeds the exchange, if it has begun.
    fn feed(&mut self, step: impl FnOnce(&mut Exchange) -> Action) -> Action {
        match &mut self.exchange {
            Some(exchange) if !exchange.is_done() => step(exchange),
            _ => Action::Continue,
        }
    }
}

impl Context for FilterUpstream {}

impl HttpContext for FilterUpstream {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        self.relay = relays::find();
        // A relay's stand-in has a body.
        if end || self.relay.is_none() {
            return Self::refuse();
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if end || self.relay.is_none() {
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
            let step = exchange.response_headers(headers, end);
            metrics::report_events(&relays::dispatcher());
            Message::response(0).apply(step)
        })
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.feed(|exchange| {
            let mut read = || host::read(BufferType::HttpResponseBody, size);
            let step = exchange.response_body(size, end, &mut read);
            metrics::report_events(&relays::dispatcher());
            metrics::report_end(exchange);
            Message::response(size).apply(step)
        })
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.feed(|exchange| {
            let body = host::read(BufferType::HttpResponseBody, ALL);
            let size = body.len();
            let mut read = || body.clone();
            let step = exchange.response_trailers(size, &mut read);
            metrics::report_end(exchange);
            Message::response(size).apply(step)
        })
    }
}
