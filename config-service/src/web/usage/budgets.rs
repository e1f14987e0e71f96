//! How far budgets are used up.

use maud::{Markup, html};

use crate::prices::NanoDollars;
use crate::usage::BudgetUse;
use crate::zone::Zone;

/// From which part of a budget on somebody should look, and from which it is nearly gone.
const STEPS: [(f64, &str); 3] = [
    (1.0, "used up"),
    (0.8, "nearly used up"),
    (0.5, "more than half used"),
];

/// A bar for each budget.
pub(super) fn bars(all: &[BudgetUse], zone: &Zone) -> Markup {
    html! {
        section.card aria-label="Budgets" {
            h2 { "Budgets of this month" }
            @if all.is_empty() {
                p.muted { "None. " code { "PUT /api/budgets/{caller}" } " sets one." }
            }
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
            meter min="0" max="100" value=(percent.min(100.0)) aria-label={ (name) ": " (percent) " %" } {}
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
        let dollars = |nanos: i64| NanoDollars(nanos.unsigned_abs());
        text += &format!("{} of {} USD.", dollars(own.spent.nano_usd), dollars(most));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Budget, Spent};

    #[test]
    fn a_bar_says_in_words_how_far_a_budget_is_used() {
        let own = BudgetUse {
            budget: Budget {
                caller: "<ann>".to_owned(),
                tokens: Some(1_000),
                nano_usd: None,
            },
            spent: Spent {
                tokens: 850,
                nano_usd: 0,
            },
            resets_at: 1_796_083_200,
        };
        let page = bars(&[own], &Zone::default()).into_string();
        for part in [
            "&lt;ann&gt;",
            "85 %",
            "nearly used up",
            "850 of 1000 tokens",
            "2026-12-01",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(bars(&[], &Zone::default()).into_string().contains("None."));
    }
}
