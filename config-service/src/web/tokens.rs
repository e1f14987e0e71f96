//! Further tokens for the API and these pages.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use maud::html;
use serde::Deserialize;

use super::layout::{Page, Refusal, csrf, time};
use super::session::Session;
use crate::access::Role;
use crate::api::{AppState, create_token, revoke_token};

#[derive(Deserialize)]
pub(super) struct NewToken {
    csrf: Option<String>,
    name: String,
    role: Role,
}

#[derive(Deserialize)]
pub(super) struct Revoke {
    csrf: Option<String>,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
) -> Result<Html<String>, Refusal> {
    show(&app, &session, None).await
}

pub(super) async fn create(
    State(app): State<AppState>,
    session: Session,
    Form(sent): Form<NewToken>,
) -> Result<Html<String>, Refusal> {
    session.check_csrf(sent.csrf.as_deref())?;
    let (_, token) = create_token(&app, &session.principal, sent.name, sent.role).await?;
    show(&app, &session, Some(token.expose())).await
}

pub(super) async fn revoke(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(sent): Form<Revoke>,
) -> Result<Redirect, Refusal> {
    session.check_csrf(sent.csrf.as_deref())?;
    // If it is already gone, the request is fulfilled.
    let _ = revoke_token(&app, &session.principal, &id).await?;
    Ok(Redirect::to("/tokens"))
}

async fn show(
    app: &AppState,
    session: &Session,
    new: Option<&str>,
) -> Result<Html<String>, Refusal> {
    session.principal.may_administer()?;
    let tokens = app.channels.store().tokens().await?;
    let page = Page {
        title: "Tokens",
        place: "/tokens",
        session: Some(session),
    };
    Ok(page.render(&html! {
        h1 { "Tokens" }
        @if let Some(token) = new {
            section.notice.good role="status" {
                p { "The new token, which is shown only this once:" }
                pre #new-token { (token) }
            }
        }
        form.card.stack method="post" action="/tokens" {
            (csrf(session))
            div.grid {
                div.field { label for="name" { "Name" } input #name type="text" name="name" required autocomplete="off"; }
                div.field {
                    label for="role" { "Role" }
                    select #role name="role" {
                        option value="viewer" { "viewer: read" }
                        option value="editor" { "editor: edit and test channels" }
                        option value="admin" { "admin: also create and revoke tokens" }
                    }
                }
            }
            div.actions { button.primary type="submit" { "Create a token" } }
        }
        @if tokens.is_empty() { p.muted { "So far there is only the token from the \
            config-service's environment." } }
        @else {
            table.channels {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Made" } th scope="col" { "" } } }
                tbody {
                    @for own in &tokens {
                        tr {
                            th scope="row" { (own.name) }
                            td data-label="Role" { (own.role) }
                            td data-label="Made" { (time(&own.created_at)) " by " (own.created_by) }
                            td {
                                form.inline method="post" action={ "/tokens/" (own.id) "/revoke" } {
                                    (csrf(session))
                                    button.danger type="submit" aria-label={ "Revoke " (own.name) } { "Revoke" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }))
}
