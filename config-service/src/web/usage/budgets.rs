//! Budgets: how far they are used up, and setting them.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::fields::Values;
use super::super::form::Fields;
use super::super::layout::{Page, Refusal, csrf, form_urlencoded, time};
use super::super::session::Session;
use super::{now, tabs};
use crate::api::{AppState, NewBudget, Problem, remove_budget, set_budget};
use crate::prices::NanoDollars;
use crate::store::BudgetEdit;
use crate::usage::{BudgetUse, Ledger};
use crate::zone::Zone;

/// Where they are.
const PLACE: &str = "/usage/budgets";

/// Edits that are shown.
const EDITS: u32 = 50;

/// What stands for everybody together.
const EVERYBODY: &str = "*";

/// From which part of a budget on somebody should look, and from which it is nearly gone.
const STEPS: [(f64, &str); 3] = [
    (1.0, "used up"),
    (0.8, "nearly used up"),
    (0.5, "more than half used"),
];

#[derive(Deserialize)]
pub(in crate::web) struct Chosen {
    /// Whose budget is to be changed.
    caller: Option<String>,
}

pub(in crate::web) async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Refusal> {
    let mut values = Values::sent(Vec::new());
    if let (Some(caller), Some(ledger)) = (chosen.caller, &app.usage) {
        let uses = ledger.budget_uses(now()).await?;
        let own = uses.iter().find(|own| shown(&own.budget.caller) == caller);
        if let Some(own) = own {
            let tokens = own.budget.tokens.map(|own| own.to_string());
            values.set("tokens", tokens.unwrap_or_default());
            let usd = own.budget.nano_usd.map(dollars);
            values.set("usd", usd.unwrap_or_default());
        }
        values.set("caller", caller);
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
    let done = match read(&values) {
        Ok((caller, budget)) => set_budget(&app, &session.principal, caller, &budget).await,
        Err(reason) => {
            return show(&app, &session, &values, Some(&reason)).await;
        }
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
    let done = remove_budget(&app, &session.principal, values.get("caller")).await;
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

/// The caller and the budget that were entered.
fn read(values: &Values) -> Result<(&str, NewBudget), String> {
    let text = |name: &str| Some(values.get(name).trim()).filter(|text| !text.is_empty());
    let wrong =
        |name: &str, text: &str, wanted: &str| format!("{name} is `{text}`; it must be {wanted}");
    let tokens = text("tokens").map(|text| {
        let wanted = "a whole number, or empty for no limit";
        text.parse::<u64>()
            .map_err(|_| wrong("Tokens a month", text, wanted))
    });
    let usd = text("usd").map(|text| {
        let wanted = "a number such as 500 or 12.50, or empty for no limit";
        text.parse::<f64>()
            .map_err(|_| wrong("US dollars a month", text, wanted))
    });
    let budget = NewBudget {
        tokens: tokens.transpose()?,
        usd: usd.transpose()?,
    };
    Ok((values.get("caller").trim(), budget))
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
        title: "Budgets",
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
    let uses = ledger.budget_uses(now()).await?;
    let edits = app.channels.store().budget_edits(EDITS).await?;
    let callers = app.channels.list().await?.callers;
    let is_stray = |own: &BudgetUse| {
        let name = own.budget.caller.as_str();
        !name.is_empty() && callers.named(name).is_none()
    };
    let may_edit = session.principal.may_edit().is_ok();
    Ok(html! {
        @if let Some(reason) = wrong { p.notice.error role="alert" #wrong { (reason) } }
        section.card aria-label="Budgets of this month" {
            h2 { "This month" }
            @if uses.is_empty() { p.muted { "There are no budgets." } }
            @for own in &uses {
                (bar(own, ledger.zone()))
                @if is_stray(own) { p.muted { "There is no caller of this name." } }
                @if may_edit { (actions(own, session)) }
            }
            p.muted {
                "Marked from 50 %, 80 % and 100 % on, like the metric " code { "config_service_budget_used_ratio" }
                ". A caller's own " code { "monthly_tokens" } " and " code { "monthly_usd" }
                " are budgets too; of two, the smaller counts. Months are those of " (ledger.zone()) "."
            }
        }
        @if may_edit { (form(values, session)) }
        (history(&edits))
    })
}

fn form(values: &Values, session: &Session) -> Markup {
    let field = |name: &str, label: &str, hint: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                input #(name) type="text" name=(name) value=(values.get(name)) autocomplete="off"
                    aria-describedby={ (name) "-hint" };
                small #{ (name) "-hint" } { (hint) }
            }
        }
    };
    html! {
        form.card method="post" action=(PLACE) aria-label="Set a budget" {
            h2 { "Set a budget" }
            (csrf(session))
            div.grid {
                (field("caller", "Caller", "Its name, or * for everybody together"))
                (field("tokens", "Tokens a month", "Of prompts and answers; empty: no limit"))
                (field("usd", "US dollars a month", "Empty: no limit"))
            }
            div.actions { button.primary type="submit" { "Set" } }
        }
    }
}

/// What can be done with a budget.
fn actions(own: &BudgetUse, session: &Session) -> Markup {
    let caller = shown(&own.budget.caller);
    html! {
        div.actions data-budget=(caller) {
            a href={ (PLACE) "?caller=" (form_urlencoded(caller)) "#caller" } { "Change" }
            form.inline method="post" action={ (PLACE) "/remove" } {
                (csrf(session))
                input type="hidden" name="caller" value=(caller);
                button.quiet.danger type="submit" { "Remove" }
            }
        }
    }
}

fn history(edits: &[BudgetEdit]) -> Markup {
    html! {
        section.card aria-label="History" {
            h2 { "History" }
            @if edits.is_empty() { p.muted { "Nothing was set here yet." } }
            ul.plain {
                @for edit in edits {
                    li {
                        (time(&edit.at)) " " strong { (edit.actor) } ": " (shown(&edit.caller)) " "
                        (limits(edit))
                    }
                }
            }
        }
    }
}

fn limits(edit: &BudgetEdit) -> String {
    match (edit.tokens, edit.nano_usd) {
        (None, None) => "has no budget any more".to_owned(),
        (Some(tokens), None) => format!("may use {tokens} tokens"),
        (None, Some(nanos)) => format!("may use {} USD", dollars(nanos)),
        (Some(tokens), Some(nanos)) => {
            format!("may use {tokens} tokens and {} USD", dollars(nanos))
        }
    }
}

/// A bar for each budget.
pub(super) fn bars(all: &[BudgetUse], zone: &Zone) -> Markup {
    html! {
        section.card aria-label="Budgets" {
            h2 { "Budgets of this month" }
            @if all.is_empty() { p.muted { "None. " a href=(PLACE) { "Set one" } "." } }
            @for own in all { (bar(own, zone)) }
        }
    }
}

fn bar(own: &BudgetUse, zone: &Zone) -> Markup {
    let name = match own.budget.caller.as_str() {
        "" => "Everybody together",
        caller => caller,
    };
    let percent = (own.ratio() * 100.0).round();
    let step = STEPS.iter().find(|(from, _)| own.ratio() >= *from);
    html! {
        div.field {
            p {
                strong { (name) } " " (percent) " %"
                @if let Some((_, words)) = step { span.badge.warn { (words) } }
            }
            meter min="0" max="100" high="80" value=(percent.min(100.0)) aria-label={ (name) ": " (percent) " %" } {}
            small {
                (parts(own)) " It begins anew on " (zone.day_text(own.resets_at)) "."
            }
        }
    }
}

fn parts(own: &BudgetUse) -> String {
    let mut text = String::new();
    if let Some(tokens) = own.budget.tokens {
        text = format!("{} of {tokens} tokens. ", own.spent.tokens);
    }
    if let Some(most) = own.budget.nano_usd {
        text += &format!("{} of {} USD.", dollars(own.spent.nano_usd), dollars(most));
    }
    text
}

fn shown(caller: &str) -> &str {
    if caller.is_empty() { EVERYBODY } else { caller }
}

fn dollars(nanos: i64) -> String {
    NanoDollars(nanos.unsigned_abs()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Budget, Spent};

    #[test]
    fn a_bar_says_in_words_how_far_a_budget_is_used() {
        let own = |tokens| BudgetUse {
            budget: Budget {
                caller: "<ann>".to_owned(),
                tokens: Some(1_000),
                nano_usd: None,
            },
            spent: Spent {
                tokens,
                nano_usd: 0,
            },
            resets_at: 1_796_083_200,
        };
        let utc = Zone::default();
        let page = bars(&[own(850)], &utc).into_string();
        for part in ["&lt;ann&gt;", "85 %", "850 of 1000 tokens", "2026-12-01"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        for (tokens, words) in [
            (499, None),
            (500, Some("more than half used")),
            (799, Some("more than half used")),
            (800, Some("nearly used up")),
            (1_000, Some("used up")),
        ] {
            let page = bar(&own(tokens), &utc).into_string();
            let told = format!(
                "<span class=\"badge warn\">{}</span>",
                words.unwrap_or_default()
            );
            assert_eq!(page.contains(&told), words.is_some(), "{tokens}: {page}");
        }
        assert!(bars(&[], &utc).into_string().contains("Set one"));
    }

    #[test]
    fn what_is_entered_is_read_or_named() {
        let values = |tokens: &str, usd: &str| {
            let pairs = [("caller", " ann "), ("tokens", tokens), ("usd", usd)];
            let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
            Values::sent(pairs.to_vec())
        };
        let own = values("1000", "12.5");
        let (caller, budget) = read(&own).unwrap();
        assert_eq!(
            (caller, budget.tokens, budget.usd),
            ("ann", Some(1_000), Some(12.5))
        );
        let own = values(" ", "");
        assert!(read(&own).is_ok_and(|(_, own)| own.tokens.is_none() && own.usd.is_none()));
        for (tokens, usd, part) in [
            ("1.5", "", "Tokens a month is `1.5`"),
            ("", "five", "dollars"),
        ] {
            let error = read(&values(tokens, usd)).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
