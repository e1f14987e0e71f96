//! All callers.

use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::layout::{Page, Refusal, time};
use super::super::session::Session;
use super::policy;
use crate::api::{AppState, forecast, last_uses};
use crate::caller::{Caller, StoredCaller, Timestamp};

/// The most callers on a page; a search finds the others.
const SHOWN: usize = 200;

/// How many model names a row shows.
const SHOWN_MODELS: usize = 4;

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
    /// The caller that was just saved.
    saved: Option<String>,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(search): Query<Search>,
) -> Result<Html<String>, Refusal> {
    let (_, book) = app.callers.list().await?;
    let uses = last_uses(&app).await?;
    let forecast = forecast(&app, &book).await?;
    let all = book.callers.iter();
    let found: Vec<_> = all.filter(|own| matches(own, &search.q)).collect();
    let page = Page {
        title: "Callers",
        place: "/callers",
        session: Some(&session),
    };
    let may_edit = session.principal.may_edit().is_ok();
    Ok(page.render(&html! {
        div.heading {
            h1 { "Callers" }
            div.actions {
                nav.tabs aria-label="Callers" { a href="/callers/history" { "History" } }
                @if may_edit { a.button.primary href="/callers/new" { "New caller" } }
            }
        }
        (policy::state(&book, app.callers.has_master_key()))
        (policy::unasked(&book, &app.fleet.view(0)))
        form.search role="search" {
            label.visually-hidden for="q" { "Search" }
            input #q type="search" name="q" value=(search.q) placeholder="Name, model, label or end of a key";
            button type="submit" { "Search" }
        }
        @if found.is_empty() { (none(book.callers.is_empty(), may_edit)) }
        @else {
            table.channels {
                thead { tr {
                    th scope="col" { "Caller" }
                    th scope="col" { "Keys" }
                    th scope="col" { "Models" }
                    th scope="col" { "Limits" }
                    @if app.usage.is_some() { th scope="col" { "Last used" } }
                    th scope="col" { "Last edit" }
                } }
                tbody {
                    @for stored in found.iter().take(SHOWN) {
                        @let used = app.usage.is_some().then(|| uses.of_caller(stored));
                        (row(stored, used, search.saved.as_deref()))
                    }
                }
            }
            @if found.len() > SHOWN { p.muted { "and " (found.len() - SHOWN) " more; search to find them" } }
        }
        (policy::render(&session, &book, app.callers.has_master_key(), forecast.as_ref()))
    }))
}

/// Whether a caller has a text in what is shown of it, ignoring case.
fn matches(stored: &StoredCaller, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let has = |own: &str| own.to_lowercase().contains(&text);
    let caller = &stored.caller;
    has(&caller.name)
        || caller.models.iter().any(|own| has(own))
        || caller
            .labels
            .iter()
            .any(|(name, value)| has(name) || has(value))
        || stored
            .keys
            .iter()
            .any(|key| has(&key.hint) || has(&key.name))
}

fn none(is_first: bool, may_edit: bool) -> Markup {
    html! {
        section.card.empty {
            @if is_first {
                h2 { "No callers yet" }
                p { "A caller is somebody who may use the gateway: a team, an application, a person." }
                @if may_edit { a.button.primary href="/callers/new" { "Create the first one" } }
            } @else {
                h2 { "Nothing found" }
                p { a href="/callers" { "Show all callers" } }
            }
        }
    }
}

/// A row; `used` is when the caller last asked, where that is recorded.
fn row(stored: &StoredCaller, used: Option<Option<Timestamp>>, saved: Option<&str>) -> Markup {
    let caller = &stored.caller;
    let is_saved = saved == Some(stored.id.as_str());
    html! {
        tr.off[!caller.enabled] data-caller=(caller.name) {
            th scope="row" {
                a href={ "/callers/" (stored.id) } { (caller.name) }
                @if is_saved { span.badge.good role="status" { "saved" } }
                @if !caller.enabled { span.badge { "disabled" } }
                @if let Some(expires) = caller.expires_at { small { "until " (time(&expires.to_string())) } }
            }
            td data-label="Keys" { (stored.keys.len()) }
            td data-label="Models" { (models(caller)) }
            td data-label="Limits" { (limits(caller)) }
            @if let Some(used) = used { td data-label="Last used" { (last_used(used)) } }
            td data-label="Last edit" { (time(&stored.updated_at)) small { " revision " (stored.revision) } }
        }
    }
}

/// When something was last used.
pub(super) fn last_used(at: Option<Timestamp>) -> Markup {
    match at {
        Some(at) => time(&at.to_string()),
        None => html! { span.muted { "not yet" } },
    }
}

fn models(caller: &Caller) -> Markup {
    let more = caller.models.len().saturating_sub(SHOWN_MODELS);
    html! {
        @if caller.models.is_empty() { span.muted { "all" } }
        @for name in caller.models.iter().take(SHOWN_MODELS) { code.model { (name) } " " }
        @if more > 0 { span.muted { "and " (more) " more" } }
    }
}

fn limits(caller: &Caller) -> Markup {
    let told = [
        (caller.rpm, "requests a minute"),
        (caller.tpm, "tokens a minute"),
        (caller.concurrent_requests, "at a time"),
    ];
    let told: Vec<_> = told
        .iter()
        .filter_map(|(limit, words)| limit.map(|limit| format!("{limit} {words}")))
        .collect();
    html! {
        @if told.is_empty() { span.muted { "those for all" } }
        @else { (told.join(", ")) }
    }
}
