//! The workspace's test programs, with the names of their tests and what those need.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::suite::names;
use crate::suite::needs::{Need, Needs};
use crate::workspace::Workspace;

/// The package whose tests are golden cases, which are not in any source file.
const GOLDEN: &str = "golden-cases";

/// A test program.
#[derive(Debug)]
pub(super) struct Program {
    /// What it is compiled from.
    pub(super) target: Target,
    /// Names of its tests.
    pub(super) names: Vec<String>,
    /// Name prefixes of tests that depend on Envoy's version.
    pub(super) by_envoy_version: Vec<String>,
    /// The word by which its tests, which are all `#[ignore]`, must be asked for, if any; `--matrix` runs them too.
    pub(super) on_request: Option<String>,
    needs: Vec<(String, Needs)>,
}

/// What a test program is compiled from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A library's own tests.
    Unit,
    /// `[[test]]` of this name.
    Test(String),
}

impl Program {
    /// Whether a test's name contains `part`.
    pub(super) fn has(&self, part: &str) -> bool {
        self.names.iter().any(|name| name.contains(part))
    }

    /// Whether a NAME asks for a program that runs only on request.
    pub(super) fn is_meant(&self, name: &str) -> bool {
        let word = self.on_request.as_ref();
        word.is_none_or(|word| name.contains(word))
    }

    /// Its name for `--test`.
    pub(super) fn test(&self) -> Option<&str> {
        match &self.target {
            Target::Unit => None,
            Target::Test(name) => Some(name),
        }
    }

    /// What a test of this name needs.
    pub(super) fn needs(&self, name: &str) -> Needs {
        let own = self
            .needs
            .iter()
            .filter(|(start, _)| name.starts_with(start.as_str()));
        own.flat_map(|(_, needs)| needs).copied().collect()
    }
}

/// Every test program.
///
/// # Errors
///
/// When a source or a manifest cannot be read.
pub(super) fn all(workspace: &Workspace) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for package in workspace.packages() {
        for target in members(&package["targets"]) {
            programs.extend(program(package, target)?);
        }
    }
    Ok(programs)
}

/// The program that cargo builds to test a target, if any.
fn program(package: &Value, target: &Value) -> Result<Option<Program>> {
    if target["test"] != true {
        return Ok(None);
    }
    let is = |kind: &str| {
        target["kind"]
            .as_array()
            .is_some_and(|own| own.iter().any(|own| own == kind))
    };
    let metadata = package.pointer("/metadata/tests").unwrap_or(&Value::Null);
    let (own, needs) = if is("test") {
        let name = target["name"].as_str().context("a test without a name")?;
        (Target::Test(name.to_owned()), needs(metadata)?)
    } else {
        (Target::Unit, Vec::new())
    };
    let source = target["src_path"]
        .as_str()
        .context("a target without a source file")?;
    let names = if package["name"] == GOLDEN && is("test") {
        golden_cases::test_names()
    } else {
        names::of(Path::new(source))?
    };
    let by_version = if is("test") {
        &metadata["by-envoy-version"]
    } else {
        &Value::Null
    };
    Ok(Some(Program {
        target: own,
        names,
        by_envoy_version: texts(by_version),
        on_request: metadata["on-request"]
            .as_str()
            .filter(|_| is("test"))
            .map(str::to_owned),
        needs,
    }))
}

/// `needs = { "prefix::" = ["need"] }` from a manifest.
fn needs(metadata: &Value) -> Result<Vec<(String, Needs)>> {
    let own = metadata["needs"].as_object().into_iter().flatten();
    own.map(|(start, needs)| {
        let needs = texts(needs)
            .iter()
            .map(|need| Need::parse(need))
            .collect::<Result<_>>();
        Ok((start.clone(), needs?))
    })
    .collect()
}

fn members(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> Vec<String> {
    members(list)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_runs_on_request_must_be_asked_for() {
        let program = |word: Option<&str>| Program {
            target: Target::Test("mesh".to_owned()),
            names: vec!["istio_real::edits::a_key".to_owned()],
            by_envoy_version: Vec::new(),
            on_request: word.map(str::to_owned),
            needs: Vec::new(),
        };
        let asks = |word, name: &str| program(word).has(name) && program(word).is_meant(name);
        assert!(asks(Some("istio"), "istio_real::edits"));
        assert!(!asks(Some("istio"), "edits"));
        assert!(asks(None, "edits"));
    }
}
