//! Logging in with a token, and out.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::cookie;
use super::fields::Values;
use super::layout::{Page, Refusal};
use super::place;
use super::session::{Draft, LIFETIME, Session, Sessions};
use crate::access::{TokenHash, random_text};
use crate::api::{AppState, Client};

/// URL of the login page.
const LOG_IN: &str = "/login";

#[derive(Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct LogIn {
    token: String,
    csrf: Option<String>,
    next: Option<String>,
    draft: Option<String>,
}

/// The login form.
#[derive(Default)]
struct LogInForm {
    /// Where to continue.
    next: Option<String>,
    /// Entries made there earlier, as JSON.
    draft: Option<String>,
    /// Why the login failed.
    refused: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct LogOut {
    csrf: Option<String>,
}

pub(super) async fn page(
    session: Option<Session>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    if session.is_some() {
        return Redirect::to(&place::own(wanted.next.as_deref())).into_response();
    }
    let next = wanted.next;
    LogInForm {
        next,
        ..LogInForm::default()
    }
    .show(StatusCode::OK, &headers)
}

/// The login form for a user whose session ended before a form was sent: the entries are kept.
pub(super) fn hold(place: String, values: Values, headers: &HeaderMap) -> Response {
    let draft = serde_json::to_string(&values.without_secrets()).ok();
    let refused = "Your session has ended, so nothing was saved. Log in to get the form back with \
        all your entries except secrets.";
    let form = LogInForm {
        next: Some(place),
        draft,
        refused: Some(refused.to_owned()),
    };
    form.show(StatusCode::UNAUTHORIZED, headers)
}

pub(super) async fn log_in(
    State(app): State<AppState>,
    State(sessions): State<Sessions>,
    client: Client,
    headers: HeaderMap,
    Form(sent): Form<LogIn>,
) -> Response {
    let token = sent.token.trim().as_bytes();
    let form = LogInForm {
        next: sent.next,
        draft: sent.draft,
        refused: None,
    };
    let expected = cookie::read(&headers, cookie::LOG_IN).unwrap_or_default();
    let csrf = sent.csrf.unwrap_or_default();
    if expected.is_empty() || !bool::from(expected.as_bytes().ct_eq(csrf.as_bytes())) {
        app.refuse(client, LOG_IN, "a form without its token").await;
        let reason = "This form was out of date, or your browser blocks cookies. Try again, and allow \
             cookies for this site.";
        let form = LogInForm {
            refused: Some(reason.to_owned()),
            ..form
        };
        return form.show(StatusCode::FORBIDDEN, &headers);
    }
    match app.authenticate(Some(token), client, LOG_IN).await {
        Ok(principal) => {
            let place = place::own(form.next.as_deref());
            let draft = form.draft.and_then(|text| serde_json::from_str(&text).ok());
            let draft = draft.map(|values| Draft {
                place: place.clone(),
                values,
            });
            let Some(id) = sessions.open(TokenHash::of(token), draft) else {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            };
            tracing::info!(principal = principal.name, client = %client.0, "logged in");
            let cookie = cookie::set(cookie::SESSION, &id, LIFETIME.as_secs(), &headers);
            ([cookie], Redirect::to(&place)).into_response()
        }
        Err(problem) => {
            let status = problem.status();
            let reason = if status == StatusCode::UNAUTHORIZED {
                "This is not a valid token for this config-service. Check it, or ask an \
                 administrator for one."
            } else {
                problem.detail()
            };
            let form = LogInForm {
                refused: Some(reason.to_owned()),
                ..form
            };
            form.show(status, &headers)
        }
    }
}

pub(super) async fn log_out(
    State(sessions): State<Sessions>,
    session: Session,
    headers: HeaderMap,
    Form(sent): Form<LogOut>,
) -> Result<Response, Refusal> {
    session.check_csrf(sent.csrf.as_deref())?;
    sessions.close(&session);
    let cookie = cookie::set(cookie::SESSION, "", 0, &headers);
    Ok(([cookie], Redirect::to("/login")).into_response())
}

impl LogInForm {
    /// The page, with the form's token in a cookie and in the form.
    fn show(&self, status: StatusCode, headers: &HeaderMap) -> Response {
        // The same one for several tabs.
        let known = cookie::read(headers, cookie::LOG_IN).filter(|text| !text.is_empty());
        let Some(csrf) = known.map(str::to_owned).or_else(|| random_text().ok()) else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let page = Page {
            title: "Log in",
            place: "",
            session: None,
        };
        let cookie = cookie::set(cookie::LOG_IN, &csrf, LIFETIME.as_secs(), headers);
        (status, [cookie], page.render(&self.render(&csrf))).into_response()
    }

    fn render(&self, csrf: &str) -> Markup {
        let hidden = [("next", &self.next), ("draft", &self.draft)];
        html! {
            section.card.narrow {
                h1 { "Bedrock channels" }
                p.muted { "Log in with a token of this config-service." }
                @if let Some(reason) = &self.refused {
                    p.notice.error role="alert" #refused { (reason) }
                }
                form.stack method="post" action="/login" {
                    input type="hidden" name="csrf" value=(csrf);
                    @for (name, value) in hidden {
                        @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
                    }
                    label for="token" { "Token" }
                    input #token type="password" name="token" required autofocus
                        autocomplete="current-password"
                        aria-describedby=[self.refused.as_ref().map(|_| "refused")];
                    button.primary type="submit" { "Log in" }
                }
            }
        }
    }
}
