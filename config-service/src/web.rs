//! The web pages for administrators: rendered here, and usable without their script where possible.
//!
//! Every page uses the same functions as the API. Nothing is inline, so that the content security
//! policy can forbid it.

mod api;
mod assets;
mod callers;
mod choices;
mod cookie;
mod credentials;
mod diff;
mod discovery;
mod explain;
mod export;
mod fields;
mod form;
mod history;
mod inputs;
mod layout;
mod line_numbers;
mod list;
mod login;
mod place;
mod session;
mod test;
mod tokens;
mod usage;
mod validate;
mod without_secrets;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use crate::api::AppState;
use session::Sessions;

/// Longest form, in bytes: slightly longer than the API's bodies.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

/// Scripts and styles only from here, no frames, forms only to here.
///
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy>
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The pages' state: the API's, and who is logged in. Clones share one state.
#[derive(Clone, Debug)]
struct Pages {
    app: AppState,
    sessions: Sessions,
}

impl FromRef<Pages> for AppState {
    fn from_ref(pages: &Pages) -> Self {
        pages.app.clone()
    }
}

impl FromRef<Pages> for Sessions {
    fn from_ref(pages: &Pages) -> Self {
        pages.sessions.clone()
    }
}

/// Every page.
pub(crate) fn routes<S>(app: AppState) -> Router<S> {
    let pages = Pages {
        app,
        sessions: Sessions::default(),
    };
    Router::new()
        .route("/", get(|| async { Redirect::to("/channels") }))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/channels", get(list::page))
        .route("/channels/new", get(form::new).post(form::create))
        .route("/channels/validate", post(validate::validate))
        .route("/channels/{id}", get(form::edit).post(form::save))
        .route("/channels/{id}/enabled", post(list::set_enabled))
        .route("/channels/{id}/delete", post(form::delete))
        .route("/channels/{id}/history", get(history::of_channel))
        .route("/channels/{id}/rollback", post(history::roll_back))
        .route("/channels/{id}/test", get(test::page).post(test::run))
        .route(
            "/channels/{id}/discovery",
            get(discovery::page).post(discovery::ask),
        )
        .route("/channels/{id}/discovery/map", post(discovery::map))
        .merge(callers::routes())
        .merge(choices::routes())
        .route(
            "/credentials",
            get(credentials::page).post(credentials::save),
        )
        .route("/credentials/{name}/delete", post(credentials::delete))
        .route("/credentials/{name}/history", get(history::of_credential))
        .route(
            "/credentials/{name}/rollback",
            post(history::roll_back_credential),
        )
        .route("/explain", get(explain::page).post(explain::run))
        .route("/export/istio", get(export::istio))
        .route("/export/plugin-config", get(export::plugin_config))
        .route("/history", get(history::all))
        .route("/api-reference", get(api::page))
        .route("/usage", get(usage::page))
        .route(
            "/usage/budgets",
            get(usage::budgets::page).post(usage::budgets::set),
        )
        .route("/usage/budgets/remove", post(usage::budgets::remove))
        .route(
            "/usage/prices",
            get(usage::prices::page).post(usage::prices::set),
        )
        .route("/usage/prices/remove", post(usage::prices::remove))
        .route("/tokens", get(tokens::page).post(tokens::create))
        .route("/tokens/{id}/revoke", post(tokens::revoke))
        .route("/assets/{file}", get(assets::serve))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(middleware::from_fn(only_own_forms))
        .layer(middleware::from_fn(protect))
        .with_state(pages)
}

/// Refuses forms that another site sent. Browsers report where a request comes from; where they do
/// not, the token in each form protects it.
///
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>
async fn only_own_forms(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let is_own = site.is_none_or(|site| site == "same-origin" || site == "none");
    if request.method().is_safe() || is_own {
        return next.run(request).await;
    }
    layout::Refusal::forbidden("The form was sent by another site.").into_response()
}

async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
