//! Differences as a table.

use maud::{Markup, html};
use serde_json::Value;

use crate::history::Difference;

/// A table of differences; `columns` names both sides.
pub(super) fn table(changes: &[Difference], columns: [&str; 2]) -> Markup {
    let [before, after] = columns;
    html! {
        @if changes.is_empty() {
            p.muted { "No difference." }
        } @else {
            div.scroll {
                table.diff {
                    thead { tr { th scope="col" { "field" } th scope="col" { (before) } th scope="col" { (after) } } }
                    tbody {
                        @for change in changes {
                            tr {
                                th scope="row" { code { (change.pointer) } }
                                td.before { (side(change.before.as_ref(), "−")) }
                                td.after { (side(change.after.as_ref(), "+")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn side(value: Option<&Value>, sign: &str) -> Markup {
    let text = match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(value) => serde_json::to_string_pretty(value).ok(),
    };
    html! {
        @match text {
            Some(text) => { span.sign aria-hidden="true" { (sign) } pre { (text) } }
            None => { span.muted { "–" } }
        }
    }
}
