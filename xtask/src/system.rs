//! System commands: running them, finding them, installing Debian packages.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::console;

/// Runs a command with its output visible.
///
/// # Errors
///
/// When it cannot be started or exits with a status other than 0.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Runs a command and returns what it wrote to stdout, trimmed.
///
/// # Errors
///
/// When it cannot be started or exits with a status other than 0; the error contains its
/// stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .output()
        .with_context(|| format!("cannot run `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed: {}", said(&output));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What a failed command wrote to stderr, or to stdout when stderr is empty.
#[must_use]
pub fn said(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let text = if stderr.trim().is_empty() {
        stdout
    } else {
        stderr
    };
    format!("{} ({})", text.trim(), output.status)
}

/// Finds an executable on the PATH.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Whether Debian packages can be installed: the user is root, and there is an apt-get.
#[must_use]
pub fn can_install() -> bool {
    nix::unistd::geteuid().is_root() && find("apt-get").is_some()
}

/// Installs Debian packages after refreshing the package lists.
///
/// # Errors
///
/// When apt-get fails.
pub fn install(packages: &[&str]) -> Result<()> {
    console::step(&format!("installing {} (apt-get)", packages.join(" ")));
    update()?;
    run(apt_get()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages))
}

/// Refreshes the lists of Debian packages.
///
/// # Errors
///
/// When apt-get fails.
pub fn update() -> Result<()> {
    run(apt_get().arg("update"))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-qq").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_executable(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
