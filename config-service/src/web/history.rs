//! The history of channels and shared credentials, and rolling back.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use maud::{Markup, html};
use serde::Deserialize;

use super::diff;
use super::layout::{Page, Refusal, csrf, time};
use super::session::Session;
use crate::api::AppState;
use crate::channels::Author;
use crate::history::{Difference, Entry};
use crate::store::AuditQuery;

/// Entries per page.
pub(super) const PAGE: u32 = 30;

#[derive(Deserialize)]
pub(super) struct From {
    pub(super) before: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct RollBack {
    pub(super) csrf: Option<String>,
    pub(super) revision: u64,
}

/// An edit, whatever it is about.
pub(super) struct Shown<'e> {
    pub(super) revision: u64,
    pub(super) at: &'e str,
    pub(super) actor: &'e str,
    pub(super) action: &'e str,
    pub(super) restored: Option<u64>,
    /// URL of what was edited, if it has one.
    pub(super) place: Option<&'e str>,
    /// Its name.
    pub(super) name: &'e str,
    pub(super) changes: &'e [Difference],
}

pub(super) async fn all(
    State(app): State<AppState>,
    session: Session,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    show(&app, &session, AuditQuery::default(), &from).await
}

pub(super) async fn of_credential(
    State(app): State<AppState>,
    session: Session,
    Path(name): Path<String>,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let query = AuditQuery {
        credential: Some(name),
        ..AuditQuery::default()
    };
    show(&app, &session, query, &from).await
}

pub(super) async fn roll_back_credential(
    State(app): State<AppState>,
    session: Session,
    Path(name): Path<String>,
    Form(sent): Form<RollBack>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    let rolled_back = app
        .channels
        .roll_back_credential(author, name, sent.revision);
    let page = format!("/credentials/{}/history", rolled_back.await?.name);
    Ok(Redirect::to(&page))
}

pub(super) async fn of_channel(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let query = AuditQuery {
        channel: Some(id),
        ..AuditQuery::default()
    };
    show(&app, &session, query, &from).await
}

pub(super) async fn roll_back(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(sent): Form<RollBack>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    let stored = app.channels.roll_back(author, id, sent.revision).await?;
    Ok(Redirect::to(&format!("/channels/{}/history", stored.id)))
}

async fn show(
    app: &AppState,
    session: &Session,
    wanted: AuditQuery,
    from: &From,
) -> Result<Html<String>, Refusal> {
    let query = AuditQuery {
        before: from.before,
        limit: PAGE,
        ..wanted
    };
    let entries = app.channels.history(&query).await?;
    let contents = app.channels.list().await?;
    let now = |id: &str| {
        let found = contents.channels.iter().find(|own| own.id == id);
        found.map(|own| own.revision)
    };
    let now_of = |entry: &Entry| match &entry.credential {
        None => now(&entry.channel_id),
        Some(name) => {
            let found = contents.credentials.iter().find(|own| own.name == *name);
            found.map(|own| own.revision)
        }
    };
    let name = |entry: &Entry| {
        entry
            .credential
            .clone()
            .unwrap_or_else(|| entry.channel_name.clone())
    };
    let page = Page {
        title: "History",
        place: "/history",
        session: Some(session),
    };
    let channel = query.channel.as_deref();
    let is_of_one = channel.is_some() || query.credential.is_some();
    Ok(page.render(&html! {
        div.heading {
            h1 { "History" @if let (true, Some(entry)) = (is_of_one, entries.first()) { " of " (name(entry)) } }
            @if let Some(id) = channel.filter(|id| now(id).is_some()) {
                nav.tabs aria-label="Channel" { a href={ "/channels/" (id) } { "Edit" } }
            }
        }
        p.muted { "Secrets are not part of the history; different fingerprints mean different \
            secrets." }
        @if entries.is_empty() { p { "No edits." } }
        ol.history {
            @for entry in &entries { (entry_item(session, entry, now_of(entry))) }
        }
        @if let (Some(last), true) = (entries.last(), entries.len() == PAGE as usize) {
            p { a href={ "?before=" (last.revision) } { "Earlier edits" } }
        }
    }))
}

fn entry_item(session: &Session, entry: &Entry, now: Option<u64>) -> Markup {
    let (place, name) = match &entry.credential {
        None => (
            format!("/channels/{}", entry.channel_id),
            entry.channel_name.clone(),
        ),
        Some(name) => (format!("/credentials/{name}"), format!("credential {name}")),
    };
    let shown = Shown {
        revision: entry.revision,
        at: &entry.at,
        actor: &entry.actor,
        action: &entry.action,
        restored: entry.restored,
        place: Some(&place),
        name: &name,
        changes: &entry.changes,
    };
    item(session, &shown, now)
}

/// One edit; `now` is the current revision of what it is about.
pub(super) fn item(session: &Session, entry: &Shown<'_>, now: Option<u64>) -> Markup {
    let is_current = now == Some(entry.revision);
    let may_go_back = now.is_some()
        && !is_current
        && entry.action != "delete"
        && session.principal.may_edit().is_ok();
    html! {
        li.card data-revision=(entry.revision) {
            div.heading {
                h2 {
                    "Revision " (entry.revision) ": " (entry.action) " "
                    @if let Some(place) = entry.place { a href={ (place) "/history" } { (entry.name) } }
                    @else { (entry.name) }
                    @if is_current { span.badge.good { "now" } }
                }
                @if let (true, Some(place)) = (may_go_back, entry.place) {
                    form.inline method="post" action={ (place) "/rollback" } {
                        (csrf(session))
                        input type="hidden" name="revision" value=(entry.revision);
                        button type="submit" aria-label={ "Roll back to revision " (entry.revision) } { "Roll back to this" }
                    }
                }
            }
            p.muted {
                (time(entry.at)) " by " strong { (entry.actor) }
                @if let Some(restored) = entry.restored { ", back to revision " (restored) }
            }
            details open[entry.action == "update"] {
                summary { (entry.changes.len()) " changed" }
                (diff::table(entry.changes, ["before", "after"]))
            }
        }
    }
}
