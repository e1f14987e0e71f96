//! Which hosts receive a channel's credentials.
//!
//! Bedrock API keys and session tokens are sent as they are, and a signature is valid for its request,
//! so whoever can name the host gains something of value. An editor may name any host for secrets that
//! they entered, because they know them anyway. Stored secrets go only to the host that they were
//! entered for, and what AWS issues to the config-service's own identity goes only to AWS, unless the
//! operator trusts other hosts.

use bedrock_filter::endpoint::{Endpoint, HostVariant, partition};

use super::Settings;
use super::commit::Candidate;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::outbound::address;
use crate::store::Contents;

/// Where a channel's requests go, distinguished by who operates it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Destination {
    /// The public hosts of one of AWS's partitions.
    Aws(&'static str),
    /// Any other origin. The port counts, because another port is another program.
    Origin(Endpoint),
}

impl Destination {
    /// Where a channel's requests go; `None` when its endpoint is invalid, which is reported elsewhere.
    fn of(channel: &Channel) -> Option<Self> {
        let region = channel.region.as_str();
        let public = Self::Aws(partition(region));
        let Some(text) = &channel.endpoint else {
            return Some(public);
        };
        let endpoint = Endpoint::parse(text).ok()?;
        let is_public = [HostVariant::Standard, HostVariant::Fips]
            .into_iter()
            .any(|variant| Endpoint::of_region(region, variant).as_ref() == Ok(&endpoint));
        Some(if is_public {
            public
        } else {
            Self::Origin(endpoint)
        })
    }

    /// For messages.
    fn name(&self) -> String {
        match self {
            Self::Aws(partition) => format!("the public hosts of the partition {partition}"),
            Self::Origin(endpoint) => endpoint.to_string(),
        }
    }
}

/// The faults of a candidate that would send credentials where they must not go.
///
/// A channel that keeps its destination and credentials is never refused, because it may be older than
/// these rules.
pub(super) fn check(candidate: &Candidate, settings: &Settings) -> Vec<Fault> {
    let after = &candidate.after;
    let Some(destination) = Destination::of(after) else {
        return Vec::new();
    };
    let before = candidate.before.as_ref().map(|stored| &stored.channel);
    let earlier = before.and_then(Destination::of);
    let is_kept = earlier.as_ref() == Some(&destination);
    if is_kept && before.is_some_and(|before| before.credentials == after.credentials) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if before.is_some() && !is_kept && !candidate.enters_secrets {
        faults.extend(kept_secret(after, &destination, earlier.as_ref()));
    }
    if let Destination::Origin(endpoint) = &destination {
        faults.extend(objection(after, endpoint, settings));
    }
    faults
}

/// The fault for stored secrets that would go to another destination.
fn kept_secret(
    after: &Channel,
    destination: &Destination,
    earlier: Option<&Destination>,
) -> Option<Fault> {
    let mut credentials = after.credentials.clone();
    let (place, _) = credentials.secrets_mut().into_iter().next()?;
    let earlier = earlier.map_or_else(|| "where they went".to_owned(), Destination::name);
    let message = format!(
        "must be entered again in the same edit: requests would go to {} instead of {earlier}, and \
         a stored secret is sent only to the host that it was entered for",
        destination.name()
    );
    let at = format!("/credentials/{place}");
    Some(Fault::new(at, "secret_required", message))
}

/// Why a channel must not show its credentials to its own endpoint.
pub(super) fn objection_to(channel: &Channel, settings: &Settings) -> Option<Fault> {
    match Destination::of(channel)? {
        Destination::Aws(_) => None,
        Destination::Origin(endpoint) => objection(channel, &endpoint, settings),
    }
}

/// Why a channel must not show its credentials to an origin, whoever entered them.
fn objection(channel: &Channel, endpoint: &Endpoint, settings: &Settings) -> Option<Fault> {
    let is_trusted = settings.trusted_endpoints.contains(endpoint);
    let (code, message) = if is_exposed(endpoint) && channel.credentials.may_be_bearer() {
        (
            "plaintext_endpoint",
            "would carry the API key in plain text; use https://, or an access key, which is never sent",
        )
    } else if is_exposed(endpoint) && !is_trusted {
        (
            "plaintext_endpoint",
            "is plain text to a host that is neither loopback nor a private address; use https://, \
             or name it in the config-service's --trusted-endpoints if the network protects it",
        )
    } else if channel.credentials.is_ambient() && !is_close(endpoint) && !is_trusted {
        (
            "untrusted_endpoint",
            "would get credentials that are not the channel's own: shared ones, or those of the \
             config-service itself; use one of AWS's own hosts, or name it in the config-service's \
             --trusted-endpoints",
        )
    } else {
        return None;
    };
    Some(Fault::new("/endpoint", code, message))
}

/// Whether others on the network can read what is sent there.
fn is_exposed(endpoint: &Endpoint) -> bool {
    !endpoint.is_tls() && !address::is_private(endpoint.bare_host())
}

/// Whether it is AWS itself or this machine.
fn is_close(endpoint: &Endpoint) -> bool {
    endpoint.is_aws() || address::is_loopback(endpoint.bare_host())
}

