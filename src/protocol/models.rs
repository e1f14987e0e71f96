//! The bodies of `GET /v1/models` and `GET /v1/models/{model}`.

use serde::Serialize;

/// One model: <https://platform.openai.com/docs/api-reference/models/object>.
#[derive(Serialize)]
struct ModelBody<'a> {
    id: &'a str,
    object: &'static str,
    /// The API wants a time; Bedrock gives none, and a constant one keeps the answer cacheable.
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<ModelBody<'a>>,
}

fn body(id: &str) -> ModelBody<'_> {
    ModelBody {
        id,
        object: "model",
        created: 0,
        owned_by: "amazon-bedrock",
    }
}

/// A list of models, as JSON.
#[must_use]
pub fn model_list<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let list = List {
        object: "list",
        data: names.into_iter().map(body).collect(),
    };
    serde_json::to_vec(&list).unwrap_or_default()
}

/// One model, as JSON.
#[must_use]
pub fn model(name: &str) -> Vec<u8> {
    serde_json::to_vec(&body(name)).unwrap_or_default()
}
