//! From what is known of a client to a caller.

use std::sync::Arc;
use std::time::SystemTime;

use super::caller::has_passed;
use super::{Caller, Callers, Key, Refused};
use crate::config::{CallerMode, KeyDigest};

/// What comes before a key in `authorization`: <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>.
const BEARER: &[u8] = b"bearer ";

/// The word for a request that would be served if everybody needed a key.
pub const SERVED: &str = "served";

/// The only header in which that has to come.
const AUTHORIZATION: &str = "authorization";

impl Callers {
    /// Who sends these headers, with names in lower case. `None` is nobody in particular.
    ///
    /// Of several keys, the first known one counts, in the order of the configured headers. Without one, `known` counts:
    /// identities of the client by which Envoy knows it already, in their order; then the header of a filter in front.
    /// Without a time, whatever expires has expired.
    ///
    /// # Errors
    ///
    /// When the client must not be served.
    pub fn identify<'h>(
        &self,
        headers: &(impl Iterator<Item = (&'h str, &'h [u8])> + Clone),
        known: &[String],
        now: Option<SystemTime>,
    ) -> Result<Option<Arc<Caller>>, Refused> {
        self.identify_in(self.mode, (headers, known), now)
    }

    /// What would become of a client if everybody needed a key.
    ///
    /// # Errors
    ///
    /// When it would not be served.
    pub fn foresee<'h>(
        &self,
        headers: &(impl Iterator<Item = (&'h str, &'h [u8])> + Clone),
        known: &[String],
        now: Option<SystemTime>,
    ) -> Result<Option<Arc<Caller>>, Refused> {
        self.identify_in(CallerMode::Required, (headers, known), now)
    }

    fn identify_in<'h>(
        &self,
        mode: CallerMode,
        (headers, known): (
            &(impl Iterator<Item = (&'h str, &'h [u8])> + Clone),
            &[String],
        ),
        now: Option<SystemTime>,
    ) -> Result<Option<Arc<Caller>>, Refused> {
        if mode == CallerMode::Off {
            return Ok(None);
        }
        let mut sent = self.headers.iter().flat_map(|wanted| {
            let same = headers.clone().filter(move |(name, _)| name == wanted);
            same.filter_map(|(name, value)| key_in(name, value))
        });
        let mut has_key = false;
        let found = sent.find_map(|key| {
            has_key = true;
            self.find(KeyDigest::of(key))
        });
        if let Some(key) = found {
            return self.admit_key(key, now).map(Some);
        }
        let told = self.told(headers);
        let mut all = known.iter().chain(told.as_ref());
        match all.find_map(|identity| self.identities.find(identity)) {
            Some(caller) => self.admit(caller, now).map(Some),
            None if mode == CallerMode::Optional => Ok(None),
            None if !known.is_empty() || told.is_some() => Err(Refused::UnknownIdentity),
            None if has_key => Err(Refused::UnknownKey),
            None => Err(Refused::NoKey {
                headers: self.header_names(),
            }),
        }
    }

    /// The identity that a filter in front tells, if there is just one.
    fn told<'h>(
        &self,
        headers: &(impl Iterator<Item = (&'h str, &'h [u8])> + Clone),
    ) -> Option<String> {
        let wanted = self.header.as_deref()?;
        let mut values = headers.clone().filter(|(name, _)| *name == wanted);
        let (_, value) = values.next()?;
        // Of two, one may be the client's.
        let is_only = values.next().is_none();
        let value = std::str::from_utf8(value.trim_ascii()).ok()?;
        (is_only && !value.is_empty()).then(|| format!("header:{value}"))
    }

    fn find(&self, digest: KeyDigest) -> Option<&Key> {
        let place = self.keys.binary_search_by_key(&digest, |key| key.digest);
        place.ok().and_then(|index| self.keys.get(index))
    }

    /// The caller of a key, unless one of the two is no longer served.
    fn admit_key(&self, key: &Key, now: Option<SystemTime>) -> Result<Arc<Caller>, Refused> {
        if has_passed(key.expires_at, now) {
            return Err(Refused::ExpiredKey);
        }
        let caller = self.admit(key.caller, now)?;
        Ok(Arc::new(caller.with_key(key.digest)))
    }

    /// The caller at a position, unless it is no longer served.
    fn admit(&self, caller: usize, now: Option<SystemTime>) -> Result<Arc<Caller>, Refused> {
        let caller = self.callers.get(caller).ok_or(Refused::UnknownKey)?;
        match caller.refusal(now) {
            Some(refused) => Err(refused),
            None => Ok(Arc::clone(caller)),
        }
    }

    /// Where keys are looked for, for the client.
    pub(super) fn header_names(&self) -> String {
        let told = self.headers.iter().map(|name| match name.as_str() {
            AUTHORIZATION => "`authorization: Bearer <key>`".to_owned(),
            other => format!("`{other}: <key>`"),
        });
        told.collect::<Vec<_>>().join(" or ")
    }
}

/// The key in a header, if there is one.
fn key_in<'h>(name: &str, value: &'h [u8]) -> Option<&'h [u8]> {
    let value = value.trim_ascii();
    let key = match value.split_at_checked(BEARER.len()) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(BEARER) => key.trim_ascii(),
        _ if name == AUTHORIZATION => return None,
        _ => value,
    };
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests;
