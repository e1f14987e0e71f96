//! What an administrator sends: parses a body into an [`Edit`], and reports every fault at once.
//!
//! Only types and structure are checked here. The filter's own `Routes::compile` checks the values
//! once the edit is applied to a channel.

mod credentials;
pub(crate) mod endpoint;
mod error;
mod shared;

use std::collections::BTreeSet;

use bedrock_filter::secret::Secret;
use serde_json::value::RawValue;

use crate::channel::{Channel, Credentials, SETTINGS, Setting};
use crate::fault::{self, Fault, child};
use crate::reader::{self, Kind};
use credentials::CredentialsEdit;

pub use crate::channel::FIELDS;
pub use crate::reader::SyntaxError;
pub(crate) use crate::reader::plain_json;
pub use error::EditError;
pub(crate) use shared::CredentialEdit;

/// What a body says about a channel; what it leaves out is kept or gets its default.
#[derive(Debug)]
pub struct Edit {
    id: Option<String>,
    credentials: Option<CredentialsEdit>,
    /// The settings in the body, by name; a faulty one counts as left out.
    said: BTreeSet<&'static str>,
    /// A channel that has them.
    values: Channel,
}

/// What happens to fields that a body leaves out.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// A new channel: they get defaults; name, region and credentials are required.
    New,
    /// A whole new content for a channel: defaults, but `credentials`, `allow_model_ids` and `match` are
    /// kept, because a body that was written without them must neither lock a channel out nor open it, nor
    /// send requests elsewhere; name and region must be there.
    Replace(&'a Channel),
    /// Some fields of a channel: they are kept.
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
        let mut edit = Self {
            id: None,
            credentials: None,
            said: BTreeSet::new(),
            values: blank(),
        };
        reader::fields(body, faults, |name, value, faults| {
            edit.read_field(name, value, faults);
        })?;
        Ok(edit)
    }

    /// Adds a fault if the body is about a channel other than `id`, which is `None` for a new one.
    pub fn check_id(&self, id: Option<&str>, faults: &mut Vec<Fault>) {
        fault::check_id("channel", (self.id.as_deref(), id), faults);
    }

    /// Gives the channel this name; adds a fault if the body gives it another.
    pub fn check_name(&mut self, name: &str, faults: &mut Vec<Fault>) {
        if self.said.insert("name") {
            name.clone_into(&mut self.values.name);
        } else if self.values.name != name {
            faults.push(fault::name_mismatch("channel"));
        }
    }

    /// Whether the body contains the secrets of its credentials, so that its author knows them.
    #[must_use]
    pub fn enters_secrets(&self) -> bool {
        self.credentials
            .as_ref()
            .is_some_and(CredentialsEdit::is_entered)
    }

    /// The channel that results. Fields that `base` requires and the body lacks are added to `faults`
    /// and get a harmless placeholder, so that the others can be checked too.
    pub fn apply(self, base: Base<'_>, faults: &mut Vec<Fault>) -> Channel {
        let mut channel = match base {
            Base::New => blank(),
            Base::Replace(stored) => Channel {
                credentials: stored.credentials.clone(),
                allow_model_ids: stored.allow_model_ids,
                r#match: stored.r#match,
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
            // What a read adds, so that it can be sent back as a body.
            "id" => self.id = reader::text(raw, at, faults),
            "revision" => reader::read_only(raw, Kind::Number, at, faults),
            "created_at" | "updated_at" => reader::read_only(raw, Kind::String, at, faults),
            "warnings" => reader::read_only(raw, Kind::Array, at, faults),
            "credential_status" => reader::read_only(raw, Kind::Object, at, faults),
            _ => faults.push(reader::unknown(name, at, FIELDS)),
        }
    }
}

/// Defaults for every setting, and valid placeholders for what is required.
pub(crate) fn blank() -> Channel {
    let credentials = Credentials::Static {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("stand-in"),
        session_token: None,
    };
    Channel::new("unnamed", "us-east-1", credentials)
}

#[cfg(test)]
mod tests;
