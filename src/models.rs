//! `GET /v1/models` and `GET /v1/models/{model}`: which names can be asked for, and what is known about the
//! model behind each.
//!
//! A client gets the list in the shape of the API that it speaks: OpenAI's
//! (<https://platform.openai.com/docs/api-reference/models/list>), or Anthropic's
//! (<https://platform.claude.com/docs/en/api/models/list>). What neither has a field for is added under
//! `OpenRouter`'s names (<https://openrouter.ai/docs/models>), because clients with a model picker read those.

mod entry;
mod page;

use serde::Serialize;

use crate::chat::Error;
use crate::routes::Permitted;
use entry::Entry;
use page::Page;

/// In which API's shape the client wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

#[derive(Serialize)]
struct OpenAiList<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    first_id: Option<&'a str>,
    has_more: bool,
    last_id: Option<&'a str>,
    data: Vec<Entry<'a>>,
}

/// The list, as JSON; for Anthropic's clients, the page that the query asks for. OpenAI's API has no pages.
///
/// # Errors
///
/// A 400 for a query that does not describe a page.
pub fn list(routes: Permitted<'_>, shape: Shape, query: Option<&str>) -> Result<Vec<u8>, Error> {
    let all = routes.listed();
    let all = all.map(|own| Entry::new(&own.name, own.model, shape));
    let body = match shape {
        Shape::OpenAi => serde_json::to_vec(&OpenAiList {
            object: "list",
            data: all.collect(),
        }),
        Shape::Anthropic => {
            let page = Page::of(query.unwrap_or_default())?;
            let (data, has_more) = page.cut(all.collect())?;
            serde_json::to_vec(&AnthropicList {
                first_id: data.first().map(|entry| entry.id),
                has_more,
                last_id: data.last().map(|entry| entry.id),
                data,
            })
        }
    };
    Ok(body.unwrap_or_default())
}

/// One model, as JSON.
///
/// # Errors
///
/// A 404 for a name that no enabled channel serves to the caller, or whose model is not served at all.
pub fn one(routes: Permitted<'_>, shape: Shape, name: &str) -> Result<Vec<u8>, Error> {
    let route = routes.describe(name);
    let route = route.map_err(|reason| Error::model_not_found(&reason))?;
    let check = route.serving().check(name);
    check.map_err(|reason| Error::model_not_found(&reason))?;
    let entry = Entry::new(name, route.model, shape);
    Ok(serde_json::to_vec(&entry).unwrap_or_default())
}

#[cfg(test)]
mod tests;
