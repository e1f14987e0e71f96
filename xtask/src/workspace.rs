//! Where the repository and its build output are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::system;

/// The cargo workspace that xtask belongs to.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Value>,
}

impl Workspace {
    /// Asks cargo, which takes `CARGO_TARGET_DIR` and configuration files into account.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run or its output cannot be read.
    pub fn locate() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .context("cannot run `cargo metadata`")?;
        let metadata: Value =
            serde_json::from_slice(&output.stdout).with_context(|| system::said(&output))?;
        let path = |key: &str| {
            let text = metadata.get(key).and_then(Value::as_str);
            text.map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` names no {key}"))
        };
        let list = metadata.get("packages").unwrap_or(&Value::Null);
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            packages: list.as_array().cloned().unwrap_or_default(),
        })
    }

    /// The repository's top folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The packages as `cargo metadata` describes them.
    #[must_use]
    pub fn packages(&self) -> &[Value] {
        &self.packages
    }

    /// Path of the executable `name`, built with the dev profile.
    #[must_use]
    pub fn executable(&self, name: &str) -> PathBuf {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        self.target.join("debug").join(file)
    }

    /// Runs cargo in the repository with its output visible.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run or fails.
    pub fn cargo(&self, arguments: &[&str]) -> Result<()> {
        system::run(cargo().args(arguments).current_dir(&self.root))
    }

    /// Path of the filter's module, see [`crate::wasm::build`].
    #[must_use]
    pub fn module(&self) -> PathBuf {
        self.target.join("bedrock_filter.wasm")
    }
}

/// The cargo that runs xtask, or else the one on the PATH.
///
/// The variables that cargo sets for xtask are removed: build scripts that read one of them (`ring`'s does)
/// would otherwise run again, and everything that depends on them would be recompiled, whenever cargo is
/// called alternately by hand and by xtask.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_about_xtask) {
            command.env_remove(name);
        }
    }
    command
}

/// <https://doc.rust-lang.org/cargo/reference/environment-variables.html#environment-variables-cargo-sets-for-crates>
fn is_about_xtask(variable: &str) -> bool {
    const NAMES: [&str; 3] = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
    ];
    const PREFIXES: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cargo sets these for this program.
    #[test]
    fn cargo_does_not_see_the_variables_set_for_xtask() {
        let command = cargo();
        let removed = |name: &str| {
            env::var_os(name).is_some()
                && command
                    .get_envs()
                    .any(|(own, value)| own == name && value.is_none())
        };
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            assert!(removed(name), "{name}");
        }
    }
}
