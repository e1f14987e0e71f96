//! Clients that applications use, as they come from their registries.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{PATIENCE, Scratch, repository};

/// Lets a test pass without its client; see `xtask/src/clients.rs`.
const ALLOW_MISSING: &str = "ALLOW_MISSING_CLIENTS";

/// A script that talks through a client.
#[derive(Clone, Debug)]
pub struct ClientScript {
    source: Source,
    /// The variable of the Python that has the client; Node.js without one.
    python: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum Source {
    /// A file of `tests/e2e/python/` or `tests/e2e/node/`.
    File(&'static str),
    Text(String),
}

impl ClientScript {
    /// A file of `tests/e2e/python/`, for the Python in this variable.
    pub fn python(file: &'static str, python: &'static str) -> Self {
        Self {
            source: Source::File(file),
            python: Some(python),
        }
    }

    /// A file of `tests/e2e/node/`.
    pub fn node(file: &'static str) -> Self {
        Self {
            source: Source::File(file),
            python: None,
        }
    }

    /// A program, for the Python in this variable or for Node.js.
    pub fn written(text: &str, python: Option<&'static str>) -> Self {
        Self {
            source: Source::Text(text.to_owned()),
            python,
        }
    }

    /// Runs it with `input` as its argument, in JSON, and returns the JSON that it prints; `None` without
    /// the client, where that is allowed.
    pub async fn run(&self, input: &Value) -> Option<Value> {
        let printed = self.print(input).await?;
        let found = serde_json::from_str(&printed);
        Some(found.unwrap_or_else(|error| panic!("{self:?} printed no JSON ({error}): {printed}")))
    }

    /// The same, and returns what it prints.
    pub async fn print(&self, input: &Value) -> Option<String> {
        let scratch = Scratch::new();
        let mut command = Command::new(installed(self.python.unwrap_or("NODE"))?);
        command.arg(self.file(&scratch)?).arg(input.to_string());
        isolate(&mut command, scratch.path());
        let output = timeout(4 * PATIENCE, command.output()).await;
        let output = output.expect("it ends").expect("the interpreter starts");
        // Shown when the test fails: what the client complained about.
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{self:?} failed");
        Some(String::from_utf8(output.stdout).expect("text"))
    }

    /// Where the script is: modules look for packages, and for each other, beside themselves.
    fn file(&self, scratch: &Scratch) -> Option<PathBuf> {
        if self.python.is_none() {
            beside(&installed("NODE_CLIENTS")?, scratch);
        }
        Some(match (&self.source, self.python) {
            (Source::File(name), Some(_)) => repository().join("tests/e2e/python").join(name),
            (Source::File(name), None) => scratch.join(name),
            (Source::Text(text), Some(_)) => scratch.write("example.py", text),
            (Source::Text(text), None) => scratch.write("example.mjs", text),
        })
    }
}

/// What `cargo xtask test` installed, by the variable of its path.
pub fn installed(variable: &str) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(path.into());
    }
    let reason = env::var(format!("{variable}_MISSING"));
    missing(
        variable,
        &reason.unwrap_or_else(|_| "run the tests with `cargo xtask test`".to_owned()),
    );
    None
}

/// Says that a test does without its client, and fails unless that is allowed.
pub(crate) fn missing(what: &str, reason: &str) {
    assert!(
        env::var_os(ALLOW_MISSING).is_some(),
        "no {what}: {reason}; set {ALLOW_MISSING}=1 to do without this client"
    );
    eprintln!("SKIPPED without {what}: {reason}");
}

/// Puts the scripts and the packages into a folder.
fn beside(packages: &Path, scratch: &Scratch) {
    let scripts = repository().join("tests/e2e/node");
    for entry in fs::read_dir(scripts).expect("the scripts").flatten() {
        if entry.path().extension().is_some_and(|kind| kind == "mjs") {
            fs::copy(entry.path(), scratch.path().join(entry.file_name())).expect("a copy");
        }
    }
    symlink(packages.join("node_modules"), scratch.join("node_modules")).expect("a link");
}

/// Nothing of the machine interferes, and nothing is sent to any other host.
fn isolate(command: &mut Command, home: &Path) {
    for (name, value) in [
        ("NO_PROXY", "127.0.0.1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("LANGSMITH_TRACING", "false"),
        ("OPENAI_AGENTS_DISABLE_TRACING", "1"),
        ("PYDANTIC_DISABLE_PLUGINS", "__all__"),
    ] {
        command.env(name, value);
    }
    command.env("HOME", home).kill_on_drop(true);
}
