//! Files that contain an identity provider's token, such as a Kubernetes service account's, or a key.
//!
//! Whoever edits channels names the file, and its content goes to STS or Bedrock. So files are read only from a
//! few folders, and only a token or a key is sent, never the process's environment or another secret. The folders are
//! enforced when the file is opened, by the kernel where it can (`openat2`), so a link that is created
//! later does not lead out of them either.

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedrock_filter::secret::Secret;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Map, Value};

/// Longest token that STS accepts, in characters.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
const MAX_TOKEN_LEN: usize = 20_000;

/// Where Kubernetes and EKS mount such files: a pod's own token, that of IAM roles for service accounts, and
/// the usual place of a projected one.
///
/// <https://docs.aws.amazon.com/eks/latest/userguide/pod-configuration.html>,
/// <https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/>
pub const USUAL_FOLDERS: &str = "/var/run/secrets/kubernetes.io/serviceaccount,\
                                 /var/run/secrets/eks.amazonaws.com/serviceaccount,\
                                 /var/run/secrets/tokens";

/// Where files with keys may be: Docker's secrets, and a place to mount them in Kubernetes.
///
/// <https://docs.docker.com/compose/how-tos/use-secrets/>
pub const USUAL_KEY_FOLDERS: &str = "/run/secrets,/var/run/secrets/bedrock";

/// The flags that name the folders.
const TOKEN_FLAG: &str = "--token-file-dirs";
const KEY_FLAG: &str = "--credential-file-dirs";

/// The kernel's folders, in which processes and devices are files.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// A folder from which tokens or keys may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// A folder from which nothing must be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute path without `..`, other than `/` and not in /proc, /sys or /dev")]
pub struct InvalidFolder;

impl FromStr for Folder {
    type Err = InvalidFolder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = Path::new(text);
        if is_plain(path) && !is_forbidden(path) {
            Ok(Self(path.to_owned()))
        } else {
            Err(InvalidFolder)
        }
    }
}

/// Why a path cannot be that of a token file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidPath {
    /// It does not lead straight to a file.
    #[error("must be an absolute path on the config-service's machine, without `..`")]
    NotPlain,
    /// It is in none of the folders.
    #[error("must be in one of the folders that the config-service's {0} names: {1}")]
    Outside(&'static str, String),
}

/// Why a file has no token; never quotes the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// It is not where tokens may be.
    #[error("{file} {reason}")]
    Path {
        /// The file.
        file: String,
        /// Why.
        reason: InvalidPath,
    },
    /// A link leads somewhere else.
    #[error("cannot read {file}: a link leads out of {}", folder.display())]
    Escape {
        /// The file.
        file: String,
        /// The folder that it should be in.
        folder: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The file does not contain a token.
    #[error(
        "{0} contains no token: it must be a JSON Web Token of at most {MAX_TOKEN_LEN} characters, \
         three parts in base64url separated by dots"
    )]
    NoToken(String),
    /// The file is not text.
    #[error("{0} does not contain text")]
    NoText(String),
    /// It was not read in the end.
    #[error("the file was not read")]
    Interrupted,
}

/// All folders from which tokens, or keys, may be read. Clones share one list.
#[derive(Clone, Debug)]
pub struct Folders {
    list: Arc<[Folder]>,
    /// The flag that names them.
    flag: &'static str,
}

/// The usual ones for tokens.
impl Default for Folders {
    fn default() -> Self {
        let folders = USUAL_FOLDERS.split(',').map(str::parse);
        Self::of_tokens(folders.filter_map(Result::ok).collect())
    }
}

impl Folders {
    /// Folders for identity providers' tokens.
    #[must_use]
    pub fn of_tokens(folders: Vec<Folder>) -> Self {
        Self {
            list: folders.into(),
            flag: TOKEN_FLAG,
        }
    }

    /// Folders for files with keys.
    #[must_use]
    pub fn of_keys(folders: Vec<Folder>) -> Self {
        Self {
            list: folders.into(),
            flag: KEY_FLAG,
        }
    }

    /// What is wrong with a file's path, as far as the path itself shows.
    pub(super) fn objection(&self, file: &str) -> Option<InvalidPath> {
        self.place(file).err()
    }

