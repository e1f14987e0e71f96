//! Names of tools: what they are here and at the client. Models know no namespaces.

use std::collections::{BTreeMap, BTreeSet};

use crate::chat::Tool;
use crate::json::Text;

/// What kind of call the client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With arguments, a JSON object.
    Function,
    /// With a free text.
    Custom,
    /// For tools that the client has to find.
    Search,
}

/// What the client calls a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Called {
    pub(super) kind: Kind,
    pub(super) name: Box<str>,
    pub(super) namespace: Option<Box<str>>,
}

impl Called {
    fn is(&self, (namespace, name): Own<'_>) -> bool {
        *self.name == *name && self.namespace.as_deref() == namespace
    }
}

/// The client's namespace and name of a tool.
pub(super) type Own<'n> = (Option<&'n str>, &'n str);

/// The namespace of a tool, if it has one, and its name in there.
type InNamespace = (Option<Box<str>>, Box<str>);

/// Tools that have other names at the client than here.
#[derive(Debug, Default)]
pub(super) struct Names {
    called: BTreeMap<Box<str>, Called>,
    /// The name here of a tool whose usual one another tool has.
    moved: BTreeMap<InNamespace, Box<str>>,
    /// The names here of the tools that were offered, as many as were looked at.
    offered: BTreeSet<Box<str>>,
    looked_at: usize,
}

impl Names {
    /// What the client calls a tool.
    pub(super) fn called(&self, name: &str) -> Called {
        let other = self.called.get(name).cloned();
        other.unwrap_or_else(|| Called {
            kind: Kind::Function,
            name: name.into(),
            namespace: None,
        })
    }

    /// The name here of a tool.
    pub(super) fn here<'a>(&self, namespace: Option<&str>, name: Text<'a>) -> Text<'a> {
        if !self.moved.is_empty() {
            let own = (namespace.map(Box::from), Box::from(&*name));
            if let Some(moved) = self.moved.get(&own) {
                return moved.clone().into_string().into();
            }
        }
        flat(namespace, name)
    }

    /// The name here of a tool that is offered beside `others`: one that none of them has.
    pub(super) fn offer<'a>(
        &mut self,
        (namespace, own): (Option<&str>, Text<'a>),
        kind: Kind,
        others: &[Tool<'_>],
    ) -> Text<'a> {
        let mut name = self.here(namespace, own.clone());
        if self.is_anothers(&name, (namespace, &own), others) {
            name = self.free(&name, others).into();
            let own = (namespace.map(Box::from), Box::from(&*own));
            self.moved.insert(own, Box::from(&*name));
        }
        if kind != Kind::Function || *name != *own {
            let called = Called {
                kind,
                name: Box::from(&*own),
                namespace: namespace.map(Into::into),
            };
            self.called.insert(Box::from(&*name), called);
        }
        name
    }

    fn is_anothers(&mut self, name: &str, own: Own<'_>, others: &[Tool<'_>]) -> bool {
        match self.called.get(name) {
            Some(called) => !called.is(own),
            // Two tools without a namespace that have one name are the client's to tell apart.
            None => own.0.is_some() && self.is_offered(name, others),
        }
    }

    fn is_offered(&mut self, name: &str, others: &[Tool<'_>]) -> bool {
        let new = others.iter().skip(self.looked_at);
        self.offered.extend(new.map(|tool| Box::from(&*tool.name)));
        self.looked_at = others.len();
        self.offered.contains(name)
    }

    fn free(&mut self, name: &str, others: &[Tool<'_>]) -> String {
        // Every earlier one has taken a number at most.
        let mut number = self.moved.len() + 2;
        loop {
            let free = format!("{name}_{number}");
            if !self.is_offered(&free, others) {
                return free;
            }
            number += 1;
        }
    }
}

/// The usual name here of a tool in a namespace.
fn flat<'a>(namespace: Option<&str>, name: Text<'a>) -> Text<'a> {
    match namespace.filter(|space| !space.is_empty()) {
        Some(space) => format!("{space}__{}", &*name).into(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_whose_names_are_the_same_here_stay_apart() {
        let mut names = Names::default();
        let mut list = Vec::new();
        let all: [(Option<&str>, &'static str, &str); 6] = [
            (None, "a__b__c", "a__b__c"),
            (Some("a"), "b__c", "a__b__c_2"),
            (Some("a__b"), "c", "a__b__c_3"),
            (Some("a"), "b__c", "a__b__c_2"),
            (None, "d__e", "d__e"),
            (Some("d"), "f", "d__f"),
        ];
        for (namespace, own, here) in all {
            let name = names.offer((namespace, own.into()), Kind::Function, &list);
            assert_eq!(&*name, here);
            list.push(Tool {
                name,
                description: None,
                parameters: None,
                strict: false,
                cache: None,
                native: None,
            });
        }
        for (namespace, own, here) in all {
            assert_eq!(&*names.here(namespace, own.into()), here);
            let called = names.called(here);
            assert!(called.is((namespace, own)), "{here}: {called:?}");
        }
    }
}
