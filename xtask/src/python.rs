//! Packages from `PyPI` in private virtualenvs under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::suite::Variable;
use crate::workspace::Workspace;
use crate::{console, installation, system};

/// The official `openai` and `anthropic` packages of end-to-end tests: the variable of a Python that has them, and the
/// list of their versions.
const OFFICIAL: [(&str, &str); 3] = [
    ("OFFICIAL_PYTHON", "official.txt"),
    ("OFFICIAL_PYTHON_PREVIOUS", "official-previous.txt"),
    ("OFFICIAL_PYTHON_EARLY", "official-early.txt"),
];

const REMEDY: &str = "python3 with its venv module is needed (on Debian, as root: \
                      `apt-get install python3 python3-venv`)";

/// A virtualenv with packages in versions that do not change.
#[derive(Clone, Debug)]
pub struct Virtualenv {
    folder: PathBuf,
}

impl Virtualenv {
    /// Makes a virtualenv with one package, and what that depends on, unless it is there already.
    ///
    /// # Errors
    ///
    /// When there is no usable python3, or the package cannot be installed.
    pub fn with_package(workspace: &Workspace, package: &str, version: &str) -> Result<Self> {
        let folder = workspace
            .target()
            .join(format!("{package}-venv"))
            .join(version);
        let requirement = format!("{package}=={version}");
        let virtualenv = Self { folder };
        virtualenv.fill(package, version, |pip| pip.arg(&requirement))?;
        Ok(virtualenv)
    }

    /// Makes a virtualenv with the packages that `requirements` lists, a file in pip's form, unless it is
    /// there already: <https://pip.pypa.io/en/stable/reference/requirements-file-format/>.
    ///
    /// # Errors
    ///
    /// When there is no usable python3, or a package cannot be installed.
    pub fn with_requirements(workspace: &Workspace, requirements: &Path) -> Result<Self> {
        let wanted = std::fs::read_to_string(requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let name = requirements.file_stem().unwrap_or_default();
        let name = name.to_string_lossy();
        let folder = workspace.target().join(format!("{name}-venv"));
        let virtualenv = Self { folder };
        virtualenv.fill(&name, &wanted, |pip| pip.arg("-r").arg(requirements))?;
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

    /// A file of an installed package, by its path in `site-packages`.
    #[must_use]
    pub fn package_file(&self, path: &str) -> Option<PathBuf> {
        std::fs::read_dir(self.folder.join("lib"))
            .ok()?
            .flatten()
            .map(|python| python.path().join("site-packages").join(path))
            .find(|file| file.is_file())
    }

    /// Installs what `choose` names, unless just that, `wanted`, is there.
    fn fill(
        &self,
        name: &str,
        wanted: &str,
        choose: impl Fn(&mut Command) -> &mut Command,
    ) -> Result<()> {
        installation::ensure(&self.folder, wanted, || {
            create(&self.folder)?;
            console::step(&format!("installing {name} (PyPI)"));
            let mut pip = Command::new(self.python());
            pip.args(["-m", "pip", "install", "--quiet"]);
            pip.arg("--disable-pip-version-check");
            system::run(choose(&mut pip))
                .with_context(|| format!("cannot install {name} from PyPI"))
        })
    }
}

/// Variables of the Pythons that have the official packages.
///
/// # Errors
///
/// When they cannot be installed.
pub fn official(workspace: &Workspace) -> Result<Vec<Variable>> {
    let install = |(variable, list): (&'static str, &str)| {
        let path = workspace.root().join("tests/e2e/python/requirements");
        let venv = Virtualenv::with_requirements(workspace, &path.join(list))?;
        Ok((variable, venv.python().into()))
    };
    OFFICIAL.into_iter().map(install).collect()
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
