//! What an administrator sends: a body is parsed into an [`Edit`], with every fault in it at once.
//!
//! Only shapes are judged here. Whether the values make sense is decided by the filter's own
//! `Routes::compile` once the edit is applied to a channel.

mod credentials;
pub(crate) mod endpoint;
mod error;
mod field;
mod guardrail;
mod json;
mod maps;
mod object;

use std::collections::BTreeMap;

use bedrock_filter::catalog::CrossRegion;
use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::config::{
    Api, FIRST_BYTE_TIMEOUT_SECONDS, Guardrail, ModelIds, REQUEST_TIMEOUT_SECONDS, SignedBy,
    UnknownParameters,
};
use bedrock_filter::secret::Secret;
use serde_json::value::RawValue;

use crate::channel::{Channel, Credentials};
use crate::fault::{Fault, child};
use credentials::CredentialsEdit;
use field::Said;
use json::{Kind, Members};

pub use error::EditError;
pub use json::SyntaxError;

/// The fields of a channel that an administrator writes.
pub const FIELDS: [&str; 22] = [
    "name",
    "enabled",
    "region",
    "fips",
    "endpoint",
    "signer",
    "priority",
    "weight",
    "credentials",
    "models",
    "allow_model_ids",
    "model_mapping",
    "inference_profile_arn_map",
    "model_families",
    "api",
    "model_apis",
    "guardrail",
    "cross_region",
    "retry_with_inference_profile",
    "unknown_parameters",
    "first_byte_timeout_seconds",
    "request_timeout_seconds",
];

/// What one body says about a channel; what it does not say is kept or gets its default.
#[derive(Debug, Default)]
pub struct Edit {
    id: Said<String>,
    name: Said<String>,
    enabled: Said<bool>,
    region: Said<String>,
    fips: Said<bool>,
    endpoint: Said<Option<String>>,
    signer: Said<SignedBy>,
    priority: Said<u32>,
    weight: Said<u32>,
    credentials: Said<CredentialsEdit>,
    models: Said<Vec<String>>,
    allow_model_ids: Said<ModelIds>,
    model_mapping: Said<BTreeMap<String, String>>,
    inference_profile_arn_map: Said<BTreeMap<String, String>>,
    model_families: Said<BTreeMap<String, ModelFamily>>,
    api: Said<Api>,
    model_apis: Said<BTreeMap<String, Api>>,
    guardrail: Said<Option<Guardrail>>,
    cross_region: Said<CrossRegion>,
    retry_with_inference_profile: Said<bool>,
    unknown_parameters: Said<Option<UnknownParameters>>,
    first_byte_timeout_seconds: Said<u32>,
    request_timeout_seconds: Said<u32>,
}

/// What becomes of the fields that a body leaves out.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// A new channel: defaults; name, region and credentials must be there.
    New,
    /// A whole new content for a channel: defaults, but `credentials` and `allow_model_ids` are kept,
    /// because a body that was written without them must neither lock a channel out nor open it; name
    /// and region must be there.
    Replace(&'a Channel),
    /// Some fields of a channel: the others are kept.
    Patch(&'a Channel),
}

impl<'a> Base<'a> {
    fn stored(self) -> Option<&'a Channel> {
        match self {
            Self::New => None,
            Self::Replace(stored) | Self::Patch(stored) => Some(stored),
        }
    }
}

