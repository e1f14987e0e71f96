//! Chromium and the program that drives it, for the tests of the web page.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::system;

const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Executables of the browser and its driver, in the same version.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Chromium.
    pub chromium: PathBuf,
    /// `ChromeDriver`.
    pub driver: PathBuf,
}

/// Finds both, or installs Debian's.
///
/// # Errors
///
/// When they are not there and cannot be installed.
pub fn find() -> Result<Browser> {
    if let Some(found) = on_the_path() {
        return Ok(found);
    }
    if system::can_install() {
        system::install(&PACKAGES)?;
    }
    match on_the_path() {
        Some(found) => Ok(found),
        None => bail!(
            "chromium and chromedriver are needed on the PATH (on Debian, as root: `apt-get install {}`)",
            PACKAGES.join(" ")
        ),
    }
}

fn on_the_path() -> Option<Browser> {
    Some(Browser {
        chromium: system::find("chromium")?,
        driver: system::find("chromedriver")?,
    })
}
