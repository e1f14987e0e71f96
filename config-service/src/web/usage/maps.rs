//! What the channels' maps miss.

use maud::{Markup, html};

use crate::store::Unserved;
use crate::usage::MapReport;

/// Most rows of a table.
const ROWS: usize = 50;

/// Entries that nobody uses, requests that miss them, and names that nothing serves.
pub(super) fn report(report: &MapReport, unserved: &[Unserved]) -> Markup {
    html! {
        section.card aria-label="Names and profiles" {
            h2 { "Names and profiles" }
            h3 { "Names that nothing serves" }
            (list(unserved.len(), &html! {
                @for own in unserved.iter().take(ROWS) {
                    li { code { (own.model) } " was asked for " (own.requests) " times" }
                }
            }))
            h3 { "Requests that passed a mapped profile by" }
            (list(report.passed_by.len(), &html! {
                @for own in report.passed_by.iter().take(ROWS) {
                    li {
                        (own.requests) " requests for " code { (own.model) } " on " (own.channel) " went to "
                        code { (own.model_id) } " and not through the entry " code { (own.entry) }
                    }
                }
            }))
            h3 { "Entries of inference_profile_arn_map that no request used" }
            (list(report.unused.len(), &html! {
                @for own in report.unused.iter().take(ROWS) {
                    li { code { (own.model) } " on " (own.channel) ": " code { (own.arn) } }
                }
            }))
        }
    }
}

fn list(count: usize, items: &Markup) -> Markup {
    html! {
        @if count == 0 { p.muted { "None." } } @else { ul { (items) } }
        @if count > ROWS { p.muted { "And " (count - ROWS) " more; the API has them all." } }
    }
}
