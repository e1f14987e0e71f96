//! A credential that is stored by itself, for any number of channels.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Credentials, StoredChannel, masked_credentials};

/// A credential that is stored by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCredential {
    /// Its name, by which channels refer to it.
    pub name: String,
    /// What it contains.
    pub credentials: Credentials,
    /// Revision of its last edit.
    pub revision: u64,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    pub updated_at: String,
}

/// A credential as administrators read it, without secrets.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Credential)]
pub struct CredentialView {
    /// Its name, by which channels refer to it.
    pub name: String,
    /// What it contains, without secrets.
    #[schema(value_type = Credentials)]
    pub credentials: Value,
    /// Revision of its last edit.
    pub revision: u64,
    /// When it was created, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// Names of the channels that use it.
    pub used_by: Vec<String>,
}

impl StoredCredential {
    /// What administrators may see of it, among these channels.
    #[must_use]
    pub fn view(&self, channels: &[StoredChannel]) -> CredentialView {
        CredentialView {
            name: self.name.clone(),
            credentials: masked_credentials(&self.credentials),
            revision: self.revision,
            created_at: self.created_at.clone(),
            updated_at: self.updated_at.clone(),
            used_by: self
                .users(channels)
                .map(|own| own.channel.name.clone())
                .collect(),
        }
    }

    /// The channels that use it.
    pub fn users<'c>(
        &self,
        channels: &'c [StoredChannel],
    ) -> impl Iterator<Item = &'c StoredChannel> {
        let channels = channels.iter();
        channels.filter(|own| own.channel.credentials.uses(&self.name))
    }
}

/// Puts what references refer to into credentials. Returns the path of the first reference that leads nowhere, and
/// the name in it.
///
/// # Errors
///
/// When there is no credential with a name.
pub(crate) fn resolve(
    credentials: &mut Credentials,
    stored: &[StoredCredential],
) -> Result<(), (String, String)> {
    for (at, shared) in credentials.shared_mut() {
        let found = stored.iter().find(|own| own.name == shared.name);
        let found = found.ok_or_else(|| (format!("{at}/name"), shared.name.clone()))?;
        shared.content = Some(Box::new(found.credentials.clone()));
    }
    Ok(())
}
