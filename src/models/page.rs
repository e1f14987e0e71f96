//! The pages of Anthropic's list: <https://platform.claude.com/docs/en/api/models/list>.

use percent_encoding::percent_decode_str;

use super::entry::Entry;
use crate::chat::Error;

/// How many models a page has, unless the client says.
const DEFAULT_LIMIT: usize = 20;

/// The most that it may ask for.
const MAX_LIMIT: usize = 1000;

/// Which part of the list a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    /// Lifecycle stages to list; all if empty.
    lifecycles: Vec<String>,
}

impl Page {
    /// Reads a query. Unknown names are ignored.
    pub(super) fn of(query: &str) -> Result<Self, Error> {
        let mut page = Self {
            limit: DEFAULT_LIMIT,
            after: None,
            before: None,
            lifecycles: Vec::new(),
        };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            match decoded(name).trim_end_matches("[]") {
                "limit" => page.limit = limit(&value)?,
                "after_id" => page.after = Some(value),
                "before_id" => page.before = Some(value),
                "lifecycle" => page.lifecycles.push(value),
                _ => {}
            }
        }
        Ok(page)
    }

    /// The page, and whether there is more in the direction that was asked for.
    pub(super) fn cut<'a>(&self, mut all: Vec<Entry<'a>>) -> Result<(Vec<Entry<'a>>, bool), Error> {
        if !self.lifecycles.is_empty() {
            all.retain(|entry| self.lifecycles.iter().any(|own| own == entry.lifecycle()));
        }
        if let Some(before) = &self.before {
            all.truncate(position(&all, "before_id", before)?);
            let rest = all.len().saturating_sub(self.limit);
            return Ok((all.split_off(rest), rest > 0));
        }
        if let Some(after) = &self.after {
            let end = position(&all, "after_id", after)? + 1;
            all.drain(..end);
        }
        let has_more = all.len() > self.limit;
        all.truncate(self.limit);
        Ok((all, has_more))
    }
}

fn position(all: &[Entry<'_>], field: &'static str, id: &str) -> Result<usize, Error> {
    all.iter().position(|entry| entry.id == id).ok_or_else(|| {
        let message = format!("{field}: there is no model `{id}` in the list; start without it.");
        Error::invalid(field, message)
    })
}

fn limit(value: &str) -> Result<usize, Error> {
    let limit = value.parse().ok();
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| {
            let message = format!("limit: must be a number from 1 to {MAX_LIMIT}.");
            Error::invalid("limit", message)
        })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
