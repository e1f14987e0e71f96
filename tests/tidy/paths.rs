//! Paths to modules and items, as Rust code names them.

/// A path, by its segments: `crate::a::B` has three.
pub(super) type Path = Vec<String>;

/// What a piece of code names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// In `use` declarations, with every brace resolved.
    pub(super) imports: Vec<Path>,
    /// In other code, from `crate`, `self` or `super` on.
    pub(super) inline: Vec<Path>,
}

impl Named {
    /// Reads lines without comments.
    pub(super) fn of<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut named = Self::default();
        let mut import: Option<String> = None;
        for line in lines {
            let start = import
                .take()
                .or_else(|| import_start(line).map(|_| String::new()));
            let Some(mut tree) = start else {
                named.inline.extend(inline(line));
                continue;
            };
            tree.push_str(import_start(line).unwrap_or(line));
            match tree.split_once(';') {
                Some((tree, _)) => expand(&[], tree, &mut named.imports),
                None => import = Some(tree),
            }
        }
        named
    }
}

/// What follows `use` in the first line of a declaration.
fn import_start(line: &str) -> Option<&str> {
    let rest = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1,
        Some(rest) => rest,
        None => line,
    };
    rest.trim_start().strip_prefix("use ")
}

/// The paths of a tree like `a::{b, c::{self, D}}` below a prefix.
fn expand(prefix: &[String], tree: &str, found: &mut Vec<Path>) {
    let tree = tree.trim();
    let Some((head, list)) = tree.strip_suffix('}').and_then(|tree| tree.split_once('{')) else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        if !path.is_empty() {
            found.push([prefix, &segments(path)].concat());
        }
        return;
    };
    let prefix = [prefix, &segments(head)].concat();
    let mut depth = 0;
    let split = list.split(|sign| {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        sign == ',' && depth == 0
    });
    for tree in split {
        expand(&prefix, tree, found);
    }
}

fn segments(path: &str) -> Path {
    let names = path.split("::").map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Paths from `crate`, `self` or `super` on.
fn inline(line: &str) -> impl Iterator<Item = Path> {
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':';
    let words = line.split(move |sign| !is_part(sign)).map(segments);
    words.filter(|path| {
        let first = path.first().map(String::as_str);
        path.len() > 1 && matches!(first, Some("crate" | "self" | "super"))
    })
}

#[test]
fn every_form_of_a_path_is_found() {
    let code = "\
use a;
pub(in crate::b) use super::{c, d::{self, E as F}};
pub use g::{
    H,
    i::*,
};
let x = crate::j::k(&super::L::M);";
    let named = Named::of(code.lines().map(str::trim));
    let joined = |paths: &[Path]| paths.iter().map(|path| path.join(" ")).collect::<Vec<_>>();
    assert_eq!(
        joined(&named.imports),
        ["a", "super c", "super d self", "super d E", "g H", "g i *"]
    );
    assert_eq!(joined(&named.inline), ["crate j k", "super L M"]);
}
