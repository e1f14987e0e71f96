//! Long requests, for Claude, where the cost of copying and scanning bytes shows.

use std::hint::black_box;
use std::sync::Arc;

use bedrock_filter::routes::Routes;
use serde_json::{Value, json};

use crate::Stage;
use crate::dialects::{encode, parse, routes};

/// The stages.
#[must_use]
pub fn stages() -> Vec<Stage> {
    let routes = routes();
    vec![
        translate("translate/chat of 200 KB", &history(), &routes),
        translate("translate/image of 4 MB", &picture(), &routes),
    ]
}

/// Parses and encodes.
fn translate(name: &str, messages: &Value, routes: &Arc<Routes>) -> Stage {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": messages});
    let body = body.to_string();
    let routes = Arc::clone(routes);
    Stage::new(name, move || {
        black_box(encode(&routes, &parse(&body).request));
    })
}

fn history() -> Value {
    let line =
        "It's late; \"good enough\" is what the team wants, so leave the wording as it stands.\n";
    let messages = (0..101).map(|index| {
        let role = if index % 2 == 0 { "user" } else { "assistant" };
        json!({"role": role, "content": line.repeat(24)})
    });
    messages.collect()
}

fn picture() -> Value {
    let url = format!("data:image/png;base64,iVBORw0KGgo{}", "A".repeat(4 << 20));
    json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}])
}
