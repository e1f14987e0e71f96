//! `docs/API.md` and `docs/OPERATIONS.md` say what the code does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::config::Limits;
use clap::{ArgAction, CommandFactory as _};
use config_service::Args;
use config_service::edit::FIELDS;

pub(crate) fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text under a heading, up to the next one.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, rest) = text
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    rest.split_once("\n#").map_or(rest, |(section, _)| section)
}

/// The cells of the table rows that begin with code, without backticks.
fn rows(section: &str) -> Vec<Vec<String>> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    })
    .collect()
}

#[test]
fn every_flag_is_documented_with_its_variable_and_default() {
    let documented: Vec<_> = rows(section(&read("docs/OPERATIONS.md"), "## Flags"))
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone(), row[2].clone()))
        .collect();
    let command = Args::command();
    let flags: Vec<_> = command
        .get_arguments()
        .map(|arg| {
            let defaults = arg.get_default_values();
            let default = match (arg.get_id().as_str(), defaults) {
                ("wasm" | "wasm_path_in_envoy", _) => "one of the two".to_owned(),
                ("admin_token" | "admin_token_file", _) => "one of the two".to_owned(),
                ("database", _) => "config-service.db".to_owned(),
                ("wasm_url_base", _) => "from --listen".to_owned(),
                _ if matches!(arg.get_action(), ArgAction::SetTrue) => "false".to_owned(),
                (_, []) if !arg.is_required_set() => "none".to_owned(),
                (_, [default]) => default.to_string_lossy().into_owned(),
                _ => "required".to_owned(),
            };
            (
                format!("--{}", arg.get_long().unwrap()),
                arg.get_env().unwrap().to_string_lossy().into_owned(),
                default,
            )
        })
        .collect();
    assert_eq!(documented, flags);
}

#[test]
fn default_limits_are_documented() {
    let page = read("docs/OPERATIONS.md");
    let mebibytes = |bytes: usize| format!("{} MiB", bytes / (1024 * 1024));
    let limits = Limits::default();
    let answer = mebibytes(limits.max_response_bytes);
    for text in [
        format!(
            "| `--max-request-bytes`, {} |",
            mebibytes(limits.max_request_bytes)
        ),
        format!("| answer that is not streamed | {answer}, fixed |"),
    ] {
        assert!(page.contains(&text), "the page does not say `{text}`");
    }
}

#[test]
fn every_field_of_a_channel_is_documented() {
    let api = read("docs/API.md");
    let documented: BTreeSet<_> = rows(section(&api, "## Channel"))
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let fields = FIELDS.iter().map(|field| (*field).to_owned());
    assert_eq!(documented, fields.collect());
}

#[test]
fn every_model_family_is_documented() {
    let api = read("docs/API.md");
    let documented: BTreeSet<_> = section(&api, "### Model families")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let names = ModelFamily::ALL
        .iter()
        .map(|family| serde_json::to_value(family).unwrap());
    let names: BTreeSet<_> = names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(documented, names);
}

/// Where faults and warnings are created: files and folders.
const SOURCES: [&str; 35] = [
    "config-service/src/caller/edit.rs",
    "config-service/src/caller/key.rs",
    "config-service/src/caller/policy.rs",
    "config-service/src/caller/timestamp.rs",
    "config-service/src/callers.rs",
    "config-service/src/callers/import/field.rs",
    "config-service/src/callers/keys.rs",
    "config-service/src/channel/settings",
    "config-service/src/channel/warnings.rs",
    "config-service/src/channels.rs",
    "config-service/src/channels/candidate.rs",
    "config-service/src/channels/choices.rs",
    "config-service/src/channels/destination.rs",
    "config-service/src/credentials/check.rs",
    "config-service/src/discovery/advice.rs",
    "config-service/src/edit.rs",
    "config-service/src/fault.rs",
    "config-service/src/edit",
    "config-service/src/model_choice/edit.rs",
    "config-service/src/publish.rs",
    "config-service/src/reader",
    "config-service/src/api/problem.rs",
    "src/config/callers",
    "src/config/cors_origins.rs",
    "src/config/fault.rs",
    "src/config/keys.rs",
    "src/config/lint",
    "src/config/lint.rs",
    "src/config/open.rs",
    "src/config/path_prefixes.rs",
    "src/config/rules.rs",
    "src/config/usage.rs",
    "src/routes/choice/compile.rs",
    "src/routes/compile",
    "src/routes/compile.rs",
];

/// Words in those files that look like codes but are not.
const OTHER_WORDS: [&str; 101] = [
    "access_key",
    "access_key_id",
    "accesskey",
    "api_key",
    "apikey",
    "arn",
    "assume_role",
    "authorization",
    "aws",
    "basic",
    "bearer",
    "bedrock_api_key",
    "bedrock_short_term_key",
    "caller",
    "certificate",
    "changeme",
    "channel",
    "channels",
    "choice",
    "concurrent_requests",
    "cookie",
    "create",
    "created_at",
    "credential",
    "credential_status",
    "default",
    "default_chain",
    "delete",
    "duration_seconds",
    "else",
    "expires_at",
    "export",
    "external_id",
    "failover",
    "false",
    "file",
    "fingerprint",
    "flex",
    "has_master_key",
    "has_session_token",
    "header",
    "headers",
    "hidden",
    "host",
    "iam",
    "id",
    "identifier",
    "images",
    "jwt",
    "key_check",
    "key_hash",
    "keys",
    "last_used_at",
    "leave_out",
    "masked",
    "master",
    "name",
    "null",
    "overlap_seconds",
    "parameter_store",
    "path",
    "payload",
    "profile",
    "prompt_tokens_over",
    "reasoning",
    "redacted",
    "refuse",
    "reserved",
    "revision",
    "role_arn",
    "rpm",
    "rules",
    "secret",
    "secret_access_key",
    "secrets_manager",
    "session_name",
    "session_tags",
    "session_token",
    "sessiontoken",
    "shared",
    "snake_case",
    "source",
    "static",
    "status_number",
    "tag",
    "token_file",
    "tools",
    "tpm",
    "true",
    "type",
    "unique_string_map",
    "unnamed",
    "update",
    "updated_at",
    "use",
    "used_by",
    "version",
    "warnings",
    "web_identity",
    "weighted",
    "when",
];

#[test]
fn every_code_is_documented() {
    let api = read("docs/API.md");
    let documented: BTreeSet<_> = ["### Fault codes", "### Warning codes"]
        .into_iter()
        .flat_map(|heading| rows(section(&api, heading)))
        .map(|row| row[0].clone())
        .collect();
    let mut words = BTreeSet::new();
    for source in SOURCES {
        for file in files(source) {
            words.extend(words_of(&read(&file)));
        }
    }
    for other in OTHER_WORDS.iter().chain(FIELDS) {
        words.remove(*other);
    }
    assert_eq!(documented, words);
}

/// A file, or the files in a folder except tests; relative to the repository.
fn files(source: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(source)];
    while let Some(path) = open.pop() {
        if path.ends_with("tests") {
            continue;
        }
        if root.join(&path).is_dir() {
            let entries = std::fs::read_dir(root.join(&path)).unwrap();
            open.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
        } else if !path.ends_with("tests.rs") {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

/// String literals of one lower-case word, outside tests.
fn words_of(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    code.flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|text| is_word(text))
        .map(str::to_owned)
        .collect()
}
