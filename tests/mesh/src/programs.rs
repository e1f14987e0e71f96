//! What `cargo xtask test` prepared, by environment variable.

use std::env;
use std::path::PathBuf;

/// Programs and files of Istio and Kubernetes.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// The store of the Kubernetes API.
    pub(crate) etcd: PathBuf,
}

impl Programs {
    /// Reads the variables; panics with the reason when something could not be brought.
    pub(crate) fn from_environment() -> Self {
        Self {
            folder: path("ISTIO", "ISTIO_MISSING"),
            etcd: path("ETCD", "ETCD_MISSING"),
        }
    }

    /// A program or file of this name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The text of a file of this name.
    pub(crate) fn text(&self, name: &str) -> String {
        let path = self.file(name);
        let text = std::fs::read_to_string(&path);
        text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

fn path(variable: &str, missing: &str) -> PathBuf {
    match (env::var_os(variable), env::var(missing)) {
        (Some(path), _) => path.into(),
        (None, Ok(reason)) => panic!("{variable} is missing: {reason}"),
        (None, Err(_)) => panic!("{variable} is not set; run `cargo xtask test istio`"),
    }
}
