//! The documents for Envoys that are not attached, as files to save.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::layout::Refusal;
use super::session::Session;
use crate::api::AppState;
use crate::export::{self, Target};

/// Links to them.
pub(super) fn links() -> Markup {
    html! {
        p.muted #exports {
            "For Envoys that are not attached: "
            a href="/export/istio" { "manifest for an Istio gateway" }
            ", "
            a href="/export/plugin-config" { "plugin configuration" }
            ". Both are copies with sealed credentials."
        }
    }
}

pub(super) async fn plugin_config(
    State(app): State<AppState>,
    _: Session,
) -> Result<Response, Refusal> {
    let copy = app.channels.copy().await?;
    Ok(file(
        "application/json",
        "plugin-config.json",
        copy.plugin_config,
    ))
}

pub(super) async fn istio(
    State(app): State<AppState>,
    _: Session,
    Query(target): Query<Target>,
) -> Result<Response, Refusal> {
    let copy = app.channels.copy().await?;
    let manifest = export::istio(&copy, &target, &app.resources)?;
    Ok(file("application/yaml", "bedrock-istio.yaml", manifest))
}

fn file(content_type: &'static str, name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, text).into_response()
}
