//! What applies to all callers. It changes only by an edit of its own.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_filter::config::{
    CallerEntry, CallerLimits, CallerMode, CallerRules, CallerSettings, CertificateName, Guardrail,
    IdentitySources, JwtSource, KeyDigest, KeyHeaders, LimitMode, ServiceTier,
};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{CallerBook, Permission};
use crate::fault::{Fault, child};
use crate::reader::{self, Choice, Kind, SyntaxError};
use crate::setting::{self, row};

/// What applies to all callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Whether clients have to say who they are.
    pub mode: CallerMode,
    /// Who counts what callers use.
    pub limit_mode: LimitMode,
    /// The headers that may carry a key.
    pub headers: Vec<String>,
    /// Under which name Envoy's JWT filter leaves the claims of a token.
    pub jwt_payload: String,
    /// The claims that say who calls.
    pub jwt_claims: Vec<String>,
    /// The name in a client certificate that says it.
    pub client_certificate: Option<CertificateName>,
    /// The header in which a filter in front says it.
    pub identity_header: Option<String>,
    /// Requests a minute, for callers that have no limit of their own.
    pub default_rpm: Option<u32>,
    /// The same in tokens.
    pub default_tpm: Option<u32>,
    /// The same in requests at a time.
    pub default_concurrent_requests: Option<u32>,
    /// Applied to requests of callers that have no guardrail of their own, and of nobody in particular.
    pub default_guardrail: Option<Guardrail>,
    /// The same for the processing class.
    pub default_service_tier: Option<ServiceTier>,
    /// Labels of all requests.
    pub default_request_metadata: BTreeMap<String, String>,
    /// Whether requests may offer tools, where the caller does not say.
    pub default_tools: Option<Permission>,
    /// The same for asking a model to think.
    pub default_thinking: Option<Permission>,
    /// The same for files.
    pub default_documents: Option<Permission>,
    /// The same for marking what a model caches.
    pub default_prompt_caching: Option<Permission>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: CallerMode::Off,
            limit_mode: LimitMode::default(),
            headers: KeyHeaders::default().0,
            jwt_payload: JwtSource::PAYLOAD.to_owned(),
            jwt_claims: Vec::new(),
            client_certificate: None,
            identity_header: None,
            default_rpm: None,
            default_tpm: None,
            default_concurrent_requests: None,
            default_guardrail: None,
            default_service_tier: None,
            default_request_metadata: BTreeMap::new(),
            default_tools: None,
            default_thinking: None,
            default_documents: None,
            default_prompt_caching: None,
        }
    }
}

/// Where the filter finds faults, and which settings those are.
const PLACES: [(&str, &str); 4] = [
    ("/nobody/", "/default_"),
    ("/identities/jwt/claims", "/jwt_claims"),
    ("/identities/jwt/payload", "/jwt_payload"),
    ("/identities/header", "/identity_header"),
];

