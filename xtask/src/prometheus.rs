//! Prometheus and `promtool`, for the tests of rules and dashboards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{console, system};

/// Debian's package, which has both.
const PACKAGE: &str = "prometheus";

/// Executables in the same version.
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// The server.
    pub server: PathBuf,
    /// `promtool`.
    pub tool: PathBuf,
}

/// Finds both, or unpacks Debian's package below the target folder. It is not installed, because that would start a
/// server.
///
/// # Errors
///
/// When they are not there and cannot be downloaded.
pub fn find(workspace: &Workspace) -> Result<Prometheus> {
    let folder = workspace.target().join(PACKAGE);
    if let Some(found) = on_the_path().or_else(|| unpacked(&folder)) {
        return Ok(found);
    }
    if system::find("apt-get").is_some() && system::find("dpkg-deb").is_some() {
        unpack(&folder)?;
    }
    match unpacked(&folder) {
        Some(found) => Ok(found),
        None => bail!(
            "prometheus and promtool are needed on the PATH (Debian's package is `{PACKAGE}`)"
        ),
    }
}

fn on_the_path() -> Option<Prometheus> {
    Some(Prometheus {
        server: system::find("prometheus")?,
        tool: system::find("promtool")?,
    })
}

fn unpacked(folder: &Path) -> Option<Prometheus> {
    let bin = folder.join("usr/bin");
    let found = Prometheus {
        server: bin.join("prometheus"),
        tool: bin.join("promtool"),
    };
    (found.server.is_file() && found.tool.is_file()).then_some(found)
}

fn unpack(folder: &Path) -> Result<()> {
    console::step(&format!("downloading {PACKAGE} (apt-get)"));
    fs::create_dir_all(folder)?;
    let download = || {
        let mut command = Command::new("apt-get");
        system::run(
            command
                .args(["-qq", "download", PACKAGE])
                .current_dir(folder),
        )
    };
    if download().is_err() && system::can_install() {
        system::update()?;
        download()?;
    }
    let packages = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut packages = packages.filter(|path| path.extension().is_some_and(|own| own == "deb"));
    let package = packages.next().context("apt-get downloaded nothing")?;
    system::run(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(package)
            .arg(folder),
    )
}
