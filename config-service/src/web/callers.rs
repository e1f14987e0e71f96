//! Callers: all of them, one with its keys, and what applies to all.

mod form;
mod history;
mod key_list;
mod keys;
mod list;
mod policy;
mod render;

use axum::Router;
use axum::routing::{get, post};

use super::Pages;

pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/callers", get(list::page))
        .route("/callers/settings", post(policy::save))
        .route("/callers/history", get(history::all))
        .route("/callers/new", get(form::new).post(form::create))
        .route("/callers/{id}", get(form::edit).post(form::save))
        .route("/callers/{id}/delete", post(form::delete))
        .route("/callers/{id}/history", get(history::of_caller))
        .route("/callers/{id}/rollback", post(history::roll_back))
        .route("/callers/{id}/keys", post(keys::create))
        .route("/callers/{id}/keys/{key}/rotate", post(keys::rotate))
        .route("/callers/{id}/keys/{key}/revoke", post(keys::revoke))
}
