//! The history of callers, and rolling back.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use maud::{Markup, html};

use super::super::history::{From, PAGE, RollBack, Shown, item};
use super::super::layout::{Page, Refusal};
use super::super::session::Session;
use crate::api::AppState;
use crate::channels::Author;
use crate::history::CallerEntry;
use crate::store::CallerAuditQuery;

pub(super) async fn all(
    State(app): State<AppState>,
    session: Session,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    show(&app, &session, None, &from).await
}

pub(super) async fn of_caller(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    show(&app, &session, Some(id), &from).await
}

pub(super) async fn roll_back(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(sent): Form<RollBack>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    let stored = app.callers.roll_back(author, id, sent.revision).await?;
    Ok(Redirect::to(&format!("/callers/{}/history", stored.id)))
}

async fn show(
    app: &AppState,
    session: &Session,
    caller: Option<String>,
    from: &From,
) -> Result<Html<String>, Refusal> {
    let query = CallerAuditQuery {
        caller,
        before: from.before,
        limit: PAGE,
    };
    let entries = app.callers.history(&query).await?;
    let (_, book) = app.callers.list().await?;
    let now = |entry: &CallerEntry| {
        let id = entry.caller_id.as_deref()?;
        book.find(id).map(|own| own.revision)
    };
    let page = Page {
        title: "History of callers",
        place: "/callers",
        session: Some(session),
    };
    Ok(page.render(&html! {
        h1 { "History of callers" }
        p.muted { "Keys are listed by id, without the keys. A rollback leaves keys as they are." }
        @if entries.is_empty() { p { "No edits." } }
        ol.history { @for entry in &entries { (entry_item(session, entry, now(entry))) } }
        @if let (Some(last), true) = (entries.last(), entries.len() == PAGE as usize) {
            p { a href={ "?before=" (last.revision) } { "Earlier edits" } }
        }
    }))
}

fn entry_item(session: &Session, entry: &CallerEntry, now: Option<u64>) -> Markup {
    let place = entry.caller_id.as_ref().map(|id| format!("/callers/{id}"));
    let shown = Shown {
        revision: entry.revision,
        at: &entry.at,
        actor: &entry.actor,
        action: &entry.action,
        restored: entry.restored,
        place: place.as_deref(),
        name: entry
            .caller_name
            .as_deref()
            .unwrap_or("settings for all callers"),
        changes: &entry.changes,
    };
    item(session, &shown, now)
}
