//! The crates that a release consists of: those of this repository that are shipped, and what they are built from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::binaries;
use crate::workspace::{Workspace, cargo};
use crate::{system, wasm};

/// What is shipped.
const SHIPPED: [&str; 2] = ["bedrock-filter", "config-service"];

/// The crates by cargo's id.
#[derive(Debug)]
pub(super) struct Crates {
    all: BTreeMap<String, Crate>,
    /// Ids of those that are shipped.
    pub(super) roots: Vec<String>,
}

/// A crate, as cargo describes it.
#[derive(Clone, Debug)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression.
    pub(super) licence: String,
    /// The folder with its sources.
    pub(super) folder: PathBuf,
    /// SHA-256 of its archive in the registry; none for those of this repository.
    pub(super) checksum: Option<String>,
    /// Ids of the crates that it is built from.
    pub(super) dependencies: BTreeSet<String>,
}

impl Crates {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// When cargo cannot say it.
    pub(super) fn of(workspace: &Workspace) -> Result<Self> {
        let mut command = cargo();
        command.current_dir(workspace.root()).args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
        ]);
        // Or crates for other systems would be among them.
        for target in binaries::TARGETS.into_iter().chain([wasm::TARGET]) {
            command.args(["--filter-platform", target]);
        }
        let metadata: Value = serde_json::from_str(&system::output(&mut command)?)?;
        let sums = checksums(&std::fs::read_to_string(
            workspace.root().join("Cargo.lock"),
        )?);
        let mut all = BTreeMap::new();
        for package in list(&metadata, "/packages") {
            let own = Crate::read(package, &sums)?;
            all.insert(text(package, "id")?, own);
        }
        for node in list(&metadata, "/resolve/nodes") {
            let own = all
                .get_mut(&text(node, "id")?)
                .context("an unknown crate")?;
            own.dependencies = normal(node)?;
        }
        let is_shipped = |(_, own): &(&String, &Crate)| {
            own.checksum.is_none() && SHIPPED.contains(&own.name.as_str())
        };
        let roots: Vec<_> = all
            .iter()
            .filter(is_shipped)
            .map(|(id, _)| id.clone())
            .collect();
        let mut crates = Self { all, roots };
        crates.keep_needed();
        Ok(crates)
    }

    /// The version of the release.
    pub(super) fn version(&self) -> &str {
        let first = self.roots.first().and_then(|id| self.all.get(id));
        first.map_or("", |own| &own.version)
    }

    /// All of them with their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Crate)> {
        self.all.iter().map(|(id, own)| (id.as_str(), own))
    }

    /// One of them.
    pub(super) fn get(&self, id: &str) -> Option<&Crate> {
        self.all.get(id)
    }

    fn keep_needed(&mut self) {
        let mut needed = BTreeSet::new();
        let mut open = self.roots.clone();
        while let Some(id) = open.pop() {
            if let Some(own) = self.all.get(&id).filter(|_| needed.insert(id)) {
                open.extend(own.dependencies.iter().cloned());
            }
        }
        self.all.retain(|id, _| needed.contains(id));
    }
}

impl Crate {
    fn read(package: &Value, sums: &BTreeMap<(String, String), String>) -> Result<Self> {
        let (name, version) = (text(package, "name")?, text(package, "version")?);
        let manifest = text(package, "manifest_path")?;
        let folder = Path::new(&manifest).parent().unwrap_or(Path::new(""));
        Ok(Self {
            licence: text(package, "license").unwrap_or_default(),
            folder: folder.to_owned(),
            checksum: sums.get(&(name.clone(), version.clone())).cloned(),
            dependencies: BTreeSet::new(),
            name,
            version,
        })
    }
}

/// Those that a crate is made of, and not only tested or built with.
fn normal(node: &Value) -> Result<BTreeSet<String>> {
    let is_normal = |dependency: &&Value| {
        let kinds = list(dependency, "/dep_kinds");
        kinds.iter().any(|kind| kind["kind"].is_null())
    };
    let all = list(node, "/deps").iter().filter(is_normal);
    all.map(|dependency| text(dependency, "pkg")).collect()
}

/// The checksums in a lock file, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").skip(1);
    let field = |package: &str, name: &str| {
        let prefix = format!("{name} = \"");
        let line = package.lines().find_map(|line| line.strip_prefix(&prefix));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
    packages
        .filter_map(|own| {
            Some((
                (field(own, "name")?, field(own, "version")?),
                field(own, "checksum")?,
            ))
        })
        .collect()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn text(value: &Value, member: &str) -> Result<String> {
    let text = value.get(member).and_then(Value::as_str);
    text.map(ToOwned::to_owned)
        .with_context(|| format!("cargo's description of a crate has no `{member}`"))
}
