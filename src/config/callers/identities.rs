//! What Envoy may know of a client besides its key, and how callers are told by it.

use http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::config::{Fault, TextFault};

/// Prefix of the headers that our bootstraps remove from what clients send. Only such a header can be trusted.
const OWN_PREFIX: &str = "x-bedrock-";

/// Those that have a meaning already; clients may send the first.
const OTHERS: [&str; 2] = ["x-bedrock-tier", "x-bedrock-cluster"];

/// Longest identity, in bytes.
const MAX_IDENTITY: usize = 2048;

/// What Envoy may know of a client besides its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySources {
    /// What a JSON Web Token says that Envoy has verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtSource>,
    /// What a client certificate says that Envoy has verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateName>,
    /// The header in which a filter in front of this one says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// Where Envoy's JWT filter leaves the claims of a token:
/// <https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto>.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JwtSource {
    /// The `payload_in_metadata` of its provider.
    #[serde(default = "payload")]
    pub payload: String,
    /// Names of claims, or JSON pointers to them; the first that a caller has counts.
    pub claims: Vec<String>,
}

/// The name in a client certificate that counts; of several names of a kind, the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateName {
    /// A URI among its alternative names, such as a SPIFFE id.
    UriSan,
    /// A DNS name among them.
    DnsSan,
    /// Its subject.
    Subject,
}

impl JwtSource {
    /// What providers of our examples have as `payload_in_metadata`.
    pub const PAYLOAD: &'static str = "payload";
}

fn payload() -> String {
    JwtSource::PAYLOAD.to_owned()
}

impl IdentitySources {
    /// Whether callers are told by their keys alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Faults; pointers are relative to the sources.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.jwt.as_ref().map_or_else(Vec::new, JwtSource::faults);
        if let Some(header) = &self.header {
            let is_name = HeaderName::from_lowercase(header.as_bytes()).is_ok();
            let is_own = header
                .strip_prefix(OWN_PREFIX)
                .is_some_and(|rest| !rest.is_empty());
            if !is_name || !is_own || OTHERS.contains(&header.as_str()) {
                let message = "must be the name of a header in lower case that begins with `x-bedrock-` and has no \
                               other meaning, such as `x-bedrock-caller`: Envoy's bootstrap removes those from what \
                               clients send, so that only a filter behind it can set one";
                faults.push(Fault::new("/header", "invalid_header", message));
            }
        }
        faults
    }
}

impl JwtSource {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !TextFault::all(&self.payload).is_empty() {
            let message = "must be the `payload_in_metadata` of a provider of Envoy's JWT filter";
            faults.push(Fault::new("/jwt/payload", "invalid_claim", message));
        }
        if self.claims.is_empty() {
            let message = "names no claim, so that no token would say who the client is";
            faults.push(Fault::new("/jwt/claims", "invalid_claim", message));
        }
        for (index, claim) in self.claims.iter().enumerate() {
            if !TextFault::all(claim).is_empty() || claim.contains('=') {
                let message = "must be the name of a claim, or a JSON pointer to one, without `=`";
                let at = format!("/jwt/claims/{index}");
                faults.push(Fault::new(at, "invalid_claim", message));
            }
        }
        faults
    }

    /// The path of a claim below the payload.
    pub(crate) fn path_of(claim: &str) -> Vec<String> {
        match claim.strip_prefix('/') {
            None => vec![claim.to_owned()],
            Some(pointer) => {
                let names = pointer.split('/');
                // <https://www.rfc-editor.org/rfc/rfc6901#section-4>
                names
                    .map(|name| name.replace("~1", "/").replace("~0", "~"))
                    .collect()
            }
        }
    }
}

/// Whether a text can be the identity of a caller: `jwt:<claim>=<value>`, `certificate:<name>` or `header:<value>`, with
/// `*` for any text.
pub(super) fn identity_fault(text: &str) -> Option<&'static str> {
    if !TextFault::all(text).is_empty() {
        return Some("is empty, or has white space around it or a control character in it");
    }
    if text.len() > MAX_IDENTITY {
        return Some("is longer than 2048 bytes");
    }
    let is_identity = match text.split_once(':') {
        Some(("jwt", rest)) => rest
            .split_once('=')
            .is_some_and(|(claim, value)| !claim.is_empty() && !value.is_empty()),
        Some(("certificate" | "header", rest)) => !rest.is_empty(),
        _ => false,
    };
    (!is_identity).then_some(
        "must be `jwt:<claim>=<value>`, `certificate:<name>` or `header:<value>`; `*` stands for any text",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_headers_that_clients_cannot_send_are_trusted() {
        for (header, is_fit) in [
            ("x-bedrock-caller", true),
            ("x-client-id", false),
            ("x-bedrock-", false),
            ("x-bedrock-tier", false),
            ("x-bedrock-cluster", false),
            ("X-Bedrock-Caller", false),
            ("x-bedrock-caller\n", false),
        ] {
            let sources = IdentitySources {
                header: Some(header.to_owned()),
                ..IdentitySources::default()
            };
            assert_eq!(sources.faults().is_empty(), is_fit, "{header}");
        }
    }

    #[test]
    fn claims_are_names_or_pointers() {
        assert_eq!(JwtSource::path_of("sub"), ["sub"]);
        assert_eq!(JwtSource::path_of("https://a/team"), ["https://a/team"]);
        assert_eq!(
            JwtSource::path_of("/kubernetes.io/a~1b~0/name"),
            ["kubernetes.io", "a/b~", "name"]
        );
        let sources = json!({"jwt": {"payload": "", "claims": ["", "a=b", "ok"]}});
        let sources: IdentitySources = serde_json::from_value(sources).unwrap();
        let faults = sources.faults();
        let seen: Vec<_> = faults.iter().map(|own| own.pointer.as_str()).collect();
        assert_eq!(seen, ["/jwt/payload", "/jwt/claims/0", "/jwt/claims/1"]);
        let none: IdentitySources = serde_json::from_value(json!({"jwt": {"claims": []}})).unwrap();
        assert_eq!(none.faults()[0].pointer, "/jwt/claims");
    }

    #[test]
    fn an_identity_says_where_it_is_from() {
        for text in [
            "jwt:sub=team-a/*",
            "jwt:/a/b=c=d",
            "certificate:spiffe://example.org/ns/a/sa/*",
            "header:team-a",
        ] {
            assert_eq!(identity_fault(text), None, "{text}");
        }
        for text in [
            "",
            "team-a",
            "jwt:sub",
            "jwt:=a",
            "jwt:sub=",
            "certificate:",
            "header:",
            " header:a",
            "key:a",
        ] {
            assert!(identity_fault(text).is_some(), "{text}");
        }
    }
}
