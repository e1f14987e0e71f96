//! Secrets given to a program as a value or in a file.
//!
//! Every flag for a secret, such as `--admin-token`, has a variable, `BEDROCK_ADMIN_TOKEN`, and a second
//! pair that names a file: `--admin-token-file`, `BEDROCK_ADMIN_TOKEN_FILE`. That way Docker and Kubernetes
//! can mount secrets instead of putting them into the environment, where crash reports and child processes
//! can see them.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most that a file may contain, in bytes: no secret is longer, and a device such as `/dev/zero` never
/// ends.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The byte order mark, which some editors put invisibly before text that they save as UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where one secret comes from.
///
/// An empty value counts as not given, because compose files and charts set variables even when they have
/// no value for them.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What it is called.
    pub name: Name,
    /// The secret itself.
    pub value: Option<&'a str>,
    /// The file that contains it.
    pub file: Option<&'a OsStr>,
}

/// A secret's flag and variable; those of its file end in `-file` and `_FILE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// On the command line, such as `--admin-token`.
    pub flag: &'static str,
    /// In the environment, such as `BEDROCK_ADMIN_TOKEN`.
    pub variable: &'static str,
}

/// Why there is no secret. No message repeats one.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It was given both as a value and as a file.
    #[error(
        "{0} and {file} are both set; remove one of them",
        file = OfFile(*.0)
    )]
    Both(Name),
    /// It was not given.
    #[error("{0} is not set; set it or {file}", file = OfFile(*.0))]
    Missing(Name),
    /// The file cannot be read.
    #[error(
        "cannot read {path}, named by {name}: {source}",
        name = OfFile(*.name), path = .path.display()
    )]
    Read {
        /// Whose file.
        name: Name,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has nothing in it.
    #[error(
        "{path}, named by {name}, is empty; write the secret into it",
        name = OfFile(*.name), path = .path.display()
    )]
    Empty {
        /// Whose file.
        name: Name,
        /// The file.
        path: PathBuf,
    },
    /// The file begins with a byte order mark, which would become part of the secret.
    #[error(
        "{path}, named by {name}, begins with a byte order mark (the bytes EF BB BF), which is not \
         part of the secret; save it as UTF-8 without one",
        name = OfFile(*.name), path = .path.display()
    )]
    ByteOrderMark {
        /// Whose file.
        name: Name,
        /// The file.
        path: PathBuf,
    },
    /// The file contains more than a secret.
    #[error(
        "{path}, named by {name}, is longer than 64 KiB; it must contain only the secret",
        name = OfFile(*.name), path = .path.display()
    )]
    TooLong {
        /// Whose file.
        name: Name,
        /// The file.
        path: PathBuf,
    },
}

/// The file's text, or one byte more than the limit.
fn read_whole(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(file)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    Ok(text)
}

impl Source<'_> {
    /// The secret, if there is one; without the line break that editors leave at the end of a file.
    ///
    /// # Errors
    ///
    /// When both the value and the file are given, or the file contains no secret.
    pub fn read(&self) -> Result<Option<String>, SourceError> {
        let value = self.value.filter(|value| !value.is_empty());
        let file = self.file.filter(|file| !file.is_empty()).map(Path::new);
        match (value, file) {
            (Some(_), Some(_)) => Err(SourceError::Both(self.name)),
            (Some(value), None) => Ok(Some(value.to_owned())),
            (None, Some(file)) => self.read_file(file).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The secret, which must be given.
    ///
    /// # Errors
    ///
    /// When both the value and the file are given, or neither, or the file contains no secret.
    pub fn require(&self) -> Result<String, SourceError> {
        self.read()?.ok_or(SourceError::Missing(self.name))
    }

    fn read_file(&self, file: &Path) -> Result<String, SourceError> {
        let (name, path) = (self.name, file.to_owned());
        match read_whole(file) {
            Ok(text) if text.len() as u64 > MAX_FILE_BYTES => {
                Err(SourceError::TooLong { name, path })
            }
            Ok(text) if text.starts_with(BYTE_ORDER_MARK) => {
                Err(SourceError::ByteOrderMark { name, path })
            }
            Ok(text) => match text.trim_end_matches(['\r', '\n']) {
                "" => Err(SourceError::Empty { name, path }),
                secret => Ok(secret.to_owned()),
            },
            Err(source) => Err(SourceError::Read { name, path, source }),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.flag, self.variable)
    }
}

/// The flag and variable of a secret's file.
struct OfFile(Name);

impl fmt::Display for OfFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-file ({}_FILE)", self.0.flag, self.0.variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Name = Name {
        flag: "--token",
        variable: "APP_TOKEN",
    };

    fn read(value: Option<&str>, file: Option<&Path>) -> Result<Option<String>, String> {
        let source = Source {
            name: NAME,
            value,
            file: file.map(Path::as_os_str),
        };
        source.read().map_err(|error| error.to_string())
    }

    fn read_file(content: &[u8]) -> Result<Option<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, content).unwrap();
        read(None, Some(&path))
    }

    #[test]
    fn a_secret_comes_from_its_value_or_its_file() {
        assert_eq!(read(Some("s3cret"), None), Ok(Some("s3cret".to_owned())));
        for content in ["s3cret", "s3cret\n", "s3cret\r\n", "s3cret\n\n"] {
            let secret = read_file(content.as_bytes());
            assert_eq!(secret, Ok(Some("s3cret".to_owned())), "{content:?}");
        }
        // All other white space is part of the secret.
        assert_eq!(read_file(b" a b \n"), Ok(Some(" a b ".to_owned())));
    }

    #[test]
    fn empty_is_as_good_as_absent() {
        assert_eq!(read(None, None), Ok(None));
        assert_eq!(read(Some(""), Some(Path::new(""))), Ok(None));
        let missing = Source {
            name: NAME,
            value: Some(""),
            file: None,
        };
        let error = missing.require().unwrap_err().to_string();
        assert_eq!(
            error,
            "--token (APP_TOKEN) is not set; set it or --token-file (APP_TOKEN_FILE)"
        );
    }

    #[test]
    fn both_at_once_are_refused_by_name() {
        let error = read(Some("s3cret"), Some(Path::new("/run/token"))).unwrap_err();
        assert_eq!(
            error,
            "--token (APP_TOKEN) and --token-file (APP_TOKEN_FILE) are both set; remove one of them"
        );
    }

    #[test]
    fn a_file_without_a_secret_is_named() {
        let missing = Path::new("/nowhere/token");
        let error = read(None, Some(missing)).unwrap_err();
        assert!(
            error.contains("/nowhere/token, named by --token-file (APP_TOKEN_FILE): No such file"),
            "{error}"
        );
        let empty = read_file(b"\n").unwrap_err();
        assert!(empty.contains("/token, named by --token-file"), "{empty}");
        assert!(empty.contains("is empty"), "{empty}");
        let long = read_file(&vec![b'x'; 64 * 1024 + 1]).unwrap_err();
        assert!(long.contains("longer than 64 KiB"), "{long}");
        let endless = read(None, Some(Path::new("/dev/zero"))).unwrap_err();
        assert!(endless.contains("longer than 64 KiB"), "{endless}");
        let marked = read_file("\u{feff}s3cret\n".as_bytes()).unwrap_err();
        assert!(
            marked.contains("byte order mark") && marked.contains("/token, named by --token-file"),
            "{marked}"
        );
        let binary = read_file(b"s3cret\xff").unwrap_err();
        assert!(
            binary.contains("UTF-8") && !binary.contains("s3cret"),
            "{binary}"
        );
    }
}
