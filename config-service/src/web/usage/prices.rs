//! Prices: those that were set in place of the table's, and setting them.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::fields::Values;
use super::super::form::Fields;
use super::super::layout::{Page, Refusal, csrf, form_urlencoded, time};
use super::super::session::Session;
use super::tabs;
use crate::api::{AppState, Problem, remove_prices, set_prices};
use crate::store::{DollarRates, PriceEdit};
use crate::usage::Ledger;

/// Where they are.
const PLACE: &str = "/usage/prices";

/// Edits that are shown.
const EDITS: u32 = 50;

/// The rates with a field of their own, and their labels.
const FIELDS: [(&str, &str); 5] = [
    ("input", "Input"),
    ("output", "Output"),
    ("cache_read", "Read from a cache"),
    ("cache_write_5m", "Written to a cache for 5 minutes"),
    ("cache_write_1h", "Written to a cache for an hour"),
];

#[derive(Deserialize)]
pub(in crate::web) struct Chosen {
    /// Whose prices are to be shown and changed.
    id: Option<String>,
}

pub(in crate::web) async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Refusal> {
    let mut values = Values::sent(Vec::new());
    if let (Some(id), Some(ledger)) = (chosen.id, &app.usage) {
        let rates = ledger.prices().rates_of(id.trim()).unwrap_or_default();
        fill(&mut values, &rates);
        values.set("id", id.trim());
    }
    show(&app, &session, &values, None).await
}

pub(in crate::web) async fn set(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let id = values.get("id").trim();
    let done = match read(&values) {
        Ok(rates) => set_prices(&app, &session.principal, id, rates).await,
        Err(reason) => return show(&app, &session, &values, Some(&reason)).await,
    };
    settled(&app, &session, &values, done).await
}

pub(in crate::web) async fn remove(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let done = remove_prices(&app, &session.principal, values.get("id")).await;
    settled(&app, &session, &Values::sent(Vec::new()), done).await
}

/// The page anew, or with what is wrong and what was entered.
async fn settled(
    app: &AppState,
    session: &Session,
    values: &Values,
    done: Result<(), Problem>,
) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to(PLACE).into_response()),
        Err(problem) => show(app, session, values, Some(&problem.words())).await,
    }
}

/// Shows rates in the form.
fn fill(values: &mut Values, rates: &DollarRates) {
    let mut others = String::new();
    for (name, dollars) in rates {
        if FIELDS.iter().any(|(own, _)| own == name) {
            values.set(name, dollars.to_string());
        } else {
            others += &format!("{name} {dollars}\n");
        }
    }
    values.set("others", others);
}

/// The rates that were entered.
fn read(values: &Values) -> Result<DollarRates, String> {
    let fields = FIELDS.iter().map(|(name, _)| (*name, values.get(name)));
    let others = values.get("others").lines().map(|line| {
        let line = line.trim();
        line.split_once([' ', '=', ':']).unwrap_or((line, ""))
    });
    let entered = fields
        .filter(|(_, text)| !text.trim().is_empty())
        .chain(others.filter(|(name, _)| !name.is_empty()));
    let read = entered.map(|(name, text)| {
        let dollars = text.trim_matches([' ', '=', ':', '\t']);
        let dollars = dollars.parse::<f64>().map_err(|_| {
            format!(
                "{name} is `{dollars}`; it must be US dollars for a million tokens, such as 0.8"
            )
        });
        Ok((name.to_owned(), dollars?))
    });
    read.collect()
}

async fn show(
    app: &AppState,
    session: &Session,
    values: &Values,
    wrong: Option<&str>,
) -> Result<Response, Refusal> {
    let content = match &app.usage {
        None => tabs::not_recorded(),
        Some(ledger) => content(app, ledger, session, (values, wrong)).await?,
    };
    let page = Page {
        title: "Prices",
        place: "/usage",
        session: Some(session),
    };
    let page = page.render(&html! { (tabs::heading(PLACE)) (content) });
    Ok(page.into_response())
}

