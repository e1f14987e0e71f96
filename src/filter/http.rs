//! One HTTP context for each exchange.

use std::time::{SystemTime, UNIX_EPOCH};

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};

use super::figures::Question;
use super::message::{ALL, Message};
use super::requests::{self, Registered};
use super::shared::SharedData;
use super::streams::{self, Shared, Watched};
use super::{end, health, host, metrics, usage};
use crate::call::REQUEST_ID;
use crate::exchange::{Arrival, Exchange, Step};

/// Carries an [`Exchange`] through Envoy's callbacks.
pub(super) struct FilterHttp {
    /// Envoy's number for the stream.
    context: u32,
    exchange: Shared,
    /// Keeps the request where its attempts find it.
    registered: Option<Registered>,
    /// Keeps the answer where ticks find it.
    watched: Option<Watched>,
    /// What the config-service is asked for this request.
    asked: Option<Question>,
}

impl FilterHttp {
    pub(super) fn new(context: u32, exchange: Exchange) -> Self {
        Self {
            context,
            exchange: streams::share(exchange),
            registered: None,
            watched: None,
            asked: None,
        }
    }

    fn is_done(&self) -> bool {
        self.exchange.borrow().is_done()
    }
}

impl FilterHttp {
    /// Takes from the caller's limits what a request needs that is about to leave.
    fn admit(&self, step: Step, now: SystemTime) -> Step {
        let mut exchange = self.exchange.borrow_mut();
        if !exchange.is_limited() {
            return step;
        }
        let step = exchange.admit(step, &SharedData, now);
        for (name, value) in exchange.claims() {
            host::set_claim(name, &value);
        }
        metrics::report_denial(&mut exchange);
        step
    }

    /// Registers the request that attempts have to find. If that fails, the request ends here: no attempt could
    /// put the real one in place of the placeholder.
    fn register(&mut self, action: Action) -> Action {
        let exchange = self.exchange.borrow();
        if exchange.is_done() {
            metrics::report_events(&requests::picker());
        }
        if let Some(request) = exchange.retryable()
            && self.registered.is_none()
        {
            self.registered = requests::register(request);
            if self.registered.is_none() {
                drop(exchange);
                let reply = self.exchange.borrow_mut().unavailable();
                host::reply(&reply);
                return Action::Pause;
            }
        }
        action
    }
}

impl Context for FilterHttp {
    /// The caller's figures have come, or do not come.
    fn on_grpc_call_response(&mut self, _: u32, status: u32, size: usize) {
        let Some(question) = self.asked.take() else {
            return;
        };
        let message = question.answered(status, size);
        let step = self.exchange.borrow_mut().figures(message.as_deref());
        Message::request(0).apply(step);
    }
}

