//! What an administrator sends: a body is parsed into an [`Edit`], with every fault in it at once.
//!
//! Only shapes are judged here. Whether the values make sense is decided by the filter's own
//! `Routes::compile` once the edit is applied to a channel.

mod credentials;
mod field;
mod json;
mod maps;

use std::collections::BTreeMap;

use bedrock_filter::bedrock::ModelFamily;
use bedrock_filter::config::{Channel, Credentials, CrossRegion, Secret};
use serde_json::value::RawValue;

use crate::fault::{Fault, child};
use field::Said;
use json::{Kind, Members};

pub use json::SyntaxError;

/// The fields of a channel that an administrator writes.
pub const FIELDS: [&str; 11] = [
    "name",
    "enabled",
    "region",
    "fips",
    "endpoint",
    "credentials",
    "models",
    "model_mapping",
    "inference_profile_arn_map",
    "model_families",
    "cross_region",
];

/// Fields that answers have and bodies must not have.
const READ_ONLY: [&str; 5] = ["id", "revision", "created_at", "updated_at", "warnings"];

/// What one body says about a channel; what it does not say is kept or gets its default.
#[derive(Debug, Default)]
pub struct Edit {
    name: Said<String>,
    enabled: Said<bool>,
    region: Said<String>,
    fips: Said<bool>,
    endpoint: Said<Option<String>>,
    credentials: Said<Credentials>,
    models: Said<Vec<String>>,
    model_mapping: Said<BTreeMap<String, String>>,
    inference_profile_arn_map: Said<BTreeMap<String, String>>,
    model_families: Said<BTreeMap<String, ModelFamily>>,
    cross_region: Said<CrossRegion>,
}

/// What becomes of the fields that a body leaves out.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// A new channel: defaults; name, region and credentials must be there.
    New,
    /// A whole new content for a channel: defaults, but the credentials are kept; name and region
    /// must be there.
    Replace(&'a Channel),
    /// Some fields of a channel: the others are kept.
    Patch(&'a Channel),
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
                2 => faults.push(duplicate_field(name)),
                _ => {}
            }
        }
        Ok(edit)
    }

    /// The channel that results. Fields that `base` needs and the body lacks are added to `faults`
    /// and get a harmless stand-in, so that the others can be judged too.
    pub fn apply(self, base: Base<'_>, faults: &mut Vec<Fault>) -> Channel {
        let mut channel = match base {
            Base::New => blank(),
            Base::Replace(stored) => Channel {
                credentials: stored.credentials.clone(),
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
        self.name.store(&mut channel.name);
        self.enabled.store(&mut channel.enabled);
        self.region.store(&mut channel.region);
        self.fips.store(&mut channel.fips);
        self.endpoint.store(&mut channel.endpoint);
        self.credentials.store(&mut channel.credentials);
        self.models.store(&mut channel.models);
        self.model_mapping.store(&mut channel.model_mapping);
        self.inference_profile_arn_map
            .store(&mut channel.inference_profile_arn_map);
        self.model_families.store(&mut channel.model_families);
        self.cross_region.store(&mut channel.cross_region);
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
            "model_mapping" => self.model_mapping = maps::string_map(raw, at, faults).into(),
            "inference_profile_arn_map" => {
                self.inference_profile_arn_map = maps::string_map(raw, at, faults).into();
            }
            "model_families" => self.model_families = maps::family_map(raw, at, faults).into(),
            "cross_region" => self.cross_region = field::cross_region(raw, at, faults).into(),
            _ => faults.push(field::unknown(name, at, &FIELDS, &READ_ONLY)),
        }
    }
}

/// Defaults of every field, and valid stand-ins for the required ones.
fn blank() -> Channel {
    Channel {
        name: "unnamed".to_owned(),
        enabled: true,
        region: "us-east-1".to_owned(),
        fips: false,
        endpoint: None,
        credentials: Credentials::Static {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("stand-in"),
            session_token: None,
        },
        models: Vec::new(),
        model_mapping: BTreeMap::new(),
        inference_profile_arn_map: BTreeMap::new(),
        model_families: BTreeMap::new(),
        cross_region: CrossRegion::default(),
    }
}

fn duplicate_field(name: &str) -> Fault {
    Fault::new(
        child("", name),
        "duplicate_field",
        "the field stands more than once; keep one of them",
    )
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
