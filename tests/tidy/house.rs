//! The modules of a crate, and which of them name which others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::paths::{self, Named};
use super::source::{Source, production};

/// A module, by the names of the modules around it and its own; the crate has none.
pub(super) type Module = Vec<String>;

/// Which module of a room names which other, and where for example.
pub(super) type Rooms = BTreeMap<Module, BTreeMap<(String, String), String>>;

/// The modules of a crate, and what they name.
pub(super) struct House {
    pub(super) modules: BTreeSet<Module>,
    sources: Vec<(Module, String, Named)>,
    /// What each module brings into its own scope from the modules below it: where a name comes from.
    handed_on: BTreeMap<(Module, String), paths::Path>,
}

impl House {
    pub(super) fn of(start: &str) -> Self {
        let sources: Vec<_> = production(start)
            .iter()
            .map(|source| {
                let code = source.code().map(|(_, line)| line);
                (module(source, start), source.name(), Named::of(code))
            })
            .collect();
        let modules = sources
            .iter()
            .flat_map(|(module, ..)| (1..=module.len()).map(|end| module[..end].to_vec()))
            .collect();
        let mut house = Self {
            modules,
            sources,
            handed_on: BTreeMap::new(),
        };
        let mut handed_on = BTreeMap::new();
        for (module, _, named) in &house.sources {
            for path in &named.imports {
                let below = match path.first().map(String::as_str) {
                    Some("crate" | "super") | None => continue,
                    Some("self") => &path[1..],
                    Some(_) => path,
                };
                let child = [module, below.get(..1).unwrap_or_default()].concat();
                if let Some(name) = below.last().filter(|_| house.modules.contains(&child)) {
                    handed_on.insert((module.clone(), name.clone()), below.to_vec());
                }
            }
        }
        house.handed_on = handed_on;
        house
    }

    /// The arrows of every room.
    pub(super) fn rooms(&self) -> Rooms {
        let mut rooms = Rooms::new();
        for (from, place, named) in &self.sources {
            for path in named.imports.iter().chain(&named.inline) {
                let Some(to) = self.target(from, path) else {
                    continue;
                };
                let shared = from.iter().zip(&to).take_while(|(one, other)| one == other);
                let shared = shared.count();
                if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                    let room = rooms.entry(from[..shared].to_vec()).or_default();
                    room.insert((one.clone(), other.clone()), place.clone());
                }
            }
        }
        rooms
    }

    /// The module that a path leads to, through what others hand on.
    fn target(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let kept = from.len().checked_sub(ups)?;
                (from[..kept].to_vec(), &path[ups..])
            }
            _ => return None,
        };
        while let Some(name) = rest.first() {
            let child = [module.as_slice(), std::slice::from_ref(name)].concat();
            if self.modules.contains(&child) {
                (module, rest) = (child, &rest[1..]);
            } else if let Some(own) = self.handed_on.get(&(module.clone(), name.clone())) {
                rest = own;
            } else {
                break;
            }
        }
        Some(module)
    }
}

/// The module that a file is; the crate's own file is the crate.
fn module(source: &Source, start: &str) -> Module {
    let below = source.path.strip_prefix(start).unwrap().with_extension("");
    let names = below.iter().map(|name| name.to_string_lossy().into_owned());
    let names: Module = names.collect();
    if below == Path::new("lib") {
        Module::new()
    } else {
        names
    }
}

#[test]
fn a_name_that_is_handed_on_leads_to_where_it_comes_from() {
    let named = |code: &str| Named::of(code.lines());
    let module = |path: &str| -> Module { path.split('/').map(str::to_owned).collect() };
    let mut house = House {
        modules: ["a", "a/b", "a/c"].map(module).into(),
        sources: Vec::new(),
        handed_on: BTreeMap::new(),
    };
    let path = named("use b::Name;").imports.remove(0);
    house
        .handed_on
        .insert((module("a"), "Name".to_owned()), path);
    let target = |code| house.target(&module("a/c"), &named(code).imports[0]);
    assert_eq!(target("use super::Name;"), Some(module("a/b")));
    assert_eq!(target("use crate::a::b::other;"), Some(module("a/b")));
    assert_eq!(target("use super::Own;"), Some(module("a")));
    assert_eq!(target("use std::fmt;"), None);
}
