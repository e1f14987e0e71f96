//! Logging in with a token, and out.

use std::net::SocketAddr;

use axum::Form;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::cookie;
use super::layout::{Page, Refusal};
use super::session::{LIFETIME, Session};
use crate::access::TokenHash;
use crate::api::AppState;

#[derive(Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct LogIn {
    token: String,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct LogOut {
    csrf: Option<String>,
}

pub(super) async fn page(session: Option<Session>, Query(wanted): Query<Wanted>) -> Response {
    if session.is_some() {
        return Redirect::to(&safe(wanted.next)).into_response();
    }
    form(wanted.next.as_deref(), None).into_response()
}

pub(super) async fn log_in(
    State(app): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(sent): Form<LogIn>,
) -> Response {
    let token = sent.token.trim().as_bytes();
    match app.authenticate(Some(token), peer.ip()).await {
        Ok(principal) => {
            let Some(id) = app.sessions.open(TokenHash::of(token)) else {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            };
            tracing::info!(principal = principal.name, peer = %peer.ip(), "logged in");
            let cookie = cookie::set(&id, LIFETIME.as_secs(), &headers);
            ([cookie], Redirect::to(&safe(sent.next))).into_response()
        }
        Err(problem) => {
            let status = problem.status();
            tracing::warn!(status = status.as_u16(), peer = %peer.ip(), "log-in refused");
            let reason = if status == StatusCode::UNAUTHORIZED {
                "This is not a token of this config-service."
            } else {
                problem.detail()
            };
            (status, form(sent.next.as_deref(), Some(reason))).into_response()
        }
    }
}

pub(super) async fn log_out(
    State(app): State<AppState>,
    session: Session,
    headers: HeaderMap,
    Form(sent): Form<LogOut>,
) -> Result<Response, Refusal> {
    session.check_csrf(sent.csrf.as_deref())?;
    session.close(&app);
    let cookie = cookie::set("", 0, &headers);
    Ok(([cookie], Redirect::to("/login")).into_response())
}

/// Where to go on: a place of this site, whatever the address says.
fn safe(next: Option<String>) -> String {
    let is_ours = |next: &String| {
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n'])
    };
    next.filter(is_ours)
        .unwrap_or_else(|| "/channels".to_owned())
}

fn form(next: Option<&str>, refused: Option<&str>) -> Html<String> {
    let page = Page {
        title: "Log in",
        place: "",
        session: None,
    };
    page.render(&html! {
        section.card.narrow {
            h1 { "Bedrock channels" }
            p.muted { "Log in with an admin token of this config-service." }
            @if let Some(reason) = refused {
                p.notice.error role="alert" #refused { (reason) }
            }
            form.stack method="post" action="/login" {
                @if let Some(next) = next {
                    input type="hidden" name="next" value=(next);
                }
                label for="token" { "Token" }
                input #token type="password" name="token" required autofocus
                    autocomplete="current-password" aria-describedby=[refused.map(|_| "refused")];
                button.primary type="submit" { "Log in" }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_this_site_are_gone_on_to() {
        for (next, place) in [
            (Some("/history?x=1"), "/history?x=1"),
            (Some("//evil.example"), "/channels"),
            (Some("/\\evil.example"), "/channels"),
            (Some("https://evil.example"), "/channels"),
            (None, "/channels"),
        ] {
            assert_eq!(safe(next.map(str::to_owned)), place);
        }
    }
}