async fn content(
    app: &AppState,
    ledger: &Ledger,
    session: &Session,
    (values, wrong): (&Values, Option<&str>),
) -> Result<Markup, Refusal> {
    let store = app.channels.store();
    let (set, edits) = (store.prices().await?, store.price_edits(EDITS).await?);
    let may_edit = session.principal.may_edit().is_ok();
    let prices = ledger.prices();
    Ok(html! {
        @if let Some(reason) = wrong { p.notice.error role="alert" #wrong { (reason) } }
        p.muted {
            "The built-in prices are of " (prices.origin().date) ", from " (prices.origin().source)
            ". What is set here applies in their place, and in place of " code { "--prices" }
            ", to what is recorded from then on."
        }
        (look_up(values.get("id"), ledger))
        @if may_edit { (form(values, session)) }
        (list(&set, ledger, may_edit.then_some(session)))
        (history(&edits))
    })
}

/// Chooses an id, to see its prices.
fn look_up(id: &str, ledger: &Ledger) -> Markup {
    let prices = ledger.prices();
    html! {
        form.search method="get" action=(PLACE) role="search" {
            label.visually-hidden for="look-up" { "Model or profile" }
            input #look-up type="search" name="id" value=(id) list="ids" placeholder="Model or profile";
            datalist #ids { @for id in prices.ids() { option value=(id) {} } }
            button type="submit" { "Show its prices" }
        }
        @if !id.is_empty() && prices.rates_of(id).is_none() {
            p.muted #unknown { code { (id) } " has no price of its own; that of its base model applies, if there is one." }
        }
    }
}

fn form(values: &Values, session: &Session) -> Markup {
    html! {
        form.card method="post" action=(PLACE) aria-label="Set prices" {
            h2 { "Set prices" }
            (csrf(session))
            div.field {
                label for="id" { "Model or profile" }
                input #id type="text" name="id" value=(values.get("id")) autocomplete="off" aria-describedby="id-hint";
                small #id-hint {
                    "A model or profile id, or the last segment of an ARN; with a region before it, as in "
                    code { "eu-central-1/amazon.nova-pro-v1:0" } ", for that region alone"
                }
            }
            p { "US dollars for a million tokens; what is empty has no price, and requests that need it an unknown cost." }
            div.grid {
                @for (name, label) in FIELDS {
                    div.field {
                        label for=(name) { (label) }
                        input #(name) type="text" name=(name) value=(values.get(name)) inputmode="decimal" autocomplete="off";
                    }
                }
            }
            div.field {
                label for="others" { "Tiers and long prompts" }
                textarea #others name="others" rows="3" spellcheck="false" aria-describedby="others-hint" {
                    (values.get("others"))
                }
                small #others-hint { "One per line, such as " code { "input_flex 0.4" } " or " code { "input_over_200k 6" } }
            }
            div.actions { button.primary type="submit" { "Set" } }
        }
    }
}

fn list(set: &[PriceEdit], ledger: &Ledger, editor: Option<&Session>) -> Markup {
    html! {
        section.card aria-label="Prices that were set" {
            h2 { "In place of the table" }
            @if set.is_empty() { p.muted { "Nothing was set: the table applies." } } @else {
                table.channels {
                    thead { tr {
                        th scope="col" { "Model or profile" } th scope="col" { "US dollars for a million tokens" }
                        th scope="col" { "The table says" } th scope="col" { "Set" } th scope="col" { "" }
                    } }
                    tbody { @for own in set { (row(own, ledger, editor)) } }
                }
            }
        }
    }
}

fn row(own: &PriceEdit, ledger: &Ledger, editor: Option<&Session>) -> Markup {
    let listed = ledger.listed_prices().rates_of(&own.id);
    html! {
        tr data-price=(own.id) {
            th scope="row" { (own.id) }
            td data-label="US dollars for a million tokens" { (words(own.rates.as_ref())) }
            td data-label="The table says" { (words(listed.as_ref())) }
            td data-label="Set" { (time(&own.at)) small { (own.actor) } }
            td {
                @if let Some(session) = editor {
                    a href={ (PLACE) "?id=" (form_urlencoded(&own.id)) "#id" } { "Change" }
                    form.inline method="post" action={ (PLACE) "/remove" } {
                        (csrf(session))
                        input type="hidden" name="id" value=(own.id);
                        button.quiet.danger type="submit" { "Remove" }
                    }
                }
            }
        }
    }
}

fn history(edits: &[PriceEdit]) -> Markup {
    html! {
        section.card aria-label="History" {
            h2 { "History" }
            @if edits.is_empty() { p.muted { "Nothing was set yet." } }
            ul.plain {
                @for edit in edits {
                    li {
                        (time(&edit.at)) " " strong { (edit.actor) } ": " code { (edit.id) } " "
                        @if edit.rates.is_some() { "costs " (words(edit.rates.as_ref())) }
                        @else { "costs again what the table says" }
                    }
                }
            }
        }
    }
}

fn words(rates: Option<&DollarRates>) -> String {
    let Some(rates) = rates else {
        return "nothing".to_owned();
    };
    let rates = rates
        .iter()
        .map(|(name, dollars)| format!("{name} {dollars}"));
    rates.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shown_and_read_again() {
        let rates = [
            ("input", 0.8),
            ("output", 3.2),
            ("input_flex", 0.4),
            ("input_over_200k", 6.0),
        ];
        let rates: DollarRates = rates.map(|(name, own)| (name.to_owned(), own)).into();
        let mut values = Values::sent(Vec::new());
        fill(&mut values, &rates);
        assert_eq!(values.get("input"), "0.8");
        assert_eq!(values.get("others"), "input_flex 0.4\ninput_over_200k 6\n");
        assert_eq!(read(&values), Ok(rates.clone()));
        values.set("others", " input_flex = 0.4 \r\n\r\ninput_over_200k: 6");
        assert_eq!(read(&values), Ok(rates));
        values.set("others", "input_flex");
        assert!(read(&values).unwrap_err().contains("input_flex is ``"));
        values.set("others", "");
        values.set("output", "three");
        assert!(read(&values).unwrap_err().contains("output is `three`"));
    }
}
