//! Where a request would go.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bedrock_filter::config::{ProtocolName, visible};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::layout::{Page, Refusal, csrf, protocol_field};
use super::session::Session;
use crate::api::AppState;
use crate::edit::{SyntaxError, plain_json};
use crate::explain::{Explanation, Upstream, request_for};
use crate::store::Contents;

#[derive(Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    csrf: Option<String>,
    /// A model's name, or a whole request as JSON.
    #[serde(default)]
    request: String,
    /// What the client speaks; OpenAI's chat by default.
    #[serde(default)]
    protocol: ProtocolName,
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
    let protocol = question.protocol;
    let request = match read(protocol, &question.request) {
        Ok(request) => request,
        Err(error) => {
            let notice = html! { p.notice.error role="alert" { (error) } };
            let page = show(&session, &contents, &question, &notice);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let channel = Some(question.channel.as_str()).filter(|id| !id.is_empty());
    let explanation = app
        .channels
        .explain((protocol, &request), channel, None)
        .await?;
    Ok(show(&session, &contents, &question, &result(&explanation)))
}

/// Why what was entered cannot be explained.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("Enter a model name or a request.")]
    Empty,
    #[error("A request must be a JSON object.")]
    NotAnObject,
    #[error("The request is not valid JSON: {0}.")]
    Json(#[from] SyntaxError),
}

/// Parses the entry: a JSON object, perhaps as somebody pasted it, is a request, anything else a model name.
fn read(protocol: ProtocolName, text: &str) -> Result<Value, Unreadable> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    let is_name = !text.contains(['{', '[']);
    if is_name {
        return Ok(request_for(protocol, text));
    }
    let plain = plain_json(text)?;
    match serde_json::from_str(&plain).map_err(SyntaxError::from)? {
        request @ Value::Object(_) => Ok(request),
        _ => Err(Unreadable::NotAnObject),
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
        p.muted { "Shows where a request would go and what Bedrock would get. The filter's own \
            code answers; AWS is not called." }
        form.card.stack method="post" action="/explain" {
            (csrf(session))
            div.field {
                label for="request" { "Name of a model, or a whole request as JSON" }
                textarea #request name="request" rows="6" spellcheck="false" required { (question.request) }
            }
            (protocol_field("What the client speaks", question.protocol))
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
            @if let Some(choice) = &told.choice {
                dl.facts {
                    dt { "Chosen" } dd { (visible(&choice.model)) }
                    dt { "Because" } dd { (visible(&choice.because)) }
                    dt { "In order" } dd { (visible(&choice.models.join(", "))) }
                }
            }
            @if let Some(route) = &told.route {
                dl.facts {
                    dt { "Channel" } dd { (route.channel) }
                    dt { "Because" } dd { (route.because) }
                    dt { "Model id" } dd { code { (route.model_id) } }
                    dt { "Family" } dd { code { (route.family) } }
                    dt { "Region" } dd { code { (route.region) } }
                }
            } @else { p { "Nowhere: no channel serves " code { (visible(&told.model)) } "." } }
            @if let Some(refused) = &told.refused {
                div.notice.error.refused {
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
                dt { "Time limit for its answer" } dd { (upstream.timeout_ms / 1000) " s" }
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