/// Defines [`POLICY_SETTINGS`]; a field that is not in the list is a compile error.
macro_rules! settings {
    ($($(#[doc = $meaning:literal])+ $field:ident;)+) => {
        /// All of its settings.
        pub(crate) static POLICY_SETTINGS: &[setting::Setting<Policy>] = &[
            $(row!(Policy, $field, concat!($($meaning),+)),)+
        ];

        /// Their names.
        const FIELDS: &[&str] = &[$(stringify!($field),)+];

        const _: fn(&Policy) = |policy| {
            let Policy { $($field: _,)+ } = policy;
        };
    };
}

settings! {
    /// Whether clients have to say who they are: `off`, `optional` or `required`.
    mode;
    /// Who counts what callers use, for their limits: nobody (`off`), each Envoy by itself (`local`), or a rate limit
    /// service for all of them (`shared`).
    limit_mode;
    /// Names of the headers that may carry a key, in lower case. The first with a known key counts.
    headers;
    /// The `payload_in_metadata` of the provider in Envoy's `jwt_authn` filter, for `jwt_claims`.
    jwt_payload;
    /// Claims of a verified token that tell callers by their `identities`: names, or JSON pointers. If empty: none.
    jwt_claims;
    /// Name in a verified client certificate that tells callers by their `identities`; null: none.
    client_certificate;
    /// Header in which a filter in front of this one tells callers by their `identities`: one that begins with
    /// `x-bedrock-`, because clients cannot send those; null: none.
    identity_header;
    /// Most requests a minute of each caller that has no limit of its own.
    default_rpm;
    /// Most tokens a minute of each caller that has no limit of its own.
    default_tpm;
    /// Most requests at the same time of each caller that has no limit of its own.
    default_concurrent_requests;
    /// Applied to every request of callers that have no guardrail of their own, and of who sends no key.
    default_guardrail;
    /// Processing class of requests that do not choose one, for callers that have none of their own.
    default_service_tier;
    /// Labels of all requests in Bedrock's invocation log; a caller's own replace those of the same name.
    default_request_metadata;
    /// Whether requests may offer tools, for callers that do not say.
    default_tools;
    /// Whether requests may ask a model to think, for callers that do not say.
    default_thinking;
    /// Whether requests may contain files, for callers that do not say.
    default_documents;
    /// Whether requests may mark what a model caches, for callers that do not say.
    default_prompt_caching;
}

impl Choice for CallerMode {
    const ALL: &'static [Self] = &[Self::Off, Self::Optional, Self::Required];
}

impl Choice for CertificateName {
    const ALL: &'static [Self] = &[Self::UriSan, Self::DnsSan, Self::Subject];
}

impl Choice for LimitMode {
    const ALL: &'static [Self] = &[Self::Off, Self::Local, Self::Shared];
}

/// What a body says about the policy; what it leaves out is kept.
#[derive(Debug, Default)]
pub struct PolicyEdit {
    said: BTreeSet<&'static str>,
    values: Policy,
}

impl PolicyEdit {
    /// Reads a body. Faults of its fields are added to `faults`.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut edit = Self::default();
        reader::fields(body, faults, |name, raw, faults| {
            let at = child("", name);
            let found = POLICY_SETTINGS.iter().find(|own| own.name == name);
            match (found, name) {
                (Some(setting), _) => {
                    if setting.read(raw, &at, faults, &mut edit.values) {
                        edit.said.insert(setting.name);
                    }
                }
                (None, "revision") => reader::read_only(raw, Kind::Number, &at, faults),
                (None, "has_master_key") => reader::read_only(raw, Kind::Boolean, &at, faults),
                (None, _) => faults.push(reader::unknown(name, &at, FIELDS)),
            }
        })?;
        Ok(edit)
    }

    /// The policy that results. What the filter would refuse is added to `faults`.
    pub fn apply(self, stored: &Policy, faults: &mut Vec<Fault>) -> Policy {
        let mut policy = stored.clone();
        for setting in POLICY_SETTINGS
            .iter()
            .filter(|own| self.said.contains(own.name))
        {
            setting.copy(&self.values, &mut policy);
        }
        // What is stored already stays, or nothing else could be edited.
        if self.said.contains("headers") {
            faults.extend(unfit_headers(&policy.headers));
        }
        policy.check(faults);
        policy
    }
}

/// Headers in which no client should send a key, although Envoy would find it there.
fn unfit_headers(names: &[String]) -> Vec<Fault> {
    let named = names.iter().enumerate();
    let unfit = named.filter_map(|(index, name)| {
        let earlier = names.iter().take(index);
        let (code, message) = match name.as_str() {
            "host" | "cookie" => ("invalid_header", "has something else in it than a key"),
            name if name.starts_with("x-bedrock-") || name.starts_with("x-envoy-") => (
                "invalid_header",
                "is one that clients cannot send, because Envoy removes it",
            ),
            name if earlier.clone().any(|own| own == name) => {
                ("duplicate_header", "is in the list already")
            }
            _ => return None,
        };
        Some(Fault::new(format!("/headers/{index}"), code, message))
    });
    unfit.collect()
}

impl Policy {
    fn check(&self, faults: &mut Vec<Fault>) {
        let book = CallerBook {
            policy: self.clone(),
            ..CallerBook::default()
        };
        let limits = super::Caller::default().served(self).limits.faults();
        let limits = limits.into_iter().map(|mut own| {
            own.pointer = own.pointer.replace("/limits/", "/default_");
            own
        });
        let settings = book.settings(None).faults().into_iter().map(|mut own| {
            for (inside, field) in PLACES {
                own.pointer = own.pointer.replacen(inside, field, 1);
            }
            own
        });
        for fault in settings.chain(limits) {
            if !faults.iter().any(|known| known.touches(&fault.pointer)) {
                faults.push(fault);
            }
        }
    }
}

impl Policy {
    /// What else than a key says who calls.
    fn sources(&self) -> IdentitySources {
        let jwt = JwtSource {
            payload: self.jwt_payload.clone(),
            claims: self.jwt_claims.clone(),
        };
        IdentitySources {
            jwt: (!jwt.claims.is_empty()).then_some(jwt),
            certificate: self.client_certificate,
            header: self.identity_header.clone(),
        }
    }

    /// Whether clients can be known by something else than a key.
    pub(crate) fn knows_identities(&self) -> bool {
        !self.sources().is_empty()
    }
}

impl CallerBook {
    /// What the filter gets; nothing if nobody is asked and nothing goes for everybody, as without callers.
    #[must_use]
    pub fn served(&self, master_key: Option<KeyDigest>) -> Option<CallerSettings> {
        if self.policy.mode != CallerMode::Off {
            return Some(self.settings(master_key));
        }
        let nobody = self.policy.rules();
        (!nobody.is_empty()).then(|| CallerSettings {
            nobody,
            ..CallerSettings::default()
        })
    }

    /// What the filter gets where it reports what would become of requests if clients were asked: who has a key, or can be
    /// told by something else.
    #[must_use]
    pub fn foreseen(&self, master_key: Option<KeyDigest>) -> Option<CallerSettings> {
        let knows_anybody = master_key.is_some() || self.knows_anybody();
        if self.policy.mode != CallerMode::Off || !knows_anybody {
            return self.served(master_key);
        }
        let mut settings = self.settings(master_key);
        let is_known = |own: &CallerEntry| !own.keys.is_empty() || !own.identities.is_empty();
        settings.entries.retain(is_known);
        for entry in &mut settings.entries {
            // Nobody is held to it. What models it may use is told all the same, to count what would be refused.
            entry.channels = Vec::new();
            entry.limits = CallerLimits::default();
            entry.rules = CallerRules::default();
        }
        Some(settings)
    }

    fn settings(&self, master_key: Option<KeyDigest>) -> CallerSettings {
        let entries = self.callers.iter();
        CallerSettings {
            mode: self.policy.mode,
            limit_mode: self.policy.limit_mode,
            headers: KeyHeaders(self.policy.headers.clone()),
            master_key,
            identities: self.policy.sources(),
            nobody: self.policy.rules(),
            entries: entries.map(|own| own.served(&self.policy)).collect(),
        }
    }
}

/// The schema of the policy.
pub(crate) enum PolicyDocument {}

impl PartialSchema for PolicyDocument {
    fn schema() -> RefOr<Schema> {
        let defaults = Policy::default();
        let object = ObjectBuilder::new().description(Some("What applies to all callers"));
        let object = POLICY_SETTINGS.iter().fold(object, |object, setting| {
            object.property(setting.name, setting.schema(&defaults))
        });
        object.into()
    }
}

impl ToSchema for PolicyDocument {}
