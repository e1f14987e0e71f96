//! Names of tests, read from the sources of a program without compiling it.
//!
//! This relies on rustfmt's layout: an attribute, a function's signature and a module each
//! start a line.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Names of the tests in a program, given its root file.
///
/// # Errors
///
/// When a file cannot be read.
pub(super) fn of(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let folder = root
        .parent()
        .context("the source file is not in a folder")?;
    read(root, folder, &[], &mut names)?;
    Ok(names)
}

/// Reads a file whose modules are in `folder`.
fn read(file: &Path, folder: &Path, path: &[&str], names: &mut Vec<String>) -> Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut reader = Reader::new(path);
    for line in text.lines() {
        match reader.line(line) {
            Found::Nothing => {}
            Found::Test(name) => names.push(name),
            Found::Module(name) => {
                let inner: Vec<_> = reader.path().chain([name]).collect();
                let folder = reader
                    .inline()
                    .fold(folder.to_owned(), |folder, own| folder.join(own));
                let (file, folder) = module(&folder, name);
                // If there is no such file, this is text that only looks like code.
                if file.is_file() {
                    read(&file, &folder, &inner, names)?;
                }
            }
        }
    }
    Ok(())
}

/// The file of a module, and the folder of its own modules.
fn module(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let inner = folder.join(name);
    let file = folder.join(format!("{name}.rs"));
    if file.is_file() {
        (file, inner)
    } else {
        (inner.join("mod.rs"), inner)
    }
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Found<'l> {
    Nothing,
    /// A test of this name, with its modules.
    Test(String),
    /// `mod name;`.
    Module(&'l str),
}

/// Reads one file, line by line.
struct Reader<'p> {
    path: &'p [&'p str],
    /// The modules around the current line: indentation and name.
    open: Vec<(usize, String)>,
    /// Whether `#[test]` or the like was read but its function not yet.
    is_test: bool,
}

impl<'p> Reader<'p> {
    fn new(path: &'p [&'p str]) -> Self {
        Self {
            path,
            open: Vec::new(),
            is_test: false,
        }
    }

    /// The inline modules around the current line.
    fn inline(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(|(_, name)| name.as_str())
    }

    /// The module that this file is.
    fn path(&self) -> impl Iterator<Item = &str> {
        self.path.iter().copied().chain(self.inline())
    }

    fn line<'l>(&mut self, line: &'l str) -> Found<'l> {
        let code = line.trim_start();
        let indentation = line.len() - code.len();
        if code == "}" {
            self.open.retain(|(own, _)| *own != indentation);
        } else if code.starts_with("#[test]") || code.starts_with("#[tokio::test") {
            self.is_test = true;
        } else if let Some(name) = after(code, "fn ").filter(|_| self.is_test) {
            self.is_test = false;
            let path = self.path().chain([name]).collect::<Vec<_>>();
            return Found::Test(path.join("::"));
        } else if let Some(name) = after(code, "mod ") {
            match code.chars().next_back() {
                Some(';') => return Found::Module(name),
                Some('{') => self.open.push((indentation, name.to_owned())),
                _ => {}
            }
        }
        Found::Nothing
    }
}

/// The identifier after a keyword that starts the line, apart from what may precede it.
fn after<'l>(code: &'l str, keyword: &str) -> Option<&'l str> {
    let code = without_visibility(code);
    let code = code.strip_prefix("async ").unwrap_or(code);
    let rest = code.strip_prefix(keyword)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    rest.get(..end.unwrap_or(rest.len()))
}

/// The rest of the line after `pub`, `pub(crate)`, `pub(in some::module)` or the like.
fn without_visibility(code: &str) -> &str {
    let Some(rest) = code.strip_prefix("pub") else {
        return code;
    };
    let scope = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let rest = scope.map_or(rest, |(_, rest)| rest);
    rest.strip_prefix(' ').unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_with_their_modules() {
        // The marks keep what only looks like tests out of this file's own test names.
        let text = "
            |fn helper() {}
            |#[test]
            |fn plain() {
            |    if true {
            |    }
            |}
            |#[cfg(test)]
            |mod tests {
            |    #[tokio::test(flavor = \"multi_thread\")]
            |    #[should_panic]
            |    async fn awaited() {
            |    }
            |    proptest! {
            |        #[test]
            |        fn any_input(
            |            text in \".*\",
            |        ) {
            |        }
            |    }
            |}
            |#[test]
            |fn last() {}
        ";
        let mut reader = Reader::new(&["outer"]);
        let found: Vec<_> = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix('|'))
            .filter_map(|line| match reader.line(line) {
                Found::Test(name) => Some(name),
                _ => None,
            })
            .collect();
        assert_eq!(
            found,
            [
                "outer::plain",
                "outer::tests::awaited",
                "outer::tests::any_input",
                "outer::last"
            ]
        );
    }

    #[test]
    fn modules_in_other_files_are_seen() {
        let mut reader = Reader::new(&[]);
        for visibility in ["", "pub ", "pub(crate) ", "pub(in crate::outer) "] {
            let line = format!("{visibility}mod inner;");
            assert_eq!(reader.line(&line), Found::Module("inner"), "{line}");
        }
        assert_eq!(reader.line("public mod inner;"), Found::Nothing);
        assert_eq!(reader.line("let module = 1;"), Found::Nothing);
    }

    #[test]
    fn a_programs_files_are_followed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
        let names = of(&root).unwrap();
        let own = "suite::names::tests::a_programs_files_are_followed".to_owned();
        assert!(names.contains(&own), "{names:?}");
    }
}
