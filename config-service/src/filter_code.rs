//! Where Envoys get the filter's module from.

use std::path::Path;
use std::sync::Arc;

use bedrock_filter::config::Generation;
use bedrock_filter::seal::KEY_VARIABLE;
use sha2::{Digest as _, Sha256};

/// First bytes of every WebAssembly module
/// (<https://webassembly.github.io/spec/core/binary/modules.html#binary-module>).
const MAGIC: &[u8] = b"\0asm";

/// The module that Envoys run.
#[derive(Clone, Debug)]
pub enum FilterCode {
    /// Served by this process; Envoys fetch it.
    Served(ServedModule),
    /// A file that Envoys already have.
    InEnvoy {
        /// Path inside Envoy's file system.
        path: String,
    },
}

/// A module that this process serves at `/filter/<sha256>.wasm`.
#[derive(Clone, Debug)]
pub struct ServedModule {
    /// The module.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the module, in hexadecimal.
    pub sha256: String,
    /// URL of the module as Envoys see it.
    pub uri: String,
    /// Envoy's name for the cluster that reaches this process.
    pub cluster: String,
}

/// Id of the VM that the module runs in, the same for every module.
///
/// What a module stores in Envoy under it (shared data, queues) remains for the next module, so such
/// values begin with a version. The module's own memory is not shared: another module runs in
/// another VM.
pub const VM_ID: &str = "bedrock";

impl FilterCode {
    /// Names the VM that Envoys create for the module; another module is another generation.
    ///
    /// A file in Envoy's own file system is identified by its path, so another module needs
    /// another path.
    #[must_use]
    pub fn generation(&self) -> Generation {
        let module = match self {
            Self::Served(module) => &module.sha256,
            Self::InEnvoy { path } => path,
        };
        generation_of(module)
    }

    /// Where Envoys find the module: a file, or a URL and the cluster that leads there.
    #[must_use]
    pub fn location(&self) -> (&str, &str) {
        match self {
            Self::Served(module) => (&module.uri, &module.cluster),
            Self::InEnvoy { path } => (path, ""),
        }
    }

    /// How Envoys get the module.
    #[must_use]
    pub fn delivery(&self) -> ModuleDelivery {
        match self {
            Self::Served(_) => ModuleDelivery::Fetched,
            Self::InEnvoy { .. } => ModuleDelivery::Local,
        }
    }
}

/// The generation of the module with this SHA-256, or in this file of Envoys.
pub(crate) fn generation_of(module: &str) -> Generation {
    let parts = [VM_ID, KEY_VARIABLE, module].join("\0");
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(parts));
    Generation::new(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

/// How an Envoy gets the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleDelivery {
    /// By fetching it when a configuration first names it.
    Fetched,
    /// From its own file system.
    Local,
}

/// Why a module cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The file cannot be read.
    #[error("cannot read the filter module {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{0} is not a WebAssembly module; build it with `cargo xtask wasm`")]
    NotAModule(String),
}

impl ServedModule {
    /// Reads the module from a file. `url_base` is the origin of this process as Envoys see it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not a WebAssembly module.
    pub async fn read(file: &Path, url_base: &str, cluster: &str) -> Result<Self, ModuleError> {
        let path = file.display().to_string();
        let bytes = match tokio::fs::read(file).await {
            Ok(bytes) => bytes,
            Err(source) => return Err(ModuleError::Read { path, source }),
        };
        if !bytes.starts_with(MAGIC) {
            return Err(ModuleError::NotAModule(path));
        }
        let sha256 = crate::hex::encode(Sha256::digest(&bytes).iter());
        Ok(Self {
            uri: format!("{}/filter/{sha256}.wasm", url_base.trim_end_matches('/')),
            bytes: bytes.into(),
            sha256,
            cluster: cluster.to_owned(),
        })
    }
}
