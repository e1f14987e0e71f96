//! Only its owner can read a database or a copy of it, because it contains credentials.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// Suffix of the lock file's name.
pub(super) const LOCK: &str = ".lock";

/// Suffixes of all files beside a database. <https://www.sqlite.org/tempfiles.html>
pub(super) const SIDES: [&str; 4] = ["-wal", "-shm", "-journal", LOCK];

/// Creates a file that only its owner can read, whatever the umask. An existing file stays as it is, but for that.
pub(super) fn create(path: &Path) -> std::io::Result<()> {
    open(path, OpenOptions::new().create(true))
}

/// The same for a file that must not exist yet; fails if it does.
pub(super) fn create_new(path: &Path) -> std::io::Result<()> {
    open(path, OpenOptions::new().create_new(true))
}

fn open(path: &Path, options: &mut OpenOptions) -> std::io::Result<()> {
    options.append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(MODE);
    }
    options.open(path)?;
    restrict(path);
    Ok(())
}

/// Makes an existing database and the files beside it readable only by their owner: a restored copy has
/// whatever mode the copying gave it. Files that SQLite creates later get the database's mode.
pub(super) fn keep(database: &Path) {
    // Whichever link the database is reached by, the other files are beside the file itself.
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

/// Readable and writable only by the owner.
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
            "others may be able to read the database; make its files readable only by their owner \
             (chmod 0600)"
        );
    }
}

#[cfg(not(unix))]
fn restrict(_: &Path) {}
