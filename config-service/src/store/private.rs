//! A database, and every copy of it, is readable for its owner alone, because it holds credentials.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// What the lock file's name adds to the database's.
pub(super) const LOCK: &str = ".lock";

/// What all files beside a database add to its name. <https://www.sqlite.org/tempfiles.html>
pub(super) const SIDES: [&str; 4] = ["-wal", "-shm", "-journal", LOCK];

/// Creates a file for its owner alone, whatever the umask; fails if it is there and has to be new.
pub(super) fn create(path: &Path, new: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).create_new(new).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(MODE);
    }
    options.open(path)?;
    restrict(path);
    Ok(())
}

/// Leaves a database that is there, and the files beside it, to their owner alone: a copy that was put back
/// has whatever mode the copying gave it. Files that SQLite makes later have the mode of the database.
pub(super) fn keep(database: &Path) {
    // By whichever link the database is known, the others are beside the file itself.
    let Ok(real) = std::fs::canonicalize(database) else {
        return;
    };
    restrict(&real);
    for side in SIDES {
        restrict(&beside(&real, side));
    }
}

/// A file beside a database.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Read and written by the owner, by nobody else.
#[cfg(unix)]
const MODE: u32 = 0o600;

#[cfg(unix)]
fn restrict(path: &Path) {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    let Ok(found) = std::fs::metadata(path) else {
        return;
    };
    if found.permissions().mode() & 0o777 == MODE {
        return;
    }
    if let Err(error) = std::fs::set_permissions(path, Permissions::from_mode(MODE)) {
        tracing::warn!(
            file = %path.display(),
            %error,
            "others may be able to read the database; make its files readable for their owner alone"
        );
    }
}

#[cfg(not(unix))]
fn restrict(_: &Path) {}
