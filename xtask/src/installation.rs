//! Folders of installed packages.

use std::path::Path;

use anyhow::Result;

/// Name of the file that says what a folder was filled with.
const COMPLETE: &str = "complete";

/// Fills a folder, emptied first, unless it is complete and has just what is `wanted`.
///
/// # Errors
///
/// When `fill` fails, or the folder cannot be emptied.
pub(crate) fn ensure(folder: &Path, wanted: &str, fill: impl FnOnce() -> Result<()>) -> Result<()> {
    let complete = folder.join(COMPLETE);
    if std::fs::read_to_string(&complete).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    fill()?;
    // Written last, so that an interrupted installation is repeated.
    std::fs::write(&complete, wanted)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_folder_is_filled_until_it_is_complete() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("packages");
        let fill = || -> Result<()> {
            std::fs::create_dir(&folder)?;
            std::fs::write(folder.join("half"), "")?;
            Ok(())
        };
        let interrupted = ensure(&folder, "1", || {
            fill()?;
            bail!("cut")
        });
        assert!(interrupted.is_err());
        ensure(&folder, "1", fill).unwrap();
        ensure(&folder, "1", || bail!("it is there")).unwrap();
        assert!(ensure(&folder, "2", || bail!("another is wanted")).is_err());
        assert!(!folder.exists(), "what was there is another version's");
    }
}
