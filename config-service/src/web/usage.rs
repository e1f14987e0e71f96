//! What requests used: charts, each with its table, and what the channels' maps miss.

pub(super) mod budgets;
mod chart;
mod maps;
pub(super) mod prices;
mod tabs;

use std::collections::BTreeMap;
use std::iter;

use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};

use super::layout::{Page, Refusal, form_urlencoded};
use super::session::Session;
use crate::api::AppState;
use crate::prices::NanoDollars;
use crate::store::{Dimension, Line, Order, Resolution, Sums, UsageQuery};
use crate::usage::{Asked, Ledger, MapReport, Percentiles, text};
use crate::zone::{Zone, now};
use chart::{Bar, bars};

/// Rows of the tables of callers, models and the like.
const ROWS: u32 = 20;

/// Most bars of a chart: a month of hours.
const BARS: u32 = 744;

/// What can be compared.
const COMPARED: [(Dimension, &str); 8] = [
    (Dimension::Caller, "Caller"),
    (Dimension::Key, "Key"),
    (Dimension::Model, "Model"),
    (Dimension::Channel, "Channel"),
    (Dimension::ModelId, "Model or profile called"),
    (Dimension::Endpoint, "Protocol"),
    (Dimension::Tier, "Service tier"),
    (Dimension::Outcome, "Outcome"),
];

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Refusal> {
    let asked = asked.without_empty();
    let content = match &app.usage {
        Some(ledger) => shown(&app, ledger, &asked).await?,
        None => tabs::not_recorded(),
    };
    let page = Page {
        title: "Usage",
        place: "/usage",
        session: Some(&session),
    };
    Ok(page.render(&html! { (tabs::heading("/usage")) (content) }))
}

async fn shown(app: &AppState, ledger: &Ledger, asked: &Asked) -> Result<Markup, Refusal> {
    let now = now();
    let query = match asked.query(now, ledger.zone()) {
        Ok(query) => query,
        Err(reason) => {
            let notice = html! { p.notice.error role="alert" { (reason) } };
            return Ok(html! { (notice) (questions(asked, ledger.zone())) });
        }
    };
    let store = ledger.store();
    let periods = UsageQuery {
        by: vec![Dimension::Period],
        limit: BARS,
        ..query.clone()
    };
    let periods = store.lines(&periods).await?;
    let all = UsageQuery {
        by: Vec::new(),
        limit: 1,
        ..query.clone()
    };
    let all = store.lines(&all).await?.pop().unwrap_or_default().sums;
    let latencies = store.latencies(&query).await?;
    let duration = Percentiles::of(&latencies.duration);
    let first_token = Percentiles::of(&latencies.first_token);
    let dimension = compared(asked);
    let largest = UsageQuery {
        by: vec![dimension],
        order: Order::Cost,
        limit: ROWS,
        offset: 0,
        ..query.clone()
    };
    let largest = store.lines(&largest).await?;
    let contents = app.channels.list().await?;
    let report = MapReport::since(query.from, &contents.channels, store).await?;
    let unserved = store.unserved(query.from).await?;
    let dropped = store.dropped().await?;
    let budgets = ledger.budget_uses(now).await?;
    Ok(html! {
        (questions(asked, ledger.zone()))
        @if dropped > 0 {
            p.notice.error role="alert" {
                (dropped) " requests were never recorded, because Envoys could not reach the config-service for too long."
            }
        }
        (facts(&all, duration, first_token, ledger))
        (budgets::bars(&budgets, ledger.zone()))
        (charts(&without_gaps(&periods, &query, ledger.zone()), query.resolution, ledger.zone()))
        (table(dimension, &largest))
        (maps::report(&report, &unserved))
        (links(asked))
    })
}

/// What the table of the largest compares.
fn compared(asked: &Asked) -> Dimension {
    let wanted = asked.by.as_deref().unwrap_or_default();
    let found = COMPARED.iter().find(|(own, _)| own.name() == wanted);
    found.map_or(Dimension::Caller, |(own, _)| *own)
}

/// The form for other times and filters.
fn questions(asked: &Asked, zone: &Zone) -> Markup {
    let chosen = compared(asked);
    let fields = [
        ("caller", "Caller", &asked.caller),
        ("key", "Key", &asked.key),
        ("channel", "Channel", &asked.channel),
        ("model", "Model", &asked.model),
    ];
    html! {
        form.card method="get" action="/usage" {
            div.grid.tight {
                (field("from", "From", asked.from.as_deref(), "2026-11-01"))
                (field("to", "To, without that day", asked.to.as_deref(), "2026-12-01"))
                div.field {
                    label for="resolution" { "By" }
                    select #resolution name="resolution" {
                        option value="day" { "day (" (zone) ")" }
                        option value="hour" selected[asked.resolution.as_deref() == Some("hour")] { "hour" }
                    }
                }
                div.field {
                    label for="by" { "Compare" }
                    select #by name="by" {
                        @for (own, words) in COMPARED {
                            option value=(own.name()) selected[own == chosen] { (words) }
                        }
                    }
                }
                @for (name, label, value) in fields {
                    (field(name, label, value.as_deref(), "all"))
                }
            }
            div.actions { button.primary type="submit" { "Show" } }
        }
    }
}

fn field(name: &str, label: &str, value: Option<&str>, placeholder: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input #(name) type="text" name=(name) value=(value.unwrap_or_default()) placeholder=(placeholder);
        }
    }
}

