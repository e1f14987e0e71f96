//! Reading the repository's YAML files.

use std::path::PathBuf;

use serde_json::Value;

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap().to_owned()
}

/// A tool that `cargo xtask test` brings, by its variable; `None` where it may be missing.
#[allow(clippy::print_stderr, reason = "a test that is left out is announced")]
pub(crate) fn tool(variable: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let reason = std::env::var(format!("{variable}_MISSING"));
    let reason = reason.unwrap_or_else(|_| "run `cargo xtask test`".to_owned());
    assert!(
        std::env::var_os("ALLOW_MISSING_TOOLS").is_some(),
        "{variable} is missing, and ALLOW_MISSING_TOOLS is not set: {reason}"
    );
    eprintln!("NOT TESTED, because {variable} is missing: {reason}");
    None
}

/// Text of a file of the repository.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A YAML file of the repository, with anchors resolved.
pub(crate) fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
