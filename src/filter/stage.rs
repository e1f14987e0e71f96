//! Where a stream is: on a listener, or on a cluster as an attempt of one that came through a listener.

use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::http::FilterHttp;
use super::relays;
use super::upstream::FilterUpstream;
use crate::exchange::Exchange;
use crate::routes::Routes;

/// The context of a filter that stands in both places.
pub(super) struct FilterStage {
    routes: Arc<Routes>,
    /// Known with the first header.
    context: Option<Box<dyn HttpContext>>,
}

impl FilterStage {
    pub(super) fn new(routes: Arc<Routes>) -> Self {
        Self {
            routes,
            context: None,
        }
    }

    fn choose(&self) -> Box<dyn HttpContext> {
        let relay = relays::find();
        if relay.is_some() || relays::channel().is_some() {
            return Box::new(FilterUpstream::new(relay));
        }
        let routes = Arc::clone(&self.routes);
        let exchange = Exchange::on_listener(routes, &relays::dispatcher());
        Box::new(FilterHttp::new(exchange))
    }

    fn feed(&mut self, step: impl FnOnce(&mut dyn HttpContext) -> Action) -> Action {
        match &mut self.context {
            Some(context) => step(context.as_mut()),
            None => Action::Continue,
        }
    }
}

impl Context for FilterStage {}

impl HttpContext for FilterStage {
    fn on_http_request_headers(&mut self, count: usize, end: bool) -> Action {
        let context = self.choose();
        self.context
            .insert(context)
            .on_http_request_headers(count, end)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.feed(|context| context.on_http_request_body(size, end))
    }

    fn on_http_request_trailers(&mut self, count: usize) -> Action {
        self.feed(|context| context.on_http_request_trailers(count))
    }

    fn on_http_response_headers(&mut self, count: usize, end: bool) -> Action {
        self.feed(|context| context.on_http_response_headers(count, end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.feed(|context| context.on_http_response_body(size, end))
    }

    fn on_http_response_trailers(&mut self, count: usize) -> Action {
        self.feed(|context| context.on_http_response_trailers(count))
    }
}
