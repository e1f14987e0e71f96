//! Callers that Envoy knows by something else than a key.

use std::collections::BTreeMap;

use super::pattern::matches;
use crate::config::{CertificateName, IdentitySources, JwtSource};

/// Where Envoy keeps what its JWT filter has read.
const JWT: [&str; 3] = [
    "metadata",
    "filter_metadata",
    "envoy.filters.http.jwt_authn",
];

/// A property of Envoy's that may say who the client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    path: Vec<String>,
    /// What comes before its value in an identity.
    prefix: String,
}

impl Property {
    /// Where Envoy has it.
    #[must_use]
    pub fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The identity that a value means; `None` for a value that is not a string, such as a list.
    #[must_use]
    pub fn identity(&self, value: &[u8]) -> Option<String> {
        let value = std::str::from_utf8(value).ok()?;
        let is_text = !value.is_empty() && !value.chars().any(char::is_control);
        is_text.then(|| [&self.prefix, value].concat())
    }

    /// Those that the sources name, in the order in which they count.
    pub(super) fn all(sources: &IdentitySources) -> Vec<Self> {
        let claims = sources.jwt.iter().flat_map(|jwt| {
            let below = |claim: &String| {
                let path = JWT.map(str::to_owned).into_iter();
                let path = path.chain([jwt.payload.clone()]);
                Self {
                    path: path.chain(JwtSource::path_of(claim)).collect(),
                    prefix: format!("jwt:{claim}="),
                }
            };
            jwt.claims.iter().map(below)
        });
        let certificate = sources.certificate.map(|name| {
            let own = match name {
                CertificateName::UriSan => "uri_san_peer_certificate",
                CertificateName::DnsSan => "dns_san_peer_certificate",
                CertificateName::Subject => "subject_peer_certificate",
            };
            Self {
                path: vec!["connection".to_owned(), own.to_owned()],
                prefix: "certificate:".to_owned(),
            }
        });
        claims.chain(certificate).collect()
    }
}

/// Whose identities are whose.
#[derive(Debug, Default)]
pub(super) struct Identities {
    exact: BTreeMap<String, usize>,
    /// In the order of the callers.
    patterns: Vec<(String, usize)>,
}

impl Identities {
    /// Gives an identity to the caller at a position.
    pub(super) fn add(&mut self, identity: String, caller: usize) {
        if identity.contains('*') {
            self.patterns.push((identity, caller));
        } else {
            self.exact.insert(identity, caller);
        }
    }

    /// Whether nobody has any.
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// The position of the caller with an identity: one that has just this, else the first one with a pattern for it.
    pub(super) fn find(&self, identity: &str) -> Option<usize> {
        let exact = self.exact.get(identity);
        let found = exact.or_else(|| {
            let mut patterns = self.patterns.iter();
            let found = patterns.find(|(pattern, _)| matches(pattern, identity));
            found.map(|(_, caller)| caller)
        });
        found.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn properties_are_asked_for_in_the_order_in_which_they_count() {
        let sources = json!({
            "jwt": {"payload": "p", "claims": ["sub", "/a/b"]},
            "certificate": "uri_san",
            "header": "x-bedrock-caller",
        });
        let sources = serde_json::from_value(sources).unwrap();
        let all = Property::all(&sources);
        let paths: Vec<_> = all.iter().map(|own| own.path().join(" ")).collect();
        assert_eq!(
            paths,
            [
                "metadata filter_metadata envoy.filters.http.jwt_authn p sub",
                "metadata filter_metadata envoy.filters.http.jwt_authn p a b",
                "connection uri_san_peer_certificate",
            ]
        );
        let sub = &all[0];
        assert_eq!(sub.identity(b"team-a/x").unwrap(), "jwt:sub=team-a/x");
        // A list, as Envoy writes it, and a number.
        for value in [&b"\x01\0\0\0a\0"[..], &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f], b""] {
            assert_eq!(sub.identity(value), None);
        }
    }

    #[test]
    fn an_exact_identity_counts_more_than_a_pattern() {
        let mut all = Identities::default();
        all.add("jwt:sub=*".to_owned(), 1);
        all.add("jwt:sub=a/*".to_owned(), 2);
        all.add("jwt:sub=a/b".to_owned(), 3);
        assert_eq!(all.find("jwt:sub=a/b"), Some(3));
        assert_eq!(all.find("jwt:sub=a/c"), Some(1));
        assert_eq!(all.find("header:a/b"), None);
    }
}
