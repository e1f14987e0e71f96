//! Rust files without code that is compiled only for tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the product.
pub(super) struct Source {
    /// Path, relative to the repository.
    pub path: PathBuf,
    /// The lines that are compiled into the product, with their numbers.
    pub lines: Vec<(usize, String)>,
}

impl Source {
    pub(super) fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Lines without comments.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines
            .iter()
            .map(|(number, line)| (*number, line.trim()))
            .filter(|(_, line)| !line.starts_with("//"))
    }
}

/// Every Rust file in a folder, including tests.
pub(super) fn files(start: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(start)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust files in {start}");
    found
}

/// The product's part of every file in a folder.
pub(super) fn production(start: &str) -> Vec<Source> {
    let mut of_tests = BTreeSet::new();
    let mut sources = Vec::new();
    for path in files(start) {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let parts = Parts::of(&text);
        of_tests.extend(parts.modules.iter().map(|module| submodule(&path, module)));
        let lines = parts.production;
        sources.push(Source { path, lines });
    }
    // A test module is a file, and a folder of the same name may contain more.
    sources.retain(|source| {
        let ancestors = source.path.ancestors();
        !ancestors
            .map(|path| path.with_extension(""))
            .any(|path| of_tests.contains(&path))
    });
    sources
}

/// Where a module of a file is, without the extension.
fn submodule(file: &Path, module: &str) -> PathBuf {
    let is_root = ["lib.rs", "main.rs"]
        .iter()
        .any(|root| file.ends_with(root));
    let folder = if is_root {
        file.parent().unwrap().to_owned()
    } else {
        file.with_extension("")
    };
    folder.join(module)
}

/// A file, taken apart.
#[derive(Debug, Default, PartialEq)]
struct Parts {
    production: Vec<(usize, String)>,
    /// Test-only modules in separate files.
    modules: Vec<String>,
}

impl Parts {
    fn of(text: &str) -> Self {
        let mut parts = Self::default();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if is_for_tests(line.trim()) {
                let item = item(&mut lines, indent(line));
                let item = item.unwrap_or_else(|| panic!("line {}: no end of the item", index + 1));
                parts.modules.extend(declared(item));
            } else {
                parts.production.push((index + 1, line.to_owned()));
            }
        }
        parts
    }
}

fn is_for_tests(line: &str) -> bool {
    line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test,")
}

/// Consumes an item and returns its first line. It ends where rustfmt ends it: at a line with the same
/// indentation as the first.
fn item<'t>(lines: &mut impl Iterator<Item = (usize, &'t str)>, depth: usize) -> Option<&'t str> {
    let mut own = lines
        .map(|(_, line)| line)
        .filter(|line| indent(line) == depth);
    let mut first = own.next()?;
    // Further attributes; the last line of a long one is `)]`.
    while first.trim_start().starts_with(['#', ')', '/']) {
        first = own.next()?;
    }
    let ends = |line: &str| line.ends_with([';', ',', '}']);
    (ends(first) || own.any(ends)).then_some(first)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name of a module that is in another file.
fn declared(line: &str) -> Option<String> {
    let words: Vec<_> = line.trim().strip_suffix(';')?.split(' ').collect();
    match words[..] {
        ["mod", name] | [_, "mod", name] | ["pub(in", _, "mod", name] => Some(name.to_owned()),
        _ => None,
    }
}

#[test]
fn code_for_tests_is_left_out() {
    let text = "\
use a;

#[cfg(test)]
mod testing;

fn kept() {}

impl Kept {
    #[cfg(test)]
    #[expect(
        clippy::panic,
        reason = \"why\"
    )]
    /// What for.
    pub(super) fn helper(
        &self,
    ) -> u8 {
        match self {
            _ => 1,
        }
    }

    fn kept_too(&self) {}
}

#[cfg(test)]
mod tests {
    const TEXT: &str = \"}\";
}

fn behind_them() {}
";
    let parts = Parts::of(text);
    let left: Vec<_> = parts.production.iter().map(|(_, line)| &**line).collect();
    let left: Vec<_> = left.into_iter().filter(|line| !line.is_empty()).collect();
    let expected = [
        "use a;",
        "fn kept() {}",
        "impl Kept {",
        "    fn kept_too(&self) {}",
        "}",
        "fn behind_them() {}",
    ];
    assert_eq!(left, expected);
    assert_eq!(parts.modules, ["testing"]);
    assert_eq!(
        parts.production.last(),
        Some(&(31, "fn behind_them() {}".to_owned()))
    );
    assert_eq!(submodule(Path::new("src/lib.rs"), "a"), Path::new("src/a"));
    assert_eq!(submodule(Path::new("src/a.rs"), "b"), Path::new("src/a/b"));
}
