//! Checks what names choose from.

use std::collections::BTreeMap;

use super::{Choice, Choices, List, Rule, Turn};
use crate::config::{
    ChoiceRule, DetailedChoice, Fault, MAX_WEIGHT, ModelChoice, ModelChoices, When, escape_pointer,
};

/// Longest word in brackets, in bytes.
const MAX_TAG: usize = 32;

impl Choices {
    pub(in crate::routes) fn of(choices: ModelChoices) -> Self {
        let all = choices.0.into_iter();
        let by_name = all.map(|(name, choice)| (name, Choice::of(choice)));
        Self {
            by_name: by_name.collect(),
        }
    }
}

impl Choice {
    fn of(choice: ModelChoice) -> Self {
        let (models, shares) = match choice {
            ModelChoice::Ordered(models) => (models, None),
            ModelChoice::Detailed(DetailedChoice {
                weighted: Some(weighted),
                ..
            }) => {
                let mut all: Vec<_> = weighted.into_iter().collect();
                // The greatest share takes over first.
                all.sort_by_key(|own| std::cmp::Reverse(own.1));
                let (models, shares) = all.into_iter().unzip();
                (models, Some(Turn::new(shares)))
            }
            ModelChoice::Detailed(own) => {
                let rules = own.rules.unwrap_or_default().into_iter();
                let rules = rules.map(|ChoiceRule { when, target }| Rule { when, target });
                return Self::Rules(rules.collect(), own.otherwise.unwrap_or_default());
            }
        };
        Self::List(List { models, shares })
    }
}

/// Every fault.
pub(in crate::routes) fn check(
    choices: &ModelChoices,
    check_name: impl Fn(&str, &str) -> Option<Fault>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, choice) in &choices.0 {
        let at = format!("/model_choices/{}", escape_pointer(name));
        faults.extend(check_name(&at, name));
        match choice {
            ModelChoice::Ordered(models) => {
                if models.is_empty() {
                    let reason = "is an empty list; name at least one model";
                    faults.push(Fault::new(&*at, "empty_choice", reason));
                }
                let places = models.iter().enumerate();
                faults.extend(
                    places.filter_map(|(index, model)| check_name(&format!("{at}/{index}"), model)),
                );
            }
            ModelChoice::Detailed(own) => {
                faults.extend(check_form(&at, own));
                faults.extend(check_weights(&at, own.weighted.as_ref(), &check_name));
                faults.extend(check_rules(&at, own, (choices, &check_name)));
            }
        }
    }
    faults
}

/// Weights or rules, but not both.
fn check_form(at: &str, own: &DetailedChoice) -> Option<Fault> {
    let has_rules = own.rules.is_some();
    let reason = match (own.weighted.is_some(), has_rules, own.otherwise.is_some()) {
        (true, false, false) | (false, true, true) => return None,
        (false, true, false) => "has rules but no `else`; say what is used where none fits",
        (false, false, _) => "chooses nothing; add `weighted`, or `rules` with `else`",
        (true, ..) => "has `weighted` beside `rules` or `else`; put one of them under another name",
    };
    Some(Fault::new(at, "invalid_choice", reason))
}

fn check_weights(
    at: &str,
    weighted: Option<&BTreeMap<String, u32>>,
    check_name: impl Fn(&str, &str) -> Option<Fault>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let Some(weighted) = weighted else {
        return faults;
    };
    if weighted.is_empty() {
        let reason = "names no model; name at least one";
        faults.push(Fault::new(format!("{at}/weighted"), "empty_choice", reason));
    }
    for (model, weight) in weighted {
        let at = format!("{at}/weighted/{}", escape_pointer(model));
        faults.extend(check_name(&at, model));
        if !(1..=MAX_WEIGHT).contains(weight) {
            let reason = format!("is {weight}, but must be 1 to {MAX_WEIGHT}");
            faults.push(Fault::new(at, "out_of_range", reason));
        }
    }
    faults
}

fn check_rules(
    at: &str,
    own: &DetailedChoice,
    (choices, check_name): (&ModelChoices, impl Fn(&str, &str) -> Option<Fault>),
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut check_target = |at: String, target: &str| {
        faults.extend(check_name(&at, target));
        if is_rules(choices, target) {
            let reason = format!(
                "leads to `{target}`, which has rules of its own; name a model, a list or weights"
            );
            faults.push(Fault::new(at, "nested_rules", reason));
        }
    };
    for (index, rule) in own.rules.iter().flatten().enumerate() {
        check_target(format!("{at}/rules/{index}/use"), &rule.target);
    }
    if let Some(target) = &own.otherwise {
        check_target(format!("{at}/else"), target);
    }
    for (index, rule) in own.rules.iter().flatten().enumerate() {
        faults.extend(check_when(&format!("{at}/rules/{index}/when"), &rule.when));
    }
    faults
}

fn check_when(at: &str, when: &When) -> Option<Fault> {
    if when.is_empty() {
        let reason =
            "has no condition, so that no later rule is ever used; add one, or make it the `else`";
        return Some(Fault::new(at, "no_condition", reason));
    }
    let is_word = |tag: &str| {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        (1..=MAX_TAG).contains(&tag.len()) && tag.bytes().all(is_part)
    };
    when.tag.as_deref().filter(|tag| !is_word(tag)).map(|_| {
        let reason = format!("must be 1 to {MAX_TAG} letters, digits, `_` or `-`");
        Fault::new(format!("{at}/tag"), "invalid_tag", reason)
    })
}

fn is_rules(choices: &ModelChoices, name: &str) -> bool {
    matches!(
        choices.0.get(name),
        Some(ModelChoice::Detailed(DetailedChoice { rules: Some(_), .. }))
    )
}
