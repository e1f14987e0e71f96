//! Files with a token of an identity provider, such as a Kubernetes service account's.
//!
//! Whoever edits channels names the file, and what is in it goes to STS. So it is read from a few folders
//! alone, and only a token is sent: never the environment of the process or a key of its own. The folders
//! are kept to when the file is opened, by the kernel where it can (`openat2`), so that a link which is put
//! there later leads nowhere either.

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

/// Longest token that STS takes, in characters.
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

/// Folders of the kernel, in which processes and devices are files.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// A folder from which tokens may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFolder(PathBuf);

/// A folder from which tokens cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute path without `..`, and neither `/` nor below /proc, /sys or /dev")]
pub struct InvalidFolder;

impl FromStr for TokenFolder {
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

/// Why a path cannot be a token's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidPath {
    /// It does not lead straight to a file.
    #[error("must be an absolute path on the config-service's machine, without `..`")]
    NotPlain,
    /// It is in none of the folders.
    #[error(
        "must be in one of the folders that --token-file-dirs of the config-service names: {0}"
    )]
    Outside(String),
}

/// Why a file has no token; never quotes the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// It is not where tokens are.
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
    /// The file does not hold a token.
    #[error(
        "{0} holds no token: it must be a JSON Web Token of at most {MAX_TOKEN_LEN} characters, three \
         parts in base64url with dots between"
    )]
    NoToken(String),
    /// Nobody came to read it.
    #[error("the token was not read")]
    Interrupted,
}

/// All folders from which tokens may be read. Clones share one list.
#[derive(Clone, Debug)]
pub struct TokenFolders(Arc<[TokenFolder]>);

impl From<Vec<TokenFolder>> for TokenFolders {
    fn from(folders: Vec<TokenFolder>) -> Self {
        Self(folders.into())
    }
}

/// The usual ones.
impl Default for TokenFolders {
    fn default() -> Self {
        let folders = USUAL_FOLDERS.split(',').map(str::parse);
        Self(folders.filter_map(Result::ok).collect())
    }
}

impl TokenFolders {
    /// What is wrong with the path of a file, as far as that can be told without looking at files.
    pub(super) fn objection(&self, file: &str) -> Option<InvalidPath> {
        self.place(file).err()
    }

    /// The token in a file, as it is now.
    ///
    /// # Errors
    ///
    /// Why the file has no token; never quotes the file.
    pub(super) async fn read(&self, file: &str) -> Result<Secret, TokenError> {
        let (folders, file) = (self.clone(), file.to_owned());
        let read = tokio::task::spawn_blocking(move || folders.read_now(&file));
        read.await.unwrap_or(Err(TokenError::Interrupted))
    }

    fn read_now(&self, file: &str) -> Result<Secret, TokenError> {
        let named = || file.to_owned();
        let place = self.place(file);
        let (folder, inside) = place.map_err(|reason| TokenError::Path {
            file: named(),
            reason,
        })?;
        let bytes = open(folder, inside).map_err(|source| {
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
        })?;
        token(&bytes).ok_or_else(|| TokenError::NoToken(named()))
    }

    /// The folder that a file is in, and the rest of its path.
    fn place<'a>(&'a self, file: &'a str) -> Result<(&'a Path, &'a Path), InvalidPath> {
        let path = Path::new(file);
        if !is_plain(path) || file.ends_with('/') || file.contains(char::is_control) {
            return Err(InvalidPath::NotPlain);
        }
        let place = |folder: &'a TokenFolder| {
            let inside = path.strip_prefix(&folder.0).ok()?;
            (!inside.as_os_str().is_empty()).then_some((folder.0.as_path(), inside))
        };
        self.0.iter().find_map(place).ok_or_else(|| {
            let folders = self.0.iter().map(|it| it.0.display().to_string());
            InvalidPath::Outside(folders.collect::<Vec<_>>().join(", "))
        })
    }
}

/// The beginning of a file below a folder, long enough for a token.
fn open(folder: &Path, inside: &Path) -> io::Result<Vec<u8>> {
    // The folder itself may be reached through links, as /var/run is.
    let folder = std::fs::canonicalize(folder)?;
    if is_forbidden(&folder) {
        return Err(io::Error::other("its folder is one of the kernel's"));
    }
    let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
    // Before it is opened, because a pipe would be waited for.
    if !folder.metadata(inside)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let file = folder.open(inside)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    // White space around it may come on top.
    let limit = u64::try_from(MAX_TOKEN_LEN + 1024).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How `cap-std` refuses to leave a folder: without the system's having been asked.
fn is_escape(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// What is in a file, if it is a JSON Web Token that is signed.
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
