//! Folders of installed packages.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::console;

/// Name of the file that says what a folder was filled with.
const COMPLETE: &str = "complete";
/// How long to wait before the second attempt.
const PAUSE: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 10 });

/// Fills a folder, emptied first, unless it is complete and has just what is `wanted`.
///
/// What fails is tried once more, because a registry that is busy for a moment shall not fail a suite of half an
/// hour.
///
/// # Errors
///
/// When `fill` fails twice, or the folder cannot be emptied.
pub(crate) fn ensure(folder: &Path, wanted: &str, fill: impl Fn() -> Result<()>) -> Result<()> {
    let complete = folder.join(COMPLETE);
    if std::fs::read_to_string(&complete).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if let Err(error) = fill_anew(folder, &fill) {
        console::warning(&format!("once more: {error:#}"));
        thread::sleep(PAUSE);
        fill_anew(folder, &fill)?;
    }
    // Written last, so that an interrupted installation is repeated.
    std::fs::write(&complete, wanted)?;
    Ok(())
}

fn fill_anew(folder: &Path, fill: impl Fn() -> Result<()>) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    fill()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use anyhow::{bail, ensure};

    #[test]
    fn a_folder_is_filled_until_it_is_complete() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("packages");
        let fill = || -> Result<()> {
            std::fs::create_dir(&folder)?;
            std::fs::write(folder.join("half"), "")?;
            Ok(())
        };
        let interrupted = super::ensure(&folder, "1", || {
            fill()?;
            bail!("cut")
        });
        assert!(interrupted.is_err());
        super::ensure(&folder, "1", fill).unwrap();
        super::ensure(&folder, "1", || bail!("it is there")).unwrap();
        assert!(super::ensure(&folder, "2", || bail!("another is wanted")).is_err());
        assert!(!folder.exists(), "what was there is another version's");
    }

    #[test]
    fn what_fails_once_is_tried_again() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("packages");
        let tries = Cell::new(0);
        let fill = || -> Result<()> {
            tries.set(tries.get() + 1);
            std::fs::create_dir(&folder)?;
            ensure!(tries.get() > 1, "the registry is busy");
            Ok(())
        };
        super::ensure(&folder, "1", fill).unwrap();
        assert_eq!(tries.get(), 2);
    }
}
