//! Sessions. They are kept in memory, so a restart logs everybody out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use subtle::ConstantTimeEq as _;

use super::Pages;
use super::cookie;
use super::fields::Values;
use super::layout::Refusal;
use crate::access::{Principal, TokenHash, random_text};

/// How long a session lasts.
pub(super) const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

/// The most sessions to keep; the oldest makes room.
const MAX_SESSIONS: usize = 1000;

/// All sessions. Clones share one state.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    open: Arc<Mutex<BTreeMap<String, Open>>>,
}

#[derive(Clone, Debug)]
struct Open {
    token: TokenHash,
    csrf: String,
    since: Instant,
    draft: Option<Draft>,
}

/// A form that was sent after the session had ended. It contains no secrets.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// URL of the form.
    pub(super) place: String,
    /// What was entered.
    pub(super) values: Values,
}

/// A logged-in user, as a handler's argument.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// Who.
    pub(super) principal: Principal,
    /// Goes into every form, and must come back with it.
    pub(super) csrf: String,
    id: String,
}

impl Sessions {
    /// Opens a session, which may hold a waiting form; returns its id. `None` if the system provides no
    /// random numbers.
    pub(super) fn open(&self, token: TokenHash, draft: Option<Draft>) -> Option<String> {
        let (id, csrf) = (random_text().ok()?, random_text().ok()?);
        let since = Instant::now();
        let mut open = self.lock();
        open.retain(|_, own| since.duration_since(own.since) < LIFETIME);
        if open.len() >= MAX_SESSIONS {
            let oldest = open.iter().min_by_key(|(_, own)| own.since);
            let oldest = oldest.map(|(id, _)| id.clone());
            oldest.and_then(|id| open.remove(&id));
        }
        let session = Open {
            token,
            csrf,
            since,
            draft,
        };
        open.insert(id.clone(), session);
        Some(id)
    }

    fn find(&self, id: &str) -> Option<Open> {
        let own = self.lock().get(id).cloned()?;
        (own.since.elapsed() < LIFETIME).then_some(own)
    }

    /// The entries made at a URL before the user had to log in; returned only once.
    pub(super) fn take_draft(&self, session: &Session, place: &str) -> Option<Values> {
        let mut open = self.lock();
        let draft = &mut open.get_mut(&session.id)?.draft;
        let wanted = draft.take_if(|draft| draft.place == place);
        wanted.map(|draft| draft.values)
    }

    /// Ends a session.
    pub(super) fn close(&self, session: &Session) {
        self.lock().remove(&session.id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Whether a form carries the session's token.
    pub(super) fn sent(&self, csrf: Option<&str>) -> bool {
        let sent = csrf.unwrap_or_default().as_bytes();
        let is_own: bool = self.csrf.as_bytes().ct_eq(sent).into();
        if !is_own {
            tracing::warn!(
                principal = self.principal.name,
                "refused: a form without its token"
            );
        }
        is_own
    }

    /// Refuses a form that does not carry the session's token.
    pub(super) fn check_csrf(&self, sent: Option<&str>) -> Result<(), Refusal> {
        if self.sent(sent) {
            return Ok(());
        }
        let message = "The form is from an earlier session. Go back, reload the page and try \
            again.";
        Err(Refusal::forbidden(message))
    }

    /// Refuses a form that does not carry the session's token, and users who may not edit.
    pub(super) fn check_edit(&self, sent: Option<&str>) -> Result<(), Refusal> {
        self.check_csrf(sent)?;
        Ok(self.principal.may_edit()?)
    }
}

impl FromRequestParts<Pages> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Refusal> {
        let session =
            <Self as OptionalFromRequestParts<Pages>>::from_request_parts(parts, pages).await?;
        session.ok_or_else(|| {
            let wanted = parts.uri.path_and_query().map(ToString::to_string);
            Refusal::log_in(wanted.filter(|_| parts.method.is_safe()))
        })
    }
}

impl OptionalFromRequestParts<Pages> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Option<Self>, Refusal> {
        let Some(id) = cookie::read(&parts.headers, cookie::SESSION) else {
            return Ok(None);
        };
        let Some(open) = pages.sessions.find(id) else {
            return Ok(None);
        };
        // A token that was revoked meanwhile grants nothing any more.
        let principal = pages.app.principal(open.token).await?;
        Ok(principal.map(|principal| Self {
            principal,
            csrf: open.csrf,
            id: id.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_session_makes_room() {
        let sessions = Sessions::default();
        let first = sessions.open(TokenHash::of(b"a"), None).unwrap();
        assert!(sessions.find(&first).is_some());
        for _ in 0..MAX_SESSIONS {
            sessions.open(TokenHash::of(b"b"), None).unwrap();
        }
        assert!(sessions.find(&first).is_none());
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
    }
}