    /// The token that is currently in a file.
    ///
    /// # Errors
    ///
    /// Why the file has no token; never quotes the file.
    pub(super) async fn read_token(&self, file: &str) -> Result<Secret, TokenError> {
        let bytes = self.read(file).await?;
        token(&bytes).ok_or_else(|| TokenError::NoToken(file.to_owned()))
    }

    /// The text that is currently in a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not text.
    pub(super) async fn read_text(&self, file: &str) -> Result<String, TokenError> {
        let text = String::from_utf8(self.read(file).await?);
        text.map_err(|_| TokenError::NoText(file.to_owned()))
    }

    async fn read(&self, file: &str) -> Result<Vec<u8>, TokenError> {
        let (folders, file) = (self.clone(), file.to_owned());
        let read = tokio::task::spawn_blocking(move || folders.read_now(&file));
        read.await.unwrap_or(Err(TokenError::Interrupted))
    }

    fn read_now(&self, file: &str) -> Result<Vec<u8>, TokenError> {
        let named = || file.to_owned();
        let place = self.place(file);
        let (folder, inside) = place.map_err(|reason| TokenError::Path {
            file: named(),
            reason,
        })?;
        open(folder, inside).map_err(|source| {
            if is_escape(&source) {
                return TokenError::Escape {
                    file: named(),
                    folder: folder.to_owned(),
                };
            }
            TokenError::Unreadable {
                file: named(),
                source,
            }
        })
    }

    /// The folder that a file is in, and the rest of its path.
    fn place<'a>(&'a self, file: &'a str) -> Result<(&'a Path, &'a Path), InvalidPath> {
        let path = Path::new(file);
        if !is_plain(path) || file.ends_with('/') || file.contains(char::is_control) {
            return Err(InvalidPath::NotPlain);
        }
        let place = |folder: &'a Folder| {
            let inside = path.strip_prefix(&folder.0).ok()?;
            (!inside.as_os_str().is_empty()).then_some((folder.0.as_path(), inside))
        };
        self.list.iter().find_map(place).ok_or_else(|| {
            let folders = self.list.iter().map(|it| it.0.display().to_string());
            InvalidPath::Outside(self.flag, folders.collect::<Vec<_>>().join(", "))
        })
    }
}

/// The start of a file in a folder, long enough for a token.
fn open(folder: &Path, inside: &Path) -> io::Result<Vec<u8>> {
    // The folder itself may be reached through links, like /var/run.
    let folder = std::fs::canonicalize(folder)?;
    if is_forbidden(&folder) {
        return Err(io::Error::other("its folder is one of the kernel's"));
    }
    let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
    // Checked before opening, because opening a pipe would block.
    if !folder.metadata(inside)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = folder.open(inside)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // Plus some white space around it.
    let limit = u64::try_from(MAX_TOKEN_LEN + 1024).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How `cap-std` refuses to leave a folder, without a system error.
fn is_escape(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// The content of a file, if it is a signed JSON Web Token.
///
/// <https://datatracker.ietf.org/doc/html/rfc7519#section-3>,
/// <https://datatracker.ietf.org/doc/html/rfc7515#section-7.1>
fn token(bytes: &[u8]) -> Option<Secret> {
    let text = std::str::from_utf8(bytes).ok()?.trim_ascii();
    let mut parts = text.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_signed = URL_SAFE_NO_PAD
        .decode(signature)
        .is_ok_and(|bytes| !bytes.is_empty());
    let is_token = text.len() <= MAX_TOKEN_LEN
        && parts.next().is_none()
        && is_object(header)
        && is_object(payload)
        && is_signed;
    is_token.then(|| Secret::new(text))
}

fn is_object(part: &str) -> bool {
    let json = URL_SAFE_NO_PAD.decode(part).ok();
    json.is_some_and(|json| serde_json::from_slice::<Map<String, Value>>(&json).is_ok())
}

/// Whether a path is absolute and leads only downwards.
fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    parts.next() == Some(Component::RootDir)
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn is_forbidden(path: &Path) -> bool {
    path.parent().is_none() || KERNEL.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests;
