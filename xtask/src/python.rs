//! Packages from `PyPI` in private virtualenvs under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{console, system};

/// Version of the official `openai` client that the end-to-end tests use.
const OPENAI_VERSION: &str = "3.52.0";

const REMEDY: &str = "python3 with its venv module is needed (on Debian, as root: \
                      `apt-get install python3 python3-venv`)";

/// A virtualenv with one package in one version.
#[derive(Clone, Debug)]
pub struct Virtualenv {
    folder: PathBuf,
}

impl Virtualenv {
    /// Makes the virtualenv unless it is there already.
    ///
    /// # Errors
    ///
    /// When there is no usable python3, or the package cannot be installed.
    pub fn with_package(workspace: &Workspace, package: &str, version: &str) -> Result<Self> {
        let folder = workspace
            .target()
            .join(format!("{package}-venv"))
            .join(version);
        // Written last: an installation that was interrupted is done again.
        let complete = folder.join("complete");
        let virtualenv = Self { folder };
        if !complete.is_file() {
            virtualenv.install(package, version)?;
            std::fs::write(&complete, version)?;
        }
        Ok(virtualenv)
    }

    /// Its Python.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.executable("python")
    }

    /// A program in it.
    #[must_use]
    pub fn executable(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// A file of an installed package, by its path below `site-packages`.
    #[must_use]
    pub fn package_file(&self, path: &str) -> Option<PathBuf> {
        std::fs::read_dir(self.folder.join("lib"))
            .ok()?
            .flatten()
            .map(|python| python.path().join("site-packages").join(path))
            .find(|file| file.is_file())
    }

    fn install(&self, package: &str, version: &str) -> Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        create(&self.folder)?;
        console::step(&format!("installing {package} {version} (PyPI)"));
        let requirement = format!("{package}=={version}");
        system::run(
            Command::new(self.python())
                .args(["-m", "pip", "install", "--disable-pip-version-check"])
                .arg(requirement),
        )
        .with_context(|| format!("cannot install {package} {version} from PyPI"))
    }
}

/// Path of a Python that has the official `openai` package.
///
/// # Errors
///
/// When it cannot be installed.
pub fn openai(workspace: &Workspace) -> Result<PathBuf> {
    Virtualenv::with_package(workspace, "openai", OPENAI_VERSION).map(|venv| venv.python())
}

fn create(folder: &Path) -> Result<()> {
    let Err(reason) = try_create(folder) else {
        return Ok(());
    };
    if !system::can_install() {
        return Err(reason.context(REMEDY));
    }
    system::install(&["python3", "python3-venv"])?;
    try_create(folder).context(REMEDY)
}

fn try_create(folder: &Path) -> Result<()> {
    let Some(python) = system::find("python3") else {
        bail!("python3 is not on the PATH");
    };
    system::output(Command::new(python).args(["-m", "venv"]).arg(folder)).map(|_| ())
}