/// Warns the operator about channels that an edit could no longer create.
pub(super) fn warn(contents: &Contents, settings: &Settings) {
    for stored in &contents.channels {
        let channel = &stored.channel;
        let Some(Destination::Origin(endpoint)) = Destination::of(channel) else {
            continue;
        };
        if let Some(fault) = objection(channel, &endpoint, settings) {
            tracing::warn!(
                channel.name,
                endpoint = %endpoint,
                reason = fault.message,
                "a channel's endpoint is no longer accepted; the channel is served as before until \
                 it is edited"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Credentials;
    use serde_json::json;

    fn credentials(kind: &str) -> Credentials {
        let key = json!({"type": "static", "access_key_id": "A", "secret_access_key": "s"});
        let chain = json!({"type": "default_chain"});
        let role = |source| json!({"type": "assume_role", "role_arn": "r", "source": source});
        let document = match kind {
            "key" => key,
            "api key" => json!({"type": "bedrock_api_key", "api_key": "k"}),
            "chain" => chain,
            "shared" => json!({"type": "shared", "name": "s"}),
            "file" => json!({"type": "file", "path": "/run/secrets/key"}),
            "vault by key" => json!({"type": "secrets_manager", "id": "i", "source": key}),
            "parameter by key" => json!({"type": "parameter_store", "id": "i", "source": key}),
            "vault by chain" => json!({"type": "secrets_manager", "id": "i", "source": chain}),
            "role by shared" => role(json!({"type": "shared", "name": "s"})),
            "role by key" => role(key),
            "role by chain" => role(chain),
            "short by role by chain" => {
                json!({"type": "bedrock_short_term_key", "source": role(chain)})
            }
            _ => json!({"type": "bedrock_short_term_key", "source": key}),
        };
        serde_json::from_value(document).unwrap()
    }

    #[track_caller]
    fn check_objection(kind: &str, endpoint: &str, trusted: &[&str], expected: Option<&str>) {
        let channel = Channel {
            credentials: credentials(kind),
            ..crate::edit::blank()
        };
        let settings = Settings {
            trusted_endpoints: trusted
                .iter()
                .map(|it| Endpoint::parse(it).unwrap())
                .collect(),
            ..Settings::default()
        };
        let endpoint = Endpoint::parse(endpoint).unwrap();
        let fault = objection(&channel, &endpoint, &settings);
        assert_eq!(fault.map(|it| it.code), expected, "{kind} to {endpoint}");
    }

    #[test]
    fn entered_keys_go_anywhere_but_in_plain_text() {
        let plain = Some("plaintext_endpoint");
        for kind in ["key", "api key", "role by key", "short by key"] {
            check_objection(kind, "https://bedrock.corp.internal", &[], None);
            check_objection(kind, "http://127.0.0.1:9000", &[], None);
            check_objection(kind, "http://10.1.2.3", &[], None);
            check_objection(kind, "http://192.0.2.1", &[], plain);
            check_objection(kind, "http://simulator:9000", &[], plain);
        }
        let trusted = ["http://simulator:9000"];
        check_objection("key", "http://simulator:9000", &trusted, None);
        check_objection("role by key", "http://simulator:9000", &trusted, None);
        check_objection("api key", "http://simulator:9000", &trusted, plain);
        check_objection("short by key", "http://simulator:9000", &trusted, plain);
        check_objection("vault by key", "http://simulator:9000", &trusted, plain);
        check_objection("key", "http://simulator:9001", &trusted, plain);
    }

    #[test]
    fn what_the_service_itself_is_issued_goes_to_aws() {
        let other = Some("untrusted_endpoint");
        let vpce = "https://vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com";
        for kind in [
            "chain",
            "role by chain",
            "short by role by chain",
            "shared",
            "role by shared",
            "file",
            "vault by chain",
        ] {
            check_objection(kind, vpce, &[], None);
            check_objection(kind, "http://127.0.0.1:9000", &[], None);
            check_objection(kind, "https://10.1.2.3", &[], other);
            check_objection(kind, "https://bedrock.corp.internal", &[], other);
            let trusted = ["https://bedrock.corp.internal"];
            check_objection(kind, "https://bedrock.corp.internal", &trusted, None);
        }
    }

    #[test]
    fn the_public_hosts_of_a_partition_are_one_destination() {
        let of = |region: &str, fips: bool, endpoint: Option<&str>| {
            Destination::of(&Channel {
                region: region.to_owned(),
                fips,
                endpoint: endpoint.map(str::to_owned),
                ..crate::edit::blank()
            })
        };
        let public = of("us-east-1", false, None);
        assert_eq!(of("eu-west-1", true, None), public);
        let named = "https://bedrock-runtime.us-east-1.amazonaws.com/";
        assert_eq!(of("us-east-1", false, Some(named)), public);
        for other in [
            of("cn-north-1", false, None),
            of("us-gov-west-1", false, None),
            of("us-east-1", false, Some("https://a.example")),
            of("us-east-1", false, Some("http://a.example")),
            of("us-east-1", false, Some("https://a.example:8443")),
        ] {
            assert_ne!(other, public);
        }
        let one = of("us-east-1", false, Some("https://A.example:443"));
        assert_eq!(one, of("us-east-1", true, Some("https://a.example/")));
        assert_ne!(one, of("us-east-1", false, Some("https://a.example:8443")));
        assert_eq!(of("us-east-1", false, Some("nonsense")), None);
    }
}
