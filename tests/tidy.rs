//! The rules in `docs/ARCHITECTURE.md` that the compiler does not check.

mod documents;
mod floors;
mod house;
mod modules;
mod paths;
mod source;

use std::collections::BTreeSet;
use std::fs;

use source::{production, root};

/// The longest that a file's production code may be, in lines.
const MAX_LINES: usize = 400;

/// Fails for every line of code in `start` that contains one of `words`, except in `allowed`.
#[track_caller]
fn forbid(start: &str, words: &[&str], allowed: &[&str], rule: &str) {
    let mut faults = Vec::new();
    for source in production(start) {
        let name = source.name();
        if allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        for (number, line) in source.code() {
            if words.iter().any(|word| line.contains(word)) {
                faults.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn only_the_host_layer_names_the_host() {
    let allowed = ["src/filter.rs", "src/filter/"];
    forbid(
        "src",
        &["proxy_wasm"],
        &allowed,
        "only src/filter may name proxy_wasm",
    );
}

#[test]
fn the_filter_reads_no_clock_environment_or_file_and_starts_no_thread() {
    let words = [
        "SystemTime::now",
        "Instant::now",
        "env::",
        "std::env",
        "fs::",
        "std::fs",
        "File::open",
        "net::Tcp",
        "thread::spawn",
        "process::",
    ];
    forbid(
        "src",
        &words,
        &[],
        "the module has none of these; take it as a parameter",
    );
}

#[test]
fn the_filter_cannot_panic_on_purpose() {
    let words = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
    ];
    forbid(
        "src",
        &words,
        &[],
        "a panic ends every stream of an Envoy worker",
    );
}

#[test]
fn only_the_store_speaks_sql() {
    let words = [
        "SELECT ",
        "INSERT INTO",
        "DELETE FROM",
        "UPDATE channels",
        "ALTER TABLE",
        "CREATE TABLE",
        "PRAGMA",
        "sqlx::",
    ];
    let allowed = ["config-service/src/store"];
    forbid(
        "config-service/src",
        &words,
        &allowed,
        "SQL belongs in store",
    );
}

#[test]
fn only_xds_names_envoys_messages() {
    let allowed = ["config-service/src/xds"];
    forbid(
        "config-service/src",
        &["envoy_types"],
        &allowed,
        "envoy_types belongs in xds",
    );
}

#[test]
fn families_are_named_only_in_their_own_files() {
    let words = [
        "claude", "Claude", "nova", "Nova", "llama", "Llama", "mistral", "Mistral", "cohere",
        "Cohere", "jamba", "Jamba", "titan", "Titan", "deepseek",
    ];
    let own = [
        "src/bedrock/family.rs",
        "src/catalog/family.rs",
        "src/bedrock/dialects",
        "src/bedrock/converse",
        "src/bedrock/shared/markup",
    ];
    forbid(
        "src",
        &words,
        &own,
        "what is special about a family belongs in its own file",
    );
}

#[test]
fn secrets_are_never_shown() {
    for start in ["src", "config-service/src"] {
        let words = ["Display for Secret", "Display for Credentials"];
        forbid(start, &words, &[], "a secret has no text");
    }
    let allowed = [
        // To compare, judge, seal and open them.
        "src/config/keys.rs",
        "src/config/open.rs",
        "src/config/rules.rs",
        "src/seal.rs",
        "src/sign",
    ];
    let rule = "secrets are only for signing and sealing";
    forbid("src", &[".expose()"], &allowed, rule);
}

#[test]
fn files_are_short_enough_to_read() {
    let mut long = Vec::new();
    for start in [
        "src",
        "config-service/src",
        "xtask/src",
        "tests/simulator/src",
        "tests/chaos/src",
        "tests/e2e/src",
        "tests/mesh/src",
        "tests/harness/src",
        "tests/golden-cases/src",
        "benches",
    ] {
        for source in production(start) {
            let lines = source.lines.len();
            if lines > MAX_LINES {
                long.push(format!("{} has {lines} lines", source.name()));
            }
        }
    }
    assert!(
        long.is_empty(),
        "over {MAX_LINES} lines:\n{}",
        long.join("\n")
    );
}

/// What is compiled into the module: few packages, and none by accident, because each can see prompts
/// and keys.
const PACKAGES: [&str; 16] = [
    "aws-sigv4",
    "base64",
    "chacha20poly1305",
    "crc32fast",
    "hmac",
    "http",
    "log",
    "memchr",
    "percent-encoding",
    "self_cell",
    "serde",
    "serde_json",
    "sha2",
    "simdutf8",
    "thiserror",
    "time",
];

#[test]
fn the_filter_contains_only_these_packages() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let packages = PACKAGES.map(str::to_owned);
    assert_eq!(table(&manifest, "[dependencies]"), packages.into());
    let in_envoy = "[target.'cfg(target_arch = \"wasm32\")'.dependencies]";
    let host = ["proxy-wasm".to_owned()];
    assert_eq!(table(&manifest, in_envoy), host.into());
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    for package in PACKAGES {
        assert!(page.contains(&format!("`{package}`")), "{package}");
    }
}

/// The keys of a table in a manifest, without what follows a dot.
fn table(manifest: &str, header: &str) -> BTreeSet<String> {
    let lines = manifest.lines().skip_while(|line| *line != header).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let keys = lines.filter_map(|line| line.split(['.', ' ', '=', '#']).next());
    let keys = keys.filter(|key| !key.is_empty());
    keys.map(str::to_owned).collect()
}