impl HttpContext for FilterHttp {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        let headers = host::headers(MapType::HttpRequestHeaders);
        let mut exchange = self.exchange.borrow_mut();
        if exchange.asks_who() {
            exchange.set_now(host::now());
            let known = host::identities(exchange.properties());
            exchange.know(known);
        }
        let mut step = exchange.request_headers(headers, Arrival::of(end));
        if let Some(id) = exchange.mended_id() {
            self.set_http_request_header(REQUEST_ID, Some(id));
        }
        if let Some(caller) = exchange.caller() {
            host::set_caller(caller.name());
        }
        if let Some(refusal) = exchange.meet_budget(usage::refusal) {
            step = refusal;
        }
        if exchange.asks_health() {
            step = exchange.health(host::now(), &mut health::recall);
        }
        if let Some((reports, caller)) = exchange.asks_figures() {
            self.asked = Question::ask(reports, caller);
            if self.asked.is_none() {
                step = exchange.figures(None);
            }
        }
        if let Some(id) = exchange.reply_id() {
            host::set_reply_id(&id);
        }
        drop(exchange);
        Message::request(0).apply(step)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if self.is_done() {
            return Action::Continue;
        }
        // A body comes in up to hundreds of pieces, and only the last one needs the time.
        let now = if end { host::now() } else { UNIX_EPOCH };
        let mut exchange = self.exchange.borrow_mut();
        if end {
            exchange.set_client(host::client);
        }
        let mut read = || host::read(BufferType::HttpRequestBody, size);
        let step = exchange.request_body(size, Arrival::of(end), now, &mut read);
        drop(exchange);
        if matches!(step, Step::Wait) {
            return Action::Pause;
        }
        let step = self.admit(step, now);
        let action = Message::request(size).apply(step);
        self.register(action)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if self.is_done() {
            return Action::Continue;
        }
        let body = host::read(BufferType::HttpRequestBody, ALL);
        let size = body.len();
        let mut read = || body.clone();
        let mut exchange = self.exchange.borrow_mut();
        exchange.set_client(host::client);
        let now = host::now();
        let step = exchange.request_body(size, Arrival::Complete, now, &mut read);
        drop(exchange);
        let step = self.admit(step, now);
        let action = Message::request(size).apply(step);
        self.register(action)
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        if self.is_done() {
            return Action::Continue;
        }
        let mut exchange = self.exchange.borrow_mut();
        let headers = host::headers(MapType::HttpResponseHeaders);
        if exchange.may_be_limiters(&headers)
            && let Some(step) =
                exchange.limiters_reply(&headers, &host::reply_details(), host::now())
        {
            metrics::report_denial(&mut exchange);
            drop(exchange);
            return Message::response(0).apply(step);
        }
        if let Some(request) = exchange.retryable() {
            let now = host::now();
            request.fail_open_attempt(now);
            if !request.was_attempted(now) {
                log::error!("a request was sent to a pool, but no attempt was made");
            }
            metrics::report_events(&requests::picker());
            health::report_attempts(&requests::picker());
        }
        let step = exchange.response_headers(headers, Arrival::of(end));
        health::report_call(&mut exchange);
        if end {
            end::report(&mut exchange);
        }
        if exchange.wants_ticks() {
            self.watched = Some(streams::watch(self.context, &self.exchange));
        }
        drop(exchange);
        Message::response(0).apply(step)
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if self.is_done() {
            if end {
                end::report(&mut self.exchange.borrow_mut());
            }
            return Action::Continue;
        }
        let mut read = || host::read(BufferType::HttpResponseBody, size);
        let mut exchange = self.exchange.borrow_mut();
        let step = exchange.response_body(size, Arrival::of(end), &mut read);
        end::note_speech(&mut exchange);
        health::report_call(&mut exchange);
        if end {
            end::report(&mut exchange);
        }
        drop(exchange);
        Message::response(size).apply(step)
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        if self.is_done() {
            end::report(&mut self.exchange.borrow_mut());
            return Action::Continue;
        }
        let body = host::read(BufferType::HttpResponseBody, ALL);
        let size = body.len();
        let mut read = || body.clone();
        let mut exchange = self.exchange.borrow_mut();
        let step = exchange.response_trailers(size, &mut read);
        health::report_call(&mut exchange);
        end::report(&mut exchange);
        drop(exchange);
        Message::response(size).apply(step)
    }

    /// The last callback, however the stream ended. What Envoy's rate limit filter is to count at its end is known only
    /// now, and Envoy says nothing else of a connection that breaks in the middle of an answer.
    fn on_log(&mut self) {
        let Ok(mut exchange) = self.exchange.try_borrow_mut() else {
            return;
        };
        if exchange.awaits_more() && host::upstream_broke() {
            exchange.broke_off();
            health::report_call(&mut exchange);
            health::report_attempts(&requests::picker());
        }
        end::report_at_last(&mut exchange);
        if exchange.is_limited() {
            let ended = exchange.ended_at().unwrap_or_else(host::now);
            if let Some((name, value)) = exchange.settle(&SharedData, ended) {
                host::set_claim(name, &value);
            }
        }
    }
}
