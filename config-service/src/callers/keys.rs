//! Making, bringing, rotating and revoking keys.

use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::secret::Secret;

use super::{CallerError, Callers, apart, check, find, make};
use crate::caller::{
    KeyRequest, KeyRotation, StoredCaller, StoredKey, Timestamp, hint_of, new_key,
};
use crate::channels::{Author, Turn};
use crate::fault::Fault;
use crate::store::{CallerChange, KeyChange, NewKey};

/// A new key.
#[derive(Debug)]
pub(crate) struct IssuedKey {
    /// Its caller.
    pub(crate) caller: Arc<StoredCaller>,
    /// What is stored of it.
    pub(crate) stored: StoredKey,
    /// The key itself, if it was made here. It is nowhere else.
    pub(crate) key: Option<Secret>,
}

impl Callers {
    /// Makes a key for a caller, or stores the hash of one that exists already.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub(crate) async fn add_key(
        &self,
        author: Author,
        id: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<IssuedKey, CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let before = Arc::clone(find(&turn.contents().callers, &id)?);
            check(&author, Some(&before))?;
            let mut faults = Vec::new();
            let request = KeyRequest::parse(body.as_ref(), &mut faults)?;
            if faults.is_empty() {
                faults.extend(objection(&turn, &request).await?);
            }
            if !faults.is_empty() {
                return Err(CallerError::Invalid(faults));
            }
            issue(turn, &author, &before, &request, None).await
        })
        .await
    }

    /// Makes a key in place of another of the same name. The old one stays valid for a while.
    ///
    /// The new one expires when the body says, else when the old one would have, unless that is over already.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub(crate) async fn rotate_key(
        &self,
        author: Author,
        (id, key): (String, String),
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<IssuedKey, CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let before = Arc::clone(find(&turn.contents().callers, &id)?);
            check(&author, Some(&before))?;
            let old = before.key(&key).ok_or(CallerError::NoKey(key))?;
            let mut faults = Vec::new();
            let order = KeyRotation::parse(body.as_ref(), &mut faults)?;
            if old.is_rotated {
                let message = "was rotated already; rotate the key that was made in place of it";
                faults.push(Fault::new("", "already_rotated", message));
            }
            if !faults.is_empty() {
                return Err(CallerError::Invalid(faults));
            }
            let now = SystemTime::now();
            let until = Timestamp::after(now, order.overlap.into());
            let end = match order.overlap {
                0 => KeyChange::Remove { id: &old.id },
                _ => KeyChange::Expire {
                    id: &old.id,
                    at: old.expires_at.map_or(until, |own| own.min(until)),
                },
            };
            let lasting = old.expires_at.filter(|own| !own.has_passed(now));
            let request = KeyRequest {
                name: old.name.clone(),
                expires_at: order.expires_at.unwrap_or(lasting),
                key_hash: None,
            };
            issue(turn, &author, &before, &request, Some(end)).await
        })
        .await
    }

    /// Revokes a key.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub(crate) async fn revoke_key(
        &self,
        author: Author,
        (id, key): (String, String),
    ) -> Result<(), CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let before = Arc::clone(find(&turn.contents().callers, &id)?);
            check(&author, Some(&before))?;
            before.key(&key).ok_or(CallerError::NoKey(key.clone()))?;
            let change = CallerChange {
                before: Some(&before),
                after: Some(&before.caller),
                keys: &[KeyChange::Remove { id: &key }],
                restored: None,
            };
            make(turn, &author, change).await
        })
        .await?;
        Ok(())
    }
}

/// Stores a key, and what becomes of the one that it replaces.
async fn issue(
    turn: Turn<'_>,
    author: &Author,
    before: &StoredCaller,
    request: &KeyRequest,
    end: Option<KeyChange<'_>>,
) -> Result<IssuedKey, CallerError> {
    let (key, digest, hint) = match request.key_hash {
        Some(digest) => (None, digest, hint_of(&digest)),
        None => {
            let (key, digest, hint) = new_key()?;
            (Some(key), digest, hint)
        }
    };
    let new = KeyChange::Add(NewKey {
        name: &request.name,
        digest,
        hint: &hint,
        expires_at: request.expires_at,
    });
    let keys: Vec<_> = end.into_iter().chain([new]).collect();
    let change = CallerChange {
        before: Some(before),
        after: Some(&before.caller),
        keys: &keys,
        restored: None,
    };
    let caller = make(turn, author, change).await?;
    let stored = caller.keys.iter().find(|own| own.digest == digest).cloned();
    let stored = stored.ok_or(CallerError::Interrupted)?;
    Ok(IssuedKey {
        caller,
        stored,
        key,
    })
}

/// Why a key that was brought cannot be stored.
async fn objection(turn: &Turn<'_>, request: &KeyRequest) -> Result<Option<Fault>, CallerError> {
    let Some(digest) = request.key_hash else {
        return Ok(None);
    };
    let at = "/key_hash";
    if turn.is_master_key(digest) {
        let message = "is that of the master key";
        return Ok(Some(Fault::new(at, "duplicate_key", message)));
    }
    if let Some(owner) = turn.contents().callers.owner(digest) {
        let message = format!(
            "is that of a key of the caller `{}`, and a key has one caller",
            owner.caller.name
        );
        return Ok(Some(Fault::new(at, "duplicate_key", message)));
    }
    if turn.store().is_revoked_key(digest).await? {
        let message = "is that of a key that was revoked here, and stays revoked; make a new key";
        return Ok(Some(Fault::new(at, "revoked_key", message)));
    }
    Ok(None)
}
