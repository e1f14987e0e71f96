//! The API reference as a page, from its `OpenAPI` document.

use axum::response::Html;
use maud::{Markup, html};
use serde_json::Value;

use super::layout::Page;
use super::session::Session;
use crate::api::openapi;

pub(super) async fn page(session: Session) -> Html<String> {
    let document: Value = serde_json::from_str(openapi()).unwrap_or_default();
    let page = Page {
        title: "API",
        place: "/api-reference",
        session: Some(&session),
    };
    let paths = document.get("paths").and_then(Value::as_object);
    page.render(&html! {
        h1 { "API" }
        p.muted {
            "Every route; also available as "
            a href="/assets/openapi.json" { "OpenAPI" }
            ". Routes under " code { "/api" } ", and " code { "/metrics" } ", need a token: " code { "Authorization: Bearer …" } "."
        }
        @for (path, operations) in paths.into_iter().flatten() {
            @for (method, operation) in operations.as_object().into_iter().flatten() {
                (self::operation(path, method, operation, &document))
            }
        }
    })
}

fn operation(path: &str, method: &str, operation: &Value, document: &Value) -> Markup {
    let text = |name: &str| {
        operation
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    let answers = operation.get("responses").and_then(Value::as_object);
    html! {
        details.card {
            summary { code { (method.to_uppercase()) " " (path) } " " (text("summary")) }
            @if let Some(parameters) = parameters {
                h3 { "Parameters" }
                dl.facts {
                    @for own in parameters {
                        dt { code { (own["name"].as_str().unwrap_or_default()) } " in " (own["in"].as_str().unwrap_or_default()) }
                        dd { (own["description"].as_str().unwrap_or_default()) }
                    }
                }
            }
            @if let Some(body) = body { h3 { "Body" } pre { (schema(body, document)) } }
            h3 { "Answers" }
            dl.facts {
                @for (status, answer) in answers.into_iter().flatten() {
                    dt { (status) }
                    dd { (referred(answer, document)["description"].as_str().unwrap_or_default()) }
                }
            }
        }
    }
}

/// A schema as text; references are resolved.
fn schema(schema: &Value, document: &Value) -> String {
    serde_json::to_string_pretty(referred(schema, document)).unwrap_or_default()
}

/// What a part of the document refers to, or that part itself.
fn referred<'d>(part: &'d Value, document: &'d Value) -> &'d Value {
    let reference = part.get("$ref").and_then(Value::as_str);
    let found = reference
        .and_then(|own| own.strip_prefix('#'))
        .and_then(|pointer| document.pointer(pointer));
    found.unwrap_or(part)
}
