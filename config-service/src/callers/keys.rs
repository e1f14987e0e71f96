//! Making, bringing, rotating and revoking keys.

use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::secret::Secret;
use serde_json::value::RawValue;

use super::{CallerError, Callers, apart, check, find, make};
use crate::caller::{KeyRequest, StoredCaller, StoredKey, Timestamp, hint_of, new_key};
use crate::channels::{Author, Turn};
use crate::fault::{Fault, child};
use crate::reader;
use crate::store::{CallerChange, KeyChange, NewKey};

/// Longest time for which a key stays valid after it was rotated, in seconds: 30 days.
const MAX_OVERLAP: u32 = 30 * 24 * 60 * 60;

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
                faults.extend(objection(&turn, &request));
            }
            if !faults.is_empty() {
                return Err(CallerError::Invalid(faults));
            }
            issue(turn, &author, &before, &request, None).await
        })
        .await
    }

    /// Makes a key in place of another of the same name and lifetime. The old one stays valid for a while.
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
            let overlap = read_overlap(body.as_ref())?;
            let until = Timestamp::after(SystemTime::now(), overlap.into());
            let end = match overlap {
                0 => KeyChange::Remove { id: &old.id },
                _ => KeyChange::Expire {
                    id: &old.id,
                    at: old.expires_at.map_or(until, |own| own.min(until)),
                },
            };
            let request = KeyRequest {
                name: old.name.clone(),
                expires_at: old.expires_at,
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
fn objection(turn: &Turn<'_>, request: &KeyRequest) -> Option<Fault> {
    let digest = request.key_hash?;
    let at = "/key_hash";
    if turn.is_master_key(digest) {
        let message = "is that of the master key";
        return Some(Fault::new(at, "duplicate_key", message));
    }
    let owner = turn.contents().callers.owner(digest)?;
    let message = format!(
        "is that of a key of the caller `{}`; revoke it there first",
        owner.caller.name
    );
    Some(Fault::new(at, "duplicate_key", message))
}

/// How many seconds a rotated key stays valid: what the body says, or none.
fn read_overlap(body: &[u8]) -> Result<u32, CallerError> {
    let (mut faults, mut overlap) = (Vec::new(), 0);
    if body.is_empty() {
        return Ok(overlap);
    }
    reader::fields(body, &mut faults, |name, raw: &RawValue, faults| {
        let at = child("", name);
        if name != "overlap_seconds" {
            faults.push(reader::unknown(name, &at, &["overlap_seconds"]));
            return;
        }
        let read = reader::nullable_number(raw, &at, faults).flatten();
        overlap = read.unwrap_or(0);
        if overlap > MAX_OVERLAP {
            let message = format!("is {overlap}, but must be 0 to {MAX_OVERLAP} seconds");
            faults.push(Fault::new(at, "out_of_range", message));
        }
    })?;
    if faults.is_empty() {
        Ok(overlap)
    } else {
        Err(CallerError::Invalid(faults))
    }
}
