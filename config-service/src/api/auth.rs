//! Who may use the API: whoever shows a token, as far as its role goes.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{App, AppState, Problem};
use crate::access::{BOOTSTRAP, Principal, Role, TokenHash};

/// Lets a request through when it carries a token, and says whose it is.
pub(super) async fn require_token(
    State(app): App,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    match app.authenticate(bearer(request.headers()), peer.ip()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(problem) => {
            let (path, status) = (request.uri().path(), problem.status().as_u16());
            tracing::warn!(path, status, peer = %peer.ip(), "refused: no valid token");
            problem.into_response()
        }
    }
}

impl AppState {
    /// Whose token it is.
    ///
    /// An address that sends wrong ones again and again is not listened to for a while.
    pub(crate) async fn authenticate(
        &self,
        token: Option<&[u8]>,
        peer: IpAddr,
    ) -> Result<Principal, Problem> {
        if let Some(wait) = self.refusals.wait(peer) {
            return Err(Problem::too_many_refusals(wait));
        }
        let Some(token) = token else {
            return Err(Problem::unauthorized());
        };
        let found = self.principal(TokenHash::of(token)).await?;
        found.ok_or_else(|| {
            self.refusals.note(peer);
            Problem::unauthorized()
        })
    }

    /// Whose token has this hash.
    pub(crate) async fn principal(&self, hash: TokenHash) -> Result<Option<Principal>, Problem> {
        if self.token.matches(hash) {
            return Ok(Some(Principal {
                name: BOOTSTRAP.to_owned(),
                role: Role::Admin,
            }));
        }
        Ok(self.channels.store().principal(hash).await?)
    }
}

/// The bearer token of a request (RFC 6750, section 2.1); the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

impl Principal {
    /// Refuses who may only look.
    pub(crate) fn may_edit(&self) -> Result<(), Problem> {
        self.has(Role::Editor)
    }

    /// Refuses who may not hand out tokens.
    pub(crate) fn may_administer(&self) -> Result<(), Problem> {
        self.has(Role::Admin)
    }

    fn has(&self, needed: Role) -> Result<(), Problem> {
        if self.role >= needed {
            return Ok(());
        }
        tracing::warn!(
            principal = self.name,
            role = self.role.as_str(),
            needed = needed.as_str(),
            "refused: the role does not suffice"
        );
        Err(Problem::forbidden(self, needed))
    }
}
