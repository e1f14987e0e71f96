//! Checks the values of a source before AWS is called.

use bedrock_filter::endpoint::{Endpoint, HostVariant};

use super::{Folders, USUAL_KEY_FOLDERS};
use crate::channel::{AssumeRole, AwsSecret, Channel, Credentials, WebIdentity};
use crate::fault::Fault;

/// Shortest and longest duration of a role's session in STS, in seconds.
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;

/// The most tags that a session may have.
const MAX_TAGS: usize = 50;

/// Longest name or ARN of something that AWS stores.
const MAX_ID_LEN: usize = 2048;

/// Where files may be.
#[derive(Clone, Debug)]
pub struct FilePlaces {
    /// Those with identity providers' tokens.
    pub tokens: Folders,
    /// Those with keys.
    pub keys: Folders,
}

impl Default for FilePlaces {
    fn default() -> Self {
        let keys = USUAL_KEY_FOLDERS.split(',').map(str::parse);
        Self {
            tokens: Folders::default(),
            keys: Folders::of_keys(keys.filter_map(Result::ok).collect()),
        }
    }
}

/// Faults of a channel's credentials. The filter's own rules check static keys.
pub(crate) fn check_channel(channel: &Channel, places: &FilePlaces) -> Vec<Fault> {
    let mut faults = check(&channel.credentials, places, "/credentials");
    let is_written = channel.credentials.written().is_some();
    if !is_written && channel.credentials.may_be_bearer() {
        faults.extend(channel.signer.fault_of_bearer());
    }
    faults
}

/// Faults of the credentials at `at`.
pub(crate) fn check(credentials: &Credentials, places: &FilePlaces, at: &str) -> Vec<Fault> {
    let mut faults = Faults {
        at,
        found: Vec::new(),
    };
    match credentials {
        Credentials::Static { .. } | Credentials::BedrockApiKey { .. } => {}
        Credentials::DefaultChain { profile } => {
            if profile.as_ref().is_some_and(|it| !is_profile(it)) {
                let message = "must be the name of a profile, without white space around it";
                faults.add("profile", "invalid_profile", message);
            }
        }
        Credentials::AssumeRole(role) => check_role(role, &mut faults),
        Credentials::WebIdentity(identity) => {
            check_web_identity(identity, &places.tokens, &mut faults);
        }
        Credentials::BedrockShortTermKey { source } => check_source(source, &mut faults),
        Credentials::Shared(_) => {}
        Credentials::File { path } => {
            if let Some(objection) = places.keys.objection(path) {
                faults.add("path", "invalid_path", &objection.to_string());
            }
        }
        Credentials::SecretsManager(secret) | Credentials::ParameterStore(secret) => {
            check_secret(secret, &mut faults);
        }
    }
    let mut found = faults.found;
    if let Some(source) = credentials.source() {
        found.extend(check(source, places, &format!("{at}/source")));
    }
    found
}

/// Collects faults, with the pointer of the credentials that they are about.
struct Faults<'a> {
    at: &'a str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, field: &str, code: &'static str, message: &str) {
        let at = crate::fault::child(self.at, field);
        self.found.push(Fault::new(at, code, message));
    }

    fn check_session(&mut self, role_arn: &str, name: Option<&str>, duration: Option<u32>) {
        if !is_role_arn(role_arn) {
            let message =
                "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/name";
            self.add("role_arn", "invalid_role_arn", message);
        }
        if name.is_some_and(|name| !(2..=64).contains(&name.len()) || !is_session_text(name, "")) {
            let message = "must be 2 to 64 letters, digits or any of `_+=,.@-`";
            self.add("session_name", "invalid_session_name", message);
        }
        if duration.is_some_and(|seconds| !DURATIONS.contains(&seconds)) {
            let message = "must be 900 to 43200 seconds, and at most 3600 for a role that is \
                assumed by another role";
            self.add("duration_seconds", "out_of_range", message);
        }
    }
}

fn check_role(role: &AssumeRole, faults: &mut Faults<'_>) {
    faults.check_session(
        &role.role_arn,
        role.session_name.as_deref(),
        role.duration_seconds,
    );
    let bad_id = |id: &String| !(2..=1224).contains(&id.len()) || !is_session_text(id, ":/");
    if role.external_id.as_ref().is_some_and(bad_id) {
        let message = "must be 2 to 1224 letters, digits or any of `_+=,.@:/-`";
        faults.add("external_id", "invalid_external_id", message);
    }
    let bad_tag = |(key, value): (&String, &String)| {
        !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256
    };
    if role.session_tags.len() > MAX_TAGS || role.session_tags.iter().any(bad_tag) {
        let message =
            "must be at most 50 tags with keys of 1 to 128 and values of up to 256 characters";
        faults.add("session_tags", "invalid_session_tags", message);
    }
    check_source(&role.source, faults);
}

fn check_web_identity(identity: &WebIdentity, tokens: &Folders, faults: &mut Faults<'_>) {
    faults.check_session(
        &identity.role_arn,
        identity.session_name.as_deref(),
        identity.duration_seconds,
    );
    if let Some(objection) = tokens.objection(&identity.token_file) {
        faults.add("token_file", "invalid_path", &objection.to_string());
    }
}

