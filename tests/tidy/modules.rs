//! Modules lean on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{Source, production};

/// Which module of a crate names which other, and where for example.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// Arrows of the filter that close a circle still. None may be added.
const OF_THE_FILTER: [(&str, &str); 6] = [
    // The configuration names families, and warns of models that the catalogue does not have.
    ("config", "bedrock"),
    ("config", "catalog"),
    ("config", "seal"),
    ("catalog", "bedrock"),
    ("bedrock", "routes"),
    ("relay", "exchange"),
];

/// The same of the config-service.
const OF_THE_SERVICE: [(&str, &str); 11] = [
    ("access", "store"),
    ("api", "web"),
    ("credentials", "channel"),
    ("credentials", "channels"),
    ("credentials", "publish"),
    ("credentials", "store"),
    ("export", "channels"),
    ("history", "store"),
    ("probe", "channels"),
    ("publish", "channels"),
    // Clusters are kept as they were published.
    ("store", "publish"),
];

#[test]
fn the_filter_has_no_new_circle_of_modules() {
    check("src", &OF_THE_FILTER);
}

#[test]
fn the_service_has_no_new_circle_of_modules() {
    check("config-service/src", &OF_THE_SERVICE);
}

#[track_caller]
fn check(start: &str, known: &[(&str, &str)]) {
    let mut arrows = arrows(start);
    for (from, to) in known {
        let gone = arrows
            .get_mut(*from)
            .and_then(|targets| targets.remove(*to));
        assert!(
            gone.is_some(),
            "{start}: {from} does not name {to} any more: take it off the list"
        );
    }
    if let Some(circle) = circle(&arrows) {
        let steps = circle.windows(2);
        let steps: Vec<_> = steps
            .map(|step| {
                format!(
                    "{} names {} in {}",
                    step[0], step[1], arrows[&step[0]][&step[1]]
                )
            })
            .collect();
        panic!("a circle of modules in {start}:\n{}", steps.join("\n"));
    }
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
        // Those two know everybody, and nobody knows them.
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

/// Modules that lead back to the first of them.
fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|start| {
        let mut trail = Vec::new();
        walk(arrows, start, &mut trail, &mut done)
    })
}

fn walk(
    arrows: &Arrows,
    at: &str,
    trail: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(place) = trail.iter().position(|name| name == at) {
        let mut circle = trail.split_off(place);
        circle.push(at.to_owned());
        return Some(circle);
    }
    if done.contains(at) {
        return None;
    }
    trail.push(at.to_owned());
    for to in arrows.get(at).into_iter().flat_map(BTreeMap::keys) {
        if let Some(circle) = walk(arrows, to, trail, done) {
            return Some(circle);
        }
    }
    trail.pop();
    done.insert(at.to_owned());
    None
}

#[test]
fn names_are_found_in_every_form() {
    let code = "use crate::{a, b::{self, C}, d::E}; crate::f::g(); use crate::h::{I, j};";
    let found: Vec<_> = named(code).into_iter().collect();
    assert_eq!(found, ["a", "b", "d", "f", "h"]);
    let arrow = |from: &str, to: &str| {
        (
            from.to_owned(),
            BTreeMap::from([(to.to_owned(), String::new())]),
        )
    };
    let line = Arrows::from([arrow("a", "b"), arrow("b", "c")]);
    assert_eq!(circle(&line), None);
    let ring = Arrows::from([arrow("a", "b"), arrow("b", "c"), arrow("c", "b")]);
    assert_eq!(circle(&ring).unwrap(), ["b", "c", "b"]);
}
