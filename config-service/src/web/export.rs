//! The documents for Envoys that are not connected, as downloads.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::layout::Refusal;
use super::session::Session;
use crate::api::{AppState, istio_manifest};
use crate::export::Target;

/// Links to them.
pub(super) fn links(session: &Session) -> Markup {
    let may_edit = session.principal.may_edit().is_ok();
    html! {
        @if may_edit {
            p.muted #exports {
                "For Envoys that are not connected: "
                a href="/export/istio" { "manifest for an Istio gateway" }
                ", "
                a href="/export/plugin-config" { "plugin configuration" }
                ". Both are snapshots with sealed credentials."
            }
        }
        details.card #istio {
            summary { "Manifest for Istio" }
            form.stack method="get" action="/export/istio" {
                (choice("mode", "How gateways get channels", &[
                    ("copy", "From the manifest: export again after an edit"),
                    ("live", "From this service, every edit at once"),
                    ("routes", "From the manifest, with Istio's own routes to Bedrock"),
                ]))
                (choice("context", "Which Envoys", &[("gateway", "A gateway"), ("sidecar", "Sidecars")]))
                (choice("sharing", "What else they do", &[
                    ("own", "Nothing: they are for the filter alone"),
                    ("shared", "They serve other hosts too"),
                ]))
                (choice("limits", "Who counts what callers use", &[
                    ("local", "Each gateway by itself"),
                    ("shared", "This service, for all live gateways"),
                ]))
                (text("name", "Name, another one for each gateway of a namespace", "bedrock"))
                (text("namespace", "Namespace", "istio-system"))
                (text("selector", "Labels", "istio=ingressgateway"))
                (text("gateway", "Or a Gateway of the Gateway API", ""))
                (text("gateways", "Istio Gateways that the routes are bound to", ""))
                (text("endpoints", "Regions and endpoints that channels may use later", "us-east-1,us-west-2"))
                (text("module", "The filter's module in the gateway, if not where it usually is", ""))
                (text("other_module", "With failover: the module that gateways change from or to", ""))
                (text("seal_secret", "The Secret with the seal key", "bedrock-seal-key"))
                (text("xds", "Where live gateways reach the xDS port", "config-service.bedrock:18000"))
                (choice("xds_client", "With which of Envoy's clients", &[
                    ("google_grpc", "gRPC's own, which needs nothing else"),
                    ("envoy_grpc", "Envoy's, with a cluster in the bootstrap"),
                ]))
                (text("xds_ca", "If that port has TLS: the authorities' file in the gateway", "/etc/bedrock/xds/ca.crt"))
                (text("xds_certificate", "The gateway's certificate there", "/etc/bedrock/xds/tls.crt"))
                (text("xds_key", "Its private key there", "/etc/bedrock/xds/tls.key"))
                div.actions { button type="submit" { "Download" } }
            }
        }
    }
}

fn choice(name: &str, label: &str, options: &[(&str, &str)]) -> Markup {
    html! {
        div.field {
            label for={ "istio-" (name) } { (label) }
            select id={ "istio-" (name) } name=(name) {
                @for (value, meaning) in options { option value=(value) { (meaning) } }
            }
        }
    }
}

fn text(name: &str, label: &str, example: &str) -> Markup {
    html! {
        div.field {
            label for={ "istio-" (name) } { (label) }
            input id={ "istio-" (name) } type="text" name=(name) placeholder=(example) spellcheck="false";
        }
    }
}

pub(super) async fn plugin_config(
    State(app): State<AppState>,
    session: Session,
) -> Result<Response, Refusal> {
    session.principal.may_edit()?;
    let copy = app.channels.copy(None).await?;
    Ok(file(
        "application/json",
        "plugin-config.json",
        copy.plugin_config,
    ))
}

pub(super) async fn istio(
    State(app): State<AppState>,
    session: Session,
    Query(target): Query<Target>,
) -> Result<Response, Refusal> {
    let manifest = istio_manifest(&app, &session.principal, &target).await?;
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
