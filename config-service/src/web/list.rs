//! All channels, and the state of the Envoys.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use maud::{Markup, html};
use serde::Deserialize;

use super::export;
use super::layout::{Page, Refusal, csrf, time};
use super::session::Session;
use crate::api::AppState;
use crate::channel::{CredentialStatus, StoredChannel};
use crate::channels::{Author, Request};
use crate::discovery;
use crate::fleet::FleetView;
use crate::health::ModelHealth;

/// How many model names a row shows.
const SHOWN_MODELS: usize = 6;

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
    /// The channel that was just saved.
    saved: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Enable {
    csrf: Option<String>,
    enabled: bool,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(search): Query<Search>,
) -> Result<Html<String>, Refusal> {
    let contents = app.channels.list().await?;
    let status = app.channels.credential_status();
    let revision = app.published.borrow().revision;
    let found: Vec<_> = contents
        .channels
        .iter()
        .filter(|stored| matches(stored, &search.q))
        .collect();
    let page = Page {
        title: "Channels",
        place: "/channels",
        session: Some(&session),
    };
    let may_edit = session.principal.may_edit().is_ok();
    let view = app
        .fleet
        .view(revision)
        .needing(app.published.borrow().cluster_names());
    Ok(page.render(&html! {
        div.heading {
            h1 { "Channels" }
            @if may_edit { a.button.primary href="/channels/new" { "New channel" } }
        }
        (fleet(&view))
        form.search role="search" {
            label.visually-hidden for="q" { "Search" }
            input #q type="search" name="q" value=(search.q) placeholder="Name, region or model";
            button type="submit" { "Search" }
        }
        @if contents.channels.is_empty() { (no_channels(&session)) }
        @else if found.is_empty() { (nothing_found()) }
        @else {
            table.channels {
                thead { tr {
                    th scope="col" { "Channel" }
                    th scope="col" { "Region" }
                    th scope="col" { "Models" }
                    th scope="col" { "Credentials" }
                    th scope="col" { "Last edit" }
                    th scope="col" { "State" }
                } }
                tbody {
                    @for stored in &found {
                        (row(
                            &session,
                            stored,
                            status.get(&stored.id),
                            (search.saved.as_deref(), &app.channels.health_of(stored)),
                        ))
                    }
                }
            }
            (export::links(&session))
        }
    }))
}

pub(super) async fn set_enabled(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(sent): Form<Enable>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    let body = serde_json::json!({"enabled": sent.enabled}).to_string();
    let stored = app.channels.edit(author, Request::Patch(id), body).await?;
    Ok(Redirect::to(&format!("/channels?saved={}", stored.id)))
}

/// Whether a channel has a text in its name, region or models, ignoring case.
fn matches(stored: &StoredChannel, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let has = |own: &str| own.to_lowercase().contains(&text);
    has(&stored.channel.name) || has(&stored.channel.region) || models(stored).any(|own| has(own))
}

/// The names that a channel lists or maps.
fn models(stored: &StoredChannel) -> impl Iterator<Item = &String> {
    let channel = &stored.channel;
    let mut names: Vec<_> = channel
        .models
        .iter()
        .chain(channel.mapped_names())
        .collect();
    names.sort();
    names.dedup();
    names.into_iter()
}

fn fleet(view: &FleetView) -> Markup {
    html! {
        p.fleet #fleet { (view.summary()) "." }
        @for (node, reason) in view.refusals() {
            p.notice.error role="alert" {
                strong { "Envoy " (node) " refused it and keeps what it had: " } (reason)
            }
        }
    }
}

fn no_channels(session: &Session) -> Markup {
    html! {
        section.card.empty {
            h2 { "No channels yet" }
            p { "A channel is an AWS account, a region and the models reached through them." }
            @if session.principal.may_edit().is_ok() {
                a.button.primary href="/channels/new" { "Create the first one" }
            }
        }
    }
}

fn nothing_found() -> Markup {
    html! {
        section.card.empty {
            h2 { "Nothing found" }
            p { a href="/channels" { "Show all channels" } }
        }
    }
}

fn row(
    session: &Session,
    stored: &StoredChannel,
    status: Option<&CredentialStatus>,
    (saved, health): (Option<&str>, &[ModelHealth]),
) -> Markup {
    let channel = &stored.channel;
    let is_saved = saved == Some(stored.id.as_str());
    html! {
        tr.off[!channel.enabled] data-channel=(channel.name) {
            th scope="row" {
                a href={ "/channels/" (stored.id) } { (channel.name) }
                @if is_saved { span.badge.good role="status" { "saved" } }
                @if let Some(text) = warned(stored) {
                    a.badge.warn href={ "/channels/" (stored.id) } { (text) }
                }
            }
            td data-label="Region" { code { (channel.region) } }
            td data-label="Models" { (model_list(stored)) }
            td data-label="Credentials" { (credentials(channel.credentials.kind(), status)) }
            td data-label="Last edit" { (time(&stored.updated_at)) small { " revision " (stored.revision) } }
            td data-label="State" { (state(session, stored)) (unhealthy(health)) }
        }
    }
}

/// The models whose latest request failed.
fn unhealthy(health: &[ModelHealth]) -> Markup {
    html! {
        @for own in health.iter().filter(|own| !own.healthy) {
            p.notice.error.unhealthy {
                code { (own.model) } " failed"
                @if let Some(reason) = &own.reason { ": " (reason) }
            }
        }
    }
}

/// How many warnings a channel has, in words.
fn warned(stored: &StoredChannel) -> Option<String> {
    match discovery::judged(&stored.channel, stored.discovery.as_ref()).len() {
        0 => None,
        1 => Some("1 warning".to_owned()),
        many => Some(format!("{many} warnings")),
    }
}

fn model_list(stored: &StoredChannel) -> Markup {
    let names: Vec<_> = models(stored).collect();
    let more = names.len().saturating_sub(SHOWN_MODELS);
    html! {
        @if names.is_empty() { span.muted { "every model in the catalogue" } }
        @for name in names.iter().take(SHOWN_MODELS) { code.model { (name) } " " }
        @if more > 0 { span.muted { "and " (more) " more" } }
    }
}

fn credentials(kind: &str, status: Option<&CredentialStatus>) -> Markup {
    html! {
        code { (kind) }
        @if let Some(status) = status {
            @if let Some(expires) = &status.expires_at { small { " until " (time(expires)) } }
            @if let Some(error) = &status.last_error { p.notice.error { (error) } }
        }
    }
}

fn state(session: &Session, stored: &StoredChannel) -> Markup {
    let enabled = stored.channel.enabled;
    html! {
        span.badge.good[enabled].muted[!enabled] { @if enabled { "enabled" } @else { "disabled" } }
        @if session.principal.may_edit().is_ok() {
            form.inline method="post" action={ "/channels/" (stored.id) "/enabled" } {
                (csrf(session))
                input type="hidden" name="enabled" value=(!enabled);
                button.quiet type="submit" aria-label={
                    @if enabled { "Disable " } @else { "Enable " } (stored.channel.name)
                } { @if enabled { "Disable" } @else { "Enable" } }
            }
        }
    }
}
