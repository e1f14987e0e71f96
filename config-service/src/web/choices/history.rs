//! The history of a name that chooses, and rolling back.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use maud::html;

use super::super::history::{From, PAGE, RollBack, Shown, item};
use super::super::layout::{Page, Refusal, form_urlencoded};
use super::super::session::Session;
use super::PLACE;
use crate::api::AppState;
use crate::channels::{Author, ChoiceError};

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Path(name): Path<String>,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let entries = app
        .channels
        .choice_history(&name, from.before, PAGE)
        .await?;
    let now = match app.channels.choice(&name).await {
        Ok(view) => view.revision,
        // It may be brought back.
        Err(ChoiceError::NotFound(_)) => Some(0),
        Err(error) => return Err(error.into()),
    };
    let place = format!("{PLACE}/{}", form_urlencoded(&name));
    let page = Page {
        title: "History of a model choice",
        place: PLACE,
        session: Some(&session),
    };
    Ok(page.render(&html! {
        h1 { "History of " (name) }
        ol.history {
            @for entry in &entries {
                (item(&session, &Shown {
                    revision: entry.revision,
                    at: &entry.at,
                    actor: &entry.actor,
                    action: &entry.action,
                    restored: entry.restored,
                    place: Some(&place),
                    name: &name,
                    changes: &entry.changes,
                }, now))
            }
        }
        @if let (Some(last), true) = (entries.last(), entries.len() == PAGE as usize) {
            p { a href={ "?before=" (last.revision) } { "Earlier edits" } }
        }
    }))
}

pub(super) async fn roll_back(
    State(app): State<AppState>,
    session: Session,
    Path(name): Path<String>,
    Form(sent): Form<RollBack>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    let view = app
        .channels
        .roll_back_choice(author, name, sent.revision)
        .await?;
    let name = form_urlencoded(&view.name);
    Ok(Redirect::to(&format!("{PLACE}/{name}/history")))
}
