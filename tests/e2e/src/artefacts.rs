//! What `cargo xtask test` prepared, by environment variable.

use std::env;
use std::path::{Path, PathBuf};

use crate::OfficialPackages;

/// The programs and files under test.
#[derive(Clone, Debug)]
pub struct Artefacts {
    /// Envoy: `ENVOY_BIN`.
    pub envoy: PathBuf,
    /// The filter's module: `BEDROCK_FILTER_WASM`.
    pub module: PathBuf,
    /// The config-service: `CONFIG_SERVICE_BIN`.
    pub config_service: PathBuf,
}

impl Artefacts {
    /// Reads the variables; panics with a remedy when one is missing.
    pub fn from_environment() -> Self {
        Self {
            envoy: file("ENVOY_BIN"),
            module: file("BEDROCK_FILTER_WASM"),
            config_service: file("CONFIG_SERVICE_BIN"),
        }
    }
}

/// Path of the Python that has the official packages in these versions.
pub(crate) fn official_python(packages: OfficialPackages) -> PathBuf {
    file(packages.variable())
}

/// The repository's top folder.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn file(variable: &str) -> PathBuf {
    match env::var_os(variable) {
        Some(path) if Path::new(&path).is_file() => path.into(),
        Some(path) => panic!(
            "{variable} is {}, which is not a file; run `cargo xtask test`",
            path.display()
        ),
        None => panic!("{variable} is not set; run the tests with `cargo xtask test`"),
    }
}
