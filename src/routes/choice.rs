//! Names that choose: from a name and facts about the request to the models to try, in order.

mod compile;
mod facts;
mod turn;

pub(super) use compile::check;
pub use facts::Facts;

use std::collections::BTreeMap;

use super::Routes;
use super::foreign::forms;
use crate::config::When;
use turn::Turn;

/// What each name chooses from, checked.
#[derive(Debug, Default)]
pub(super) struct Choices {
    by_name: BTreeMap<String, Choice>,
}

/// What a name chooses from.
#[derive(Debug)]
enum Choice {
    List(List),
    Rules(Vec<Rule>, String),
}

/// Models in order.
#[derive(Debug)]
struct List {
    models: Vec<String>,
    /// Their shares of the requests, if not all go to the first.
    shares: Option<Turn>,
}

#[derive(Debug)]
struct Rule {
    when: When,
    target: String,
}

/// The models that a name has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<'r> {
    /// The models to try, in this order; at least one.
    pub models: Vec<&'r str>,
    /// Why these.
    pub reason: Reason<'r>,
}

/// Why models were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'r> {
    /// The name stands for a list.
    List,
    /// A rule fits.
    Rule {
        /// Its place among the name's rules, from 0.
        index: usize,
        /// Its conditions.
        when: &'r When,
        /// What it says to use.
        target: &'r str,
    },
    /// No rule does.
    Otherwise {
        /// What is used then.
        target: &'r str,
    },
}

impl Routes {
    /// What a name chooses for a request; `None` for the name of a model. `facts` is called only if there are rules.
    pub fn choose(&self, name: &str, facts: impl FnOnce() -> Facts) -> Option<Chosen<'_>> {
        match self.choice(name)? {
            Choice::List(list) => Some(Chosen {
                models: list.turn(),
                reason: Reason::List,
            }),
            Choice::Rules(rules, otherwise) => {
                let facts = facts();
                let fitting = rules
                    .iter()
                    .enumerate()
                    .find(|(_, rule)| facts.fit(&rule.when));
                let (target, reason) = match fitting {
                    Some((index, Rule { when, target })) => (
                        target,
                        Reason::Rule {
                            index,
                            when,
                            target,
                        },
                    ),
                    None => (otherwise, Reason::Otherwise { target: otherwise }),
                };
                Some(Chosen {
                    models: self.choices.list(target),
                    reason,
                })
            }
        }
    }

    /// Whether a name chooses.
    #[must_use]
    pub fn is_choice(&self, name: &str) -> bool {
        self.choice(name).is_some()
    }

    /// What a name stands for, or one of its forms where the name itself leads nowhere.
    fn choice(&self, name: &str) -> Option<&Choice> {
        let own = &self.choices.by_name;
        own.get(name).or_else(|| {
            let mut forms = forms(name).filter(|_| !own.is_empty());
            forms
                .find_map(|form| own.get(form))
                .filter(|_| !self.serves(name))
        })
    }

    /// The names that choose, sorted.
    pub fn choices(&self) -> impl Iterator<Item = &str> {
        self.choices.by_name.keys().map(String::as_str)
    }

    /// The words in brackets that rules of a name know; none if it is the name of a model.
    #[must_use]
    pub fn tags(&self, name: &str) -> Vec<&str> {
        let Some(Choice::Rules(rules, _)) = self.choice(name) else {
            return Vec::new();
        };
        let tags = rules.iter().filter_map(|rule| rule.when.tag.as_deref());
        tags.collect()
    }

    /// Whether any rule knows a word in brackets.
    #[must_use]
    pub fn has_tags(&self) -> bool {
        self.choices().any(|name| !self.tags(name).is_empty())
    }

    /// All models that a name may choose, those of its `else` first; none if it is the name of a model.
    pub(super) fn models_of<'n>(&'n self, name: &'n str) -> Vec<&'n str> {
        match self.choice(name) {
            None => Vec::new(),
            Some(Choice::List(list)) => list.all(),
            Some(Choice::Rules(rules, otherwise)) => {
                let rules = rules.iter().map(|rule| &rule.target);
                let targets = std::iter::once(otherwise).chain(rules);
                targets
                    .flat_map(|target| self.choices.all(target))
                    .collect()
            }
        }
    }

    /// The lists from which requests are served, each with all of its models.
    pub(super) fn lists(&self) -> impl Iterator<Item = Vec<&str>> {
        let all = self.choices.by_name.values();
        all.filter_map(|choice| match choice {
            Choice::List(list) => Some(list.all()),
            Choice::Rules(..) => None,
        })
    }
}

impl Choices {
    /// The models of a target, in the order of this turn: a list's, or the one that it names.
    fn list<'c>(&'c self, target: &'c str) -> Vec<&'c str> {
        match self.by_name.get(target) {
            Some(Choice::List(list)) => list.turn(),
            _ => vec![target],
        }
    }

    fn all<'c>(&'c self, target: &'c str) -> Vec<&'c str> {
        match self.by_name.get(target) {
            Some(Choice::List(list)) => list.all(),
            _ => vec![target],
        }
    }
}

impl List {
    fn all(&self) -> Vec<&str> {
        self.models.iter().map(String::as_str).collect()
    }

    /// The models in the order of this turn: the one whose turn it is, then the others in their order.
    fn turn(&self) -> Vec<&str> {
        let mut models = self.all();
        if let Some(first) = self.shares.as_ref().map(Turn::next)
            && first < models.len()
        {
            let first = models.remove(first);
            models.insert(0, first);
        }
        models
    }
}

#[cfg(test)]
mod tests;