fn check_secret(secret: &AwsSecret, faults: &mut Faults<'_>) {
    let id = secret.id.as_str();
    if id.is_empty() || id.len() > MAX_ID_LEN || !id.bytes().all(|b| b.is_ascii_graphic()) {
        let message = "must be a name or an ARN of at most 2048 visible ASCII characters";
        faults.add("id", "invalid_secret_id", message);
    }
    let region = secret.region.as_deref();
    if region.is_some_and(|region| Endpoint::of_region(region, HostVariant::Standard).is_err()) {
        let message = "must be the name of an AWS region, such as us-east-1";
        faults.add("region", "invalid_region", message);
    }
    check_source(&secret.source, faults);
}

fn check_source(source: &Credentials, faults: &mut Faults<'_>) {
    let is_key = matches!(
        source.effective(),
        Credentials::BedrockApiKey { .. } | Credentials::BedrockShortTermKey { .. }
    );
    if is_key {
        let message = "must be AWS credentials, such as `static`, `default_chain`, `assume_role` or `web_identity`; an API key \
             cannot sign";
        faults.add("source", "unsuitable_source", message);
    }
}

fn is_role_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, partition, service, region, account, resource) =
        (next(), next(), next(), next(), next(), next());
    arn == "arn"
        && (partition == "aws" || partition.starts_with("aws-"))
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| {
            !name.is_empty() && name.len() <= 576 && name.bytes().all(|b| b.is_ascii_graphic())
        })
}

/// Whether a text has only the characters that STS accepts, and `more`.
fn is_session_text(text: &str, more: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) || more.contains(c))
}

fn is_profile(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_faults(document: &serde_json::Value, expected: &[&str]) {
        let credentials = serde_json::from_value(document.clone()).unwrap();
        let faults = check(&credentials, &FilePlaces::default(), "/credentials");
        let seen: Vec<_> = faults
            .iter()
            .map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect();
        assert_eq!(seen, expected, "{document}");
    }

    #[test]
    fn valid_sources_have_no_faults() {
        for role in [
            "arn:aws:iam::123456789012:role/bedrock",
            "arn:aws-us-gov:iam::123456789012:role/path/to/bedrock",
            "arn:aws-cn:iam::123456789012:role/a",
        ] {
            check_faults(
                &json!({"type": "assume_role", "role_arn": role, "external_id": "team:a/1",
                    "session_name": "team-a@x", "session_tags": {"team": "a", "empty": ""},
                    "duration_seconds": 900, "source": {"type": "default_chain", "profile": "p q"}}),
                &[],
            );
        }
        check_faults(
            &json!({"type": "bedrock_short_term_key", "source": {"type": "web_identity",
                "role_arn": "arn:aws:iam::123456789012:role/r", "token_file": "/var/run/secrets/tokens/aws"}}),
            &[],
        );
        check_faults(
            &json!({"type": "file", "path": "/run/secrets/bedrock"}),
            &[],
        );
        check_faults(
            &json!({"type": "secrets_manager", "id": "prod/bedrock", "region": "eu-west-1",
                "source": {"type": "shared", "name": "reader"}}),
            &[],
        );
        check_faults(
            &json!({"type": "parameter_store", "id": "/prod/bedrock:3",
                "source": {"type": "default_chain"}}),
            &[],
        );
    }

    #[test]
    fn every_fault_is_found_with_its_pointer() {
        check_faults(
            &json!({"type": "assume_role", "role_arn": "arn:aws:iam::12:role/x", "external_id": "?",
                "session_name": "a b", "session_tags": {"": "x"}, "duration_seconds": 60,
                "source": {"type": "default_chain", "profile": " p"}}),
            &[
                "/credentials/role_arn invalid_role_arn",
                "/credentials/session_name invalid_session_name",
                "/credentials/duration_seconds out_of_range",
                "/credentials/external_id invalid_external_id",
                "/credentials/session_tags invalid_session_tags",
                "/credentials/source/profile invalid_profile",
            ],
        );
        check_faults(
            &json!({"type": "bedrock_short_term_key", "source": {"type": "bedrock_short_term_key",
                "source": {"type": "web_identity", "role_arn": "r", "token_file": "token"}}}),
            &[
                "/credentials/source unsuitable_source",
                "/credentials/source/source/role_arn invalid_role_arn",
                "/credentials/source/source/token_file invalid_path",
            ],
        );
        check_faults(
            &json!({"type": "file", "path": "/etc/passwd"}),
            &["/credentials/path invalid_path"],
        );
        check_faults(
            &json!({"type": "secrets_manager", "id": "a b", "region": "moon",
                "source": {"type": "bedrock_api_key", "api_key": "k"}}),
            &[
                "/credentials/id invalid_secret_id",
                "/credentials/region invalid_region",
                "/credentials/source unsuitable_source",
            ],
        );
        check_faults(
            &json!({"type": "parameter_store", "id": "", "source": {"type": "default_chain"}}),
            &["/credentials/id invalid_secret_id"],
        );
    }
}