/// The sums of everything that is shown.
fn facts(
    all: &Sums,
    duration: Option<Percentiles>,
    first_token: Option<Percentiles>,
    ledger: &Ledger,
) -> Markup {
    html! {
        section.card aria-label="Sums" {
            dl.facts {
                dt { "Requests" } dd { (all.requests) ", " (all.errors) " without an answer" }
                dt { "Tokens" }
                dd {
                    (all.input_tokens) " in, " (all.output_tokens) " out, " (all.cache_read_tokens) " read from a cache, "
                    (all.cache_write_tokens) " written to one, " (all.reasoning_tokens) " of the output for reasoning"
                }
                dt { "Cost" }
                dd {
                    (dollars(all.cost_nano_usd))
                    @if all.unpriced > 0 { ", and " (all.unpriced) " requests whose price is unknown" }
                    small { " by the prices of " (ledger.prices().origin().date) "; AWS's bill counts" }
                }
                dt { "Duration" } dd { (times(duration)) }
                dt { "First word" } dd { (times(first_token)) }
            }
        }
    }
}

fn times(times: Option<Percentiles>) -> Markup {
    html! {
        @if let Some(own) = times {
            "half of them under " (own.p50) " ms, 95 % under " (own.p95) " ms, 99 % under " (own.p99) " ms"
        } @else { "none" }
    }
}

/// The sums of every period, also of those in which nothing happened.
fn without_gaps(lines: &[Line], query: &UsageQuery, zone: &Zone) -> Vec<(i64, Sums)> {
    let next = |period: &i64| match query.resolution {
        Resolution::Hour => Some(period + 3_600),
        Resolution::Day => Some(zone.next_day(*period)),
    };
    let empty = iter::successors(Some(query.from), next);
    let empty = empty.take_while(|period| *period < query.to);
    let mut all: BTreeMap<_, _> = empty
        .take(BARS as usize)
        .map(|period| (period, Sums::default()))
        .collect();
    // What was recorded in another time zone has periods that begin at other times.
    let known = lines
        .iter()
        .filter_map(|line| Some((line.period?, line.sums)));
    all.extend(known);
    all.into_iter().collect()
}

/// Spend, tokens, requests and errors over time.
fn charts(periods: &[(i64, Sums)], resolution: Resolution, zone: &Zone) -> Markup {
    let chart =
        |title: &str, unit: &str, value: &dyn Fn(&Sums) -> i64, words: &dyn Fn(i64) -> String| {
            let own: Vec<_> = periods
                .iter()
                .map(|(period, sums)| Bar {
                    label: chart::period(*period, resolution, zone),
                    value: value(sums),
                    words: words(value(sums)),
                })
                .collect();
            bars(title, unit, &own)
        };
    let plain = |number: i64| number.to_string();
    let tokens = |sums: &Sums| {
        sums.input_tokens + sums.output_tokens + sums.cache_read_tokens + sums.cache_write_tokens
    };
    html! {
        (chart("Cost", "US dollars", &|sums| sums.cost_nano_usd, &dollars))
        (chart("Tokens", "tokens, in and out", &tokens, &plain))
        (chart("Requests", "requests", &|sums| sums.requests, &plain))
        (chart("Requests without an answer", "requests", &|sums| sums.errors, &plain))
    }
}

/// The largest of a kind.
fn table(dimension: Dimension, lines: &[Line]) -> Markup {
    let heading = COMPARED.iter().find(|(own, _)| *own == dimension);
    let heading = heading.map_or("", |(_, words)| *words);
    html! {
        section.card aria-label=(heading) {
            h2 { "The most expensive: " (heading) }
            div.scroll {
                table.channels {
                    thead {
                        tr {
                            th scope="col" { (heading) } th scope="col" { "Cost" } th scope="col" { "Requests" }
                            th scope="col" { "Without an answer" } th scope="col" { "Tokens in" }
                            th scope="col" { "Tokens out" }
                        }
                    }
                    tbody {
                        @for line in lines { (row(text::value(line, dimension), &line.sums)) }
                    }
                }
            }
            @if lines.is_empty() { p { "No requests." } }
        }
    }
}

fn row(name: &str, sums: &Sums) -> Markup {
    let input = sums.input_tokens + sums.cache_read_tokens + sums.cache_write_tokens;
    html! {
        tr {
            th scope="row" { @if name.is_empty() { "–" } @else { (name) } }
            td data-label="Cost" {
                (dollars(sums.cost_nano_usd)) @if sums.unpriced > 0 { small { (sums.unpriced) " unknown" } }
            }
            td data-label="Requests" { (sums.requests) }
            td data-label="Without an answer" { (sums.errors) }
            td data-label="Tokens in" { (input) }
            td data-label="Tokens out" { (sums.output_tokens) }
        }
    }
}

/// The same as files.
fn links(asked: &Asked) -> Markup {
    let times = [
        ("from", &asked.from),
        ("to", &asked.to),
        ("resolution", &asked.resolution),
    ];
    let given = times
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let query = given
        .filter(|(_, value)| !value.is_empty())
        .fold(String::new(), |query, (name, value)| {
            format!("{query}&{name}={}", form_urlencoded(value))
        });
    let path = format!("/api/usage?by=period,caller,key,channel,model{query}&limit=10000");
    html! {
        p.muted {
            "For programs, with a token of the API: " code { "GET " (path) } ", with "
            code { "format=csv" } " or " code { "format=jsonl" } "."
        }
    }
}

fn dollars(nanos: i64) -> String {
    format!("{} USD", NanoDollars(nanos.unsigned_abs()))
}
