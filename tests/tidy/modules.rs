//! Modules depend on each other in one direction only.

mod filter;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{Source, production};
use filter::FILTER;
use service::SERVICE;

/// Which module of a crate names which other, with an example.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn the_filters_rooms_know_those_below_them_alone() {
    check("src", FILTER);
}

#[test]
fn the_services_modules_know_those_below_them_alone() {
    check("config-service/src", SERVICE);
}

#[track_caller]
fn check(start: &str, map: &[(&str, &[&str])]) {
    let faults = strangers(&arrows(start), map);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a map of rooms does not allow, and what it says for nothing.
fn strangers(arrows: &Arrows, map: &[(&str, &[&str])]) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, (from, allowed)) in map.iter().enumerate() {
        let below: BTreeSet<_> = map[index + 1..].iter().map(|(room, _)| *room).collect();
        let up = allowed.iter().filter(|to| !below.contains(*to));
        faults.extend(up.map(|to| format!("the map has {from} above {to}, which is not below it")));
        let none = BTreeMap::new();
        let found = arrows.get(*from).unwrap_or(&none);
        let unknown = found.iter().filter(|(to, _)| !allowed.contains(&&***to));
        faults.extend(unknown.map(|(to, place)| format!("{place}: {from} must not name {to}")));
        let idle = allowed.iter().filter(|to| !found.contains_key(**to));
        faults.extend(idle.map(|to| format!("{from} does not name {to}; remove it from the map")));
    }
    let rooms: BTreeSet<_> = map.iter().map(|(room, _)| *room).collect();
    let homeless = arrows.keys().filter(|room| !rooms.contains(room.as_str()));
    faults.extend(homeless.map(|room| format!("{room} is not on the map")));
    faults
}

fn arrows(start: &str) -> Arrows {
    let sources = production(start);
    let module = |source: &Source| {
        let below = source.path.strip_prefix(start).unwrap();
        let top = below.components().next().unwrap();
        let name = Path::new(&top).file_stem().unwrap();
        name.to_string_lossy().into_owned()
    };
    let all: BTreeSet<_> = sources.iter().map(module).collect();
    let mut arrows = Arrows::new();
    for source in &sources {
        let from = module(source);
        // These two may use everything, and nothing may use them.
        if ["lib", "main"].contains(&&*from) {
            continue;
        }
        let code: Vec<_> = source.code().map(|(_, line)| line).collect();
        let named = named(&code.join(" "));
        let others = named
            .into_iter()
            .filter(|to| *to != from && all.contains(to));
        let targets = arrows.entry(from.clone()).or_default();
        targets.extend(others.map(|to| (to, source.name())));
    }
    arrows
}

/// The modules at the top that a text names.
fn named(code: &str) -> BTreeSet<String> {
    let rest = code.split("crate::").skip(1);
    rest.flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => first_names(list),
        None => vec![word(rest)],
    })
    .collect()
}

/// The first names in `a, b::{c, d}, e}`, up to the brace that closes the list.
fn first_names(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = vec![word(list.trim_start())];
    for (index, sign) in list.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word(list[index + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

/// The name that a text begins with.
fn word(text: &str) -> String {
    let is_part = |sign: &char| sign.is_alphanumeric() || *sign == '_';
    text.chars().take_while(is_part).collect()
}

#[test]
fn an_import_from_above_is_a_fault() {
    let map: &[(&str, &[&str])] = &[("top", &["bottom"]), ("bottom", &[])];
    let arrows = |pairs: &[(&str, &str)]| {
        let mut arrows = Arrows::from([("top".to_owned(), BTreeMap::new())]);
        arrows.insert("bottom".to_owned(), BTreeMap::new());
        for (from, to) in pairs {
            let targets = arrows.entry((*from).to_owned()).or_default();
            targets.insert((*to).to_owned(), format!("{from}.rs"));
        }
        arrows
    };
    let faults = |pairs: &[(&str, &str)]| strangers(&arrows(pairs), map);
    assert!(faults(&[("top", "bottom")]).is_empty());
    assert_eq!(
        faults(&[("top", "bottom"), ("bottom", "top")]),
        ["bottom.rs: bottom must not name top"]
    );
    assert_eq!(
        faults(&[]),
        ["top does not name bottom; remove it from the map"]
    );
    assert_eq!(
        faults(&[("top", "bottom"), ("attic", "top")]),
        ["attic is not on the map"]
    );
    let upside_down: &[(&str, &[&str])] = &[("bottom", &[]), ("top", &["bottom"])];
    let faults = strangers(&arrows(&[("top", "bottom")]), upside_down);
    assert_eq!(
        faults,
        ["the map has top above bottom, which is not below it"]
    );
}

#[test]
fn names_are_found_in_every_form() {
    let code = "use crate::{a, b::{self, C}, d::E}; crate::f::g(); use crate::h::{I, j};";
    let found: Vec<_> = named(code).into_iter().collect();
    assert_eq!(found, ["a", "b", "d", "f", "h"]);
}