impl Edit {
    /// Reads a body. Faults of its fields are added to `faults`; the fields concerned count as
    /// left out.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let text =
            std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
        let raw = json::parse(text)?;
        let mut edit = Self::default();
        if Kind::of(raw) != Kind::Object {
            let message = format!("expected a JSON object, found {}", Kind::of(raw));
            faults.push(Fault::new("", "not_an_object", message));
            return Ok(edit);
        }
        let Members(members) = serde_json::from_str(raw.get())?;
        let mut times = BTreeMap::<&str, usize>::new();
        for (name, value) in &members {
            let seen = times.entry(name).or_default();
            *seen += 1;
            match *seen {
                1 => edit.read_field(name, value, faults),
                2 => faults.push(field::duplicate(&child("", name))),
                _ => {}
            }
        }
        Ok(edit)
    }

    /// Adds a fault when the body says to be about another channel than `id`, which is `None` for
    /// a new one.
    pub fn check_id(&self, id: Option<&str>, faults: &mut Vec<Fault>) {
        let message = match (&self.id, id) {
            (Said::Nothing, _) => return,
            (Said::Value(said), Some(id)) if said == id => return,
            (Said::Value(_), Some(_)) => "is not the id in the path; this is another channel's",
            (Said::Value(_), None) => {
                "is given by the config-service to a new channel; leave it out"
            }
        };
        faults.push(Fault::new("/id", "id_mismatch", message));
    }

    /// Gives the channel this name; adds a fault when the body gives it another.
    pub fn check_name(&mut self, name: &str, faults: &mut Vec<Fault>) {
        match &self.name {
            Said::Value(said) if said != name => {
                let message =
                    "is not the name in the path; PUT /api/channels/{id} renames a channel";
                faults.push(Fault::new("/name", "name_mismatch", message));
            }
            _ => self.name = Said::Value(name.to_owned()),
        }
    }

    /// Whether the body has the secrets of its credentials in it, so that its author knows them.
    #[must_use]
    pub fn enters_secrets(&self) -> bool {
        matches!(&self.credentials, Said::Value(edit) if edit.is_entered())
    }

    /// The channel that results. Fields that `base` needs and the body lacks are added to `faults`
    /// and get a harmless stand-in, so that the others can be judged too.
    pub fn apply(self, base: Base<'_>, faults: &mut Vec<Fault>) -> Channel {
        let mut channel = match base {
            Base::New => blank(),
            Base::Replace(stored) => Channel {
                credentials: stored.credentials.clone(),
                allow_model_ids: stored.allow_model_ids,
                ..blank()
            },
            Base::Patch(stored) => stored.clone(),
        };
        let mut require = |missing: bool, name: &str| {
            let at = child("", name);
            if missing && !faults.iter().any(|fault| fault.touches(&at)) {
                faults.push(Fault::new(at, "required", "is required"));
            }
        };
        if !matches!(base, Base::Patch(_)) {
            require(self.name.is_absent(), "name");
            require(self.region.is_absent(), "region");
        }
        if matches!(base, Base::New) {
            require(self.credentials.is_absent(), "credentials");
        }
        if let Said::Value(edit) = self.credentials {
            let stored = base.stored().map(|stored| &stored.credentials);
            if let Some(credentials) = edit.resolve(stored, "/credentials", faults) {
                channel.credentials = credentials;
            }
        }
        self.name.store(&mut channel.name);
        self.enabled.store(&mut channel.enabled);
        self.region.store(&mut channel.region);
        self.fips.store(&mut channel.fips);
        self.signer.store(&mut channel.signer);
        self.priority.store(&mut channel.priority);
        self.weight.store(&mut channel.weight);
        self.endpoint.store(&mut channel.endpoint);
        self.models.store(&mut channel.models);
        self.allow_model_ids.store(&mut channel.allow_model_ids);
        self.model_mapping.store(&mut channel.model_mapping);
        self.inference_profile_arn_map
            .store(&mut channel.inference_profile_arn_map);
        self.model_families.store(&mut channel.model_families);
        self.api.store(&mut channel.api);
        self.model_apis.store(&mut channel.model_apis);
        self.guardrail.store(&mut channel.guardrail);
        self.cross_region.store(&mut channel.cross_region);
        self.retry_with_inference_profile
            .store(&mut channel.retry_with_inference_profile);
        self.unknown_parameters
            .store(&mut channel.unknown_parameters);
        self.first_byte_timeout_seconds
            .store(&mut channel.first_byte_timeout_seconds);
        self.request_timeout_seconds
            .store(&mut channel.request_timeout_seconds);
        channel
    }

    fn read_field(&mut self, name: &str, raw: &RawValue, faults: &mut Vec<Fault>) {
        let at = child("", name);
        let at = at.as_str();
        match name {
            "name" => self.name = field::text(raw, at, faults).into(),
            "enabled" => self.enabled = field::boolean(raw, at, faults).into(),
            "region" => self.region = field::text(raw, at, faults).into(),
            "fips" => self.fips = field::boolean(raw, at, faults).into(),
            "endpoint" => self.endpoint = field::nullable_text(raw, at, faults).into(),
            "credentials" => self.credentials = credentials::read(raw, at, faults).into(),
            "models" => self.models = field::texts(raw, at, faults).into(),
            "allow_model_ids" => {
                self.allow_model_ids = field::allow_model_ids(raw, at, faults).into();
            }
            "model_mapping" => self.model_mapping = maps::string_map(raw, at, faults).into(),
            "inference_profile_arn_map" => {
                self.inference_profile_arn_map = maps::string_map(raw, at, faults).into();
            }
            "model_families" => {
                self.model_families = maps::enum_map(raw, at, "unknown_family", faults).into();
            }
            "priority" => self.priority = field::number(raw, at, faults).into(),
            "weight" => self.weight = field::number(raw, at, faults).into(),
            "signer" => self.signer = field::signer(raw, at, faults).into(),
            "api" => self.api = field::api(raw, at, faults).into(),
            "model_apis" => {
                self.model_apis = maps::enum_map(raw, at, "unknown_api", faults).into();
            }
            "guardrail" => self.guardrail = guardrail::read(raw, at, faults).into(),
            "cross_region" => self.cross_region = field::cross_region(raw, at, faults).into(),
            "retry_with_inference_profile" => {
                self.retry_with_inference_profile = field::boolean(raw, at, faults).into();
            }
            "unknown_parameters" => {
                self.unknown_parameters = field::unknown_parameters(raw, at, faults).into();
            }
            "first_byte_timeout_seconds" => {
                self.first_byte_timeout_seconds = field::number(raw, at, faults).into();
            }
            "request_timeout_seconds" => {
                self.request_timeout_seconds = field::number(raw, at, faults).into();
            }
            // What a read adds, so that its result is a body as it is.
            "id" => self.id = field::text(raw, at, faults).into(),
            "revision" => field::ignored(raw, Kind::Number, at, faults),
            "created_at" | "updated_at" => field::ignored(raw, Kind::String, at, faults),
            "warnings" => field::ignored(raw, Kind::Array, at, faults),
            "credential_status" => field::ignored(raw, Kind::Object, at, faults),
            _ => faults.push(field::unknown(name, at, &FIELDS)),
        }
    }
}

