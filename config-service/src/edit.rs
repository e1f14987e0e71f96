//! What an administrator sends: a body is parsed into an [`Edit`], with every fault in it at once.
//!
//! Only shapes are judged here. Whether the values make sense is decided by the filter's own
//! `Routes::compile` once the edit is applied to a channel.

mod credentials;
pub(crate) mod endpoint;
mod error;

use std::collections::{BTreeMap, BTreeSet};

use bedrock_filter::secret::Secret;
use serde_json::value::RawValue;

use crate::channel::{Channel, Credentials, SETTINGS, Setting};
use crate::fault::{Fault, child};
use crate::reader::{self, Kind, Members};
use credentials::CredentialsEdit;

pub use crate::channel::FIELDS;
pub use crate::reader::SyntaxError;
pub use error::EditError;

/// What one body says about a channel; what it does not say is kept or gets its default.
#[derive(Debug)]
pub struct Edit {
    id: Option<String>,
    credentials: Option<CredentialsEdit>,
    /// The settings that the body says, by name; one that is faulty counts as left out.
    said: BTreeSet<&'static str>,
    /// A channel that has them.
    values: Channel,
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
        let body = reader::without_mark(body)?;
        let text =
            std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
        let raw = reader::parse(text)?;
        let mut edit = Self {
            id: None,
            credentials: None,
            said: BTreeSet::new(),
            values: blank(),
        };
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
                2 => faults.push(reader::duplicate(&child("", name))),
                _ => {}
            }
        }
        Ok(edit)
    }

    /// Adds a fault when the body says to be about another channel than `id`, which is `None` for
    /// a new one.
    pub fn check_id(&self, id: Option<&str>, faults: &mut Vec<Fault>) {
        let message = match (&self.id, id) {
            (None, _) => return,
            (Some(said), Some(id)) if said == id => return,
            (Some(_), Some(_)) => "is not the id in the path; this is another channel's",
            (Some(_), None) => "is given by the config-service to a new channel; leave it out",
        };
        faults.push(Fault::new("/id", "id_mismatch", message));
    }

    /// Gives the channel this name; adds a fault when the body gives it another.
    pub fn check_name(&mut self, name: &str, faults: &mut Vec<Fault>) {
        if self.said.insert("name") {
            name.clone_into(&mut self.values.name);
        } else if self.values.name != name {
            let message = "is not the name in the path; PUT /api/channels/{id} renames a channel";
            faults.push(Fault::new("/name", "name_mismatch", message));
        }
    }

    /// Whether the body has the secrets of its credentials in it, so that its author knows them.
    #[must_use]
    pub fn enters_secrets(&self) -> bool {
        self.credentials
            .as_ref()
            .is_some_and(CredentialsEdit::is_entered)
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
            require(!self.said.contains("name"), "name");
            require(!self.said.contains("region"), "region");
        }
        if matches!(base, Base::New) {
            require(self.credentials.is_none(), "credentials");
        }
        if let Some(edit) = self.credentials {
            let stored = base.stored().map(|stored| &stored.credentials);
            if let Some(credentials) = edit.resolve(stored, "/credentials", faults) {
                channel.credentials = credentials;
            }
        }
        for setting in SETTINGS.iter().filter(|own| self.said.contains(own.name)) {
            setting.copy(&self.values, &mut channel);
        }
        channel
    }

    fn read_field(&mut self, name: &str, raw: &RawValue, faults: &mut Vec<Fault>) {
        let at = child("", name);
        let at = at.as_str();
        if let Some(setting) = Setting::find(name) {
            if setting.read(raw, at, faults, &mut self.values) {
                self.said.insert(setting.name);
            }
            return;
        }
        match name {
            "credentials" => self.credentials = credentials::read(raw, at, faults),
            // What a read adds, so that its result is a body as it is.
            "id" => self.id = reader::text(raw, at, faults),
            "revision" => reader::read_only(raw, Kind::Number, at, faults),
            "created_at" | "updated_at" => reader::read_only(raw, Kind::String, at, faults),
            "warnings" => reader::read_only(raw, Kind::Array, at, faults),
            "credential_status" => reader::read_only(raw, Kind::Object, at, faults),
            _ => faults.push(reader::unknown(name, at, FIELDS)),
        }
    }
}

/// Defaults of every setting, and valid stand-ins for what is required.
pub(crate) fn blank() -> Channel {
    let credentials = Credentials::Static {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("stand-in"),
        session_token: None,
    };
    Channel::new("unnamed", "us-east-1", credentials)
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
