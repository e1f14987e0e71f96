//! Where a request would go.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::layout::{Page, Refusal, csrf};
use super::session::Session;
use crate::api::AppState;
use crate::explain::{Explanation, Upstream, request_for};
use crate::store::Contents;

#[derive(Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    csrf: Option<String>,
    /// A model's name, or a whole request as JSON.
    #[serde(default)]
    request: String,
    /// Id of the only channel to ask; empty for all.
    #[serde(default)]
    channel: String,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(question): Query<Question>,
) -> Result<Response, Refusal> {
    let contents = app.channels.list().await?;
    Ok(show(&session, &contents, &question, &html! {}))
}

pub(super) async fn run(
    State(app): State<AppState>,
    session: Session,
    Form(question): Form<Question>,
) -> Result<Response, Refusal> {
    session.check_csrf(question.csrf.as_deref())?;
    let contents = app.channels.list().await?;
    let request = match read(&question.request) {
        Ok(request) => request,
        Err(reason) => {
            let notice = html! { p.notice.error role="alert" { (reason) } };
            let page = show(&session, &contents, &question, &notice);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let channel = Some(question.channel.as_str()).filter(|id| !id.is_empty());
    let explanation = app.channels.explain(&request, channel).await?;
    Ok(show(&session, &contents, &question, &result(&explanation)))
}

/// A request: a JSON object as it is, anything else is the name of a model.
fn read(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Enter the name of a model, or a request.".to_owned());
    }
    if !text.starts_with(['{', '[']) {
        return Ok(request_for(text));
    }
    match serde_json::from_str(text) {
        Ok(request @ Value::Object(_)) => Ok(request),
        Ok(_) => Err("A request is a JSON object.".to_owned()),
        Err(error) => Err(format!("The request is no JSON: {error}.")),
    }
}

fn show(session: &Session, contents: &Contents, question: &Question, result: &Markup) -> Response {
    let page = Page {
        title: "Explain",
        place: "/explain",
        session: Some(session),
    };
    let document = page.render(&html! {
        h1 { "Explain" }
        p.muted { "Where a request would go and what Bedrock would get. The filter's own code answers; AWS is not called." }
        form.card.stack method="post" action="/explain" {
            (csrf(session))
            div.field {
                label for="request" { "Name of a model, or a whole chat request as JSON" }
                textarea #request name="request" rows="6" spellcheck="false" required { (question.request) }
            }
            div.field {
                label for="channel" { "Channel" }
                select #channel name="channel" {
                    option value="" { "The one that would serve it" }
                    @for stored in &contents.channels {
                        option value=(stored.id) selected[stored.id == question.channel] { (stored.channel.name) }
                    }
                }
            }
            div.actions { button.primary type="submit" { "Explain" } }
        }
        (result)
    });
    document.into_response()
}

fn result(told: &Explanation) -> Markup {
    html! {
        section.card #explanation aria-live="polite" {
            h2 { "Where it goes" }
            @if let Some(route) = &told.route {
                dl.facts {
                    dt { "Channel" } dd { (route.channel) }
                    dt { "Because" } dd { (route.because) }
                    dt { "Model id" } dd { code { (route.model_id) } }
                    dt { "Family" } dd { code { (route.family) } }
                    dt { "Region" } dd { code { (route.region) } }
                }
            } @else { p { "Nowhere: no channel serves " code { (told.model) } "." } }
            @if let Some(refused) = &told.refused {
                div.notice.error {
                    p { "The client would get HTTP " (refused.status) ":" }
                    pre { (pretty(&refused.error)) }
                }
            }
        }
        @if let Some(upstream) = &told.upstream { (wire(upstream)) }
        @if !told.parameters.is_empty() {
            section.card {
                h2 { "Parameters" }
                ul.parameters {
                    @for own in &told.parameters {
                        li { code { (own.name) } " " span.badge.good[own.treatment == "translated"] { (own.treatment.replace('_', " ")) } }
                    }
                }
            }
        }
        section.card {
            h2 { "Channels" }
            ul.plain {
                @for own in &told.channels {
                    li { span aria-hidden="true" { @if own.serves { "✓ " } @else { "✗ " } } a href={ "/channels/" (own.id) } { (own.name) } ": " (own.reason) }
                }
            }
        }
    }
}

fn wire(upstream: &Upstream) -> Markup {
    html! {
        section.card {
            h2 { "What Bedrock gets" }
            dl.facts {
                dt { "Request" } dd { code { (upstream.method) " " (upstream.origin) (upstream.path) } }
                dt { "Signed path" } dd { code { (upstream.canonical_uri) } }
                dt { "Time until it answers" } dd { (upstream.timeout_ms / 1000) " s" }
                @for (name, value) in &upstream.headers {
                    dt { (name) } dd { code { (value.as_str().unwrap_or_default()) } }
                }
            }
            h3 { "Body" }
            pre #upstream-body { (pretty(&upstream.body)) }
        }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
