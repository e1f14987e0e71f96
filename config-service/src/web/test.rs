//! Sends real requests through a channel.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Html;
use bedrock_filter::config::ProtocolName;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Page, Refusal, csrf, protocol_field};
use super::session::Session;
use crate::api::AppState;
use crate::channel::StoredChannel;
use crate::probe::{Outcome, Plan, Report};

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    csrf: Option<String>,
    /// Names, one per line.
    #[serde(default)]
    models: String,
    /// What the test speaks, as a client would; OpenAI's chat by default.
    #[serde(default)]
    protocol: ProtocolName,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    prompt: String,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Html<String>, Refusal> {
    let stored = app.channels.get(&id).await?;
    let asked = Asked {
        prompt: Plan::default().prompt,
        ..Asked::default()
    };
    Ok(show(&session, &stored, &asked, None))
}

pub(super) async fn run(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Html<String>, Refusal> {
    // A test spends the account's money.
    session.check_edit(asked.csrf.as_deref())?;
    let stored = app.channels.get(&id).await?;
    let names = asked.models.lines().map(str::trim);
    let plan = Plan {
        models: names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        protocol: asked.protocol,
        stream: match asked.kind.as_str() {
            "plain" => Some(false),
            "stream" => Some(true),
            _ => None,
        },
        prompt: asked.prompt.clone(),
        ..Plan::default()
    };
    let report = app.channels.test(&id, &plan).await.map_err(Into::into);
    Ok(show(&session, &stored, &asked, Some(report)))
}

fn show(
    session: &Session,
    stored: &StoredChannel,
    asked: &Asked,
    report: Option<Result<Report, Refusal>>,
) -> Html<String> {
    let page = Page {
        title: "Test",
        place: "/channels",
        session: Some(session),
    };
    let kinds = [
        ("", "both"),
        ("plain", "whole answers"),
        ("stream", "streams"),
    ];
    page.render(&html! {
        div.heading {
            h1 { "Test " (stored.channel.name) }
            nav.tabs aria-label="Channel" { a href={ "/channels/" (stored.id) } { "Edit" } }
        }
        p.muted { "Sends real requests, which AWS bills, from the config-service; they are \
            encoded, signed and decoded by the filter's own code." }
        form.card.stack method="post" data-busy="Asking Bedrock …" {
            (csrf(session))
            div.field {
                label for="models" { "Models" }
                small #models-hint { "One per line. Empty: every name that the channel has." }
                textarea #models name="models" rows="3" spellcheck="false" aria-describedby="models-hint" { (asked.models) }
            }
            div.grid {
                (protocol_field("What the client speaks", asked.protocol))
                div.field {
                    label for="kind" { "Answers" }
                    select #kind name="kind" {
                        @for (value, text) in kinds { option value=(value) selected[asked.kind == value] { (text) } }
                    }
                }
                div.field {
                    label for="prompt" { "Prompt" }
                    input #prompt type="text" name="prompt" value=(asked.prompt) required;
                }
            }
            div.actions { button.primary type="submit" { "Send" } }
        }
        @match report {
            None => {}
            Some(Ok(report)) => { section #report aria-live="polite" data-protocol=(asked.protocol.as_str()) { @for own in &report.results { (outcome(own)) } } }
            Some(Err(Refusal::Message(_, reason))) => { p.notice.error role="alert" { (reason) } }
            Some(Err(Refusal::LogIn(_))) => {}
        }
    })
}

fn outcome(own: &Outcome) -> Markup {
    html! {
        article.card.outcome data-ok=(own.ok) {
            h2 {
                code { (own.model) } @if own.stream { " streamed" } @else { " whole" }
                span.badge.good[own.ok].bad[!own.ok] { @if own.ok { "works" } @else { "fails" } }
                small.muted { (own.elapsed_ms) " ms" }
            }
            ol.stages {
                @for stage in &own.stages {
                    li.bad[!stage.ok] {
                        span aria-hidden="true" { @if stage.ok { "✓ " } @else { "✗ " } }
                        strong { (format!("{:?}", stage.stage).to_lowercase()) }
                        small.muted { " " (stage.elapsed_ms) " ms " }
                        span { (stage.detail) }
                        @if let Some(remedy) = &stage.remedy { p.remedy { (remedy) } }
                    }
                }
            }
            @if let Some(answer) = &own.answer { blockquote { (answer) } }
        }
    }
}