/// Defaults of every field, and valid stand-ins for the required ones.
pub(crate) fn blank() -> Channel {
    Channel {
        name: "unnamed".to_owned(),
        enabled: true,
        region: "us-east-1".to_owned(),
        fips: false,
        endpoint: None,
        signer: SignedBy::default(),
        priority: 0,
        weight: 1,
        credentials: Credentials::Static {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("stand-in"),
            session_token: None,
        },
        models: Vec::new(),
        allow_model_ids: ModelIds::default(),
        model_mapping: BTreeMap::new(),
        inference_profile_arn_map: BTreeMap::new(),
        model_families: BTreeMap::new(),
        api: Api::default(),
        model_apis: BTreeMap::new(),
        guardrail: None,
        cross_region: CrossRegion::default(),
        retry_with_inference_profile: false,
        unknown_parameters: None,
        first_byte_timeout_seconds: FIRST_BYTE_TIMEOUT_SECONDS,
        request_timeout_seconds: REQUEST_TIMEOUT_SECONDS,
    }
}

fn not_utf8(body: &[u8], valid_up_to: usize) -> SyntaxError {
    let valid = body.get(..valid_up_to).unwrap_or_default();
    let line_start = valid.iter().rposition(|byte| *byte == b'\n');
    SyntaxError {
        reason: "the body is not valid UTF-8".to_owned(),
        line: 1 + valid.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + valid_up_to - line_start.map_or(0, |at| at + 1),
    }
}

#[cfg(test)]
mod tests;
