//! Calls from pages of other origins in a browser: <https://fetch.spec.whatwg.org/#http-cors-protocol>.
//!
//! Cookies play no part: callers identify themselves in headers that a page has to set itself, so no answer allows
//! credentials.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::{Edit, Exchange, Phase, Reply, Step};
use crate::call::Headers;
use crate::chat::{Error, ErrorKind};

/// What a page may ask with; a path that takes only one of them says so itself.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");

/// Seconds for which a browser need not ask again. An origin that is no longer allowed can call for as long.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// A page may read every header: without credentials, none of them is secret from it.
const EVERY_HEADER: HeaderValue = HeaderValue::from_static("*");

/// Longest name of an origin that an error repeats, in bytes.
const MAX_SHOWN: usize = 200;

impl Exchange {
    /// Notes whether the request is from a page that may read the answer. On a preflight, which asks for just that, the
    /// reply.
    pub(super) fn meet_page(&mut self, headers: &Headers) -> Option<Step> {
        let asks = headers.get_str(":method") == Some(Method::OPTIONS.as_str());
        let allowed = self.routes.cors_origins();
        // Usually no origin is allowed, and there is nothing to do.
        if allowed.is_empty() && !asks {
            return None;
        }
        let origin = headers.get_str(ORIGIN.as_str())?;
        let is_allowed = allowed.allow(origin);
        self.page = HeaderValue::from_str(origin).ok().filter(|_| is_allowed);
        if !asks
            || headers
                .get(ACCESS_CONTROL_REQUEST_METHOD.as_str())
                .is_none()
        {
            return None;
        }
        if self.page.is_none() {
            return Some(self.reply(&not_allowed(origin)));
        }
        self.phase = Phase::Done;
        let mut answer = vec![
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        // None of them goes any further, so that a page may send what it likes.
        let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS.as_str());
        let wanted = wanted.and_then(|names| HeaderValue::from_bytes(names).ok());
        answer.extend(wanted.map(|names| (ACCESS_CONTROL_ALLOW_HEADERS, names)));
        Some(Step::Reply(Reply {
            status: StatusCode::NO_CONTENT,
            headers: answer,
            body: Vec::new(),
        }))
    }

    /// The step with what lets a page read the answer, if it may and the step has an answer's headers.
    pub(super) fn readable(&self, mut step: Step) -> Step {
        let Some(page) = &self.page else {
            return step;
        };
        match &mut step {
            Step::Reply(reply) => reply.headers.extend(permission(page)),
            Step::Edit(Edit {
                headers: Some(headers),
                ..
            }) if headers.get(":status").is_some() => headers.extend(&permission(page)),
            _ => {}
        }
        step
    }

    /// Lets the page read an answer that begins at a tick, and says how the caller stands.
    pub(super) fn make_readable(&self, edit: &mut Edit) {
        if self.is_limited() {
            self.tell_limits(edit);
        }
        if let (Some(page), Some(headers)) = (&self.page, &mut edit.headers) {
            headers.extend(&permission(page));
        }
    }

    /// An answer that passes as it is, but for what lets a page read it and what says how the caller stands.
    pub(super) fn pass_answer(&self, headers: Headers) -> Step {
        if self.page.is_none() && !self.is_limited() {
            return Step::Pass;
        }
        Step::Edit(Edit {
            headers: Some(headers),
            body: None,
        })
    }
}

fn permission(page: &HeaderValue) -> [(HeaderName, HeaderValue); 3] {
    [
        (ACCESS_CONTROL_ALLOW_ORIGIN, page.clone()),
        (ACCESS_CONTROL_EXPOSE_HEADERS, EVERY_HEADER),
        (VARY, HeaderValue::from_static("origin")),
    ]
}

/// Browsers show this only in their developer tools.
fn not_allowed(origin: &str) -> Error {
    let shown: String = origin.chars().take(MAX_SHOWN).collect();
    let message = format!(
        "Pages of the origin '{shown}' may not call this gateway. Its administrator can allow the origin in \
         cors_origins."
    );
    Error::new(StatusCode::FORBIDDEN, ErrorKind::Permission, message).code("origin_not_allowed")
}
