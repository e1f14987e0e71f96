//! Who may use the API: whoever presents a token, within the limits of its role.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{App, AppState, Problem};
use crate::access::{BOOTSTRAP, Principal, Role, TokenHash, may_be_issued};

/// Who sent a request, as a handler's argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Client
where
    AppState: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let app = AppState::from_ref(state);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
        Ok(Self(app.proxies.client(peer, &parts.headers)))
    }
}

/// Admits a request that carries a valid token, and says whose it is.
pub(super) async fn require_token(
    State(app): App,
    client: Client,
    mut request: Request,
    next: Next,
) -> Response {
    let (token, path) = (bearer(request.headers()), request.uri().path());
    match app.authenticate(token, client, path).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl AppState {
    /// Finds out whose token it is. Wrong tokens never cause a right one to be refused or
    /// delayed.
    pub(crate) async fn authenticate(
        &self,
        token: Option<&[u8]>,
        client: Client,
        path: &str,
    ) -> Result<Principal, Problem> {
        let holder = match token {
            Some(token) => self.holder(token).await?,
            None => None,
        };
        if let Some(principal) = holder {
            return Ok(principal);
        }
        self.refuse(client, path, "no valid token").await;
        Err(Problem::unauthorized())
    }

    /// What happens before a refusal: a line in the log, or a delay.
    pub(crate) async fn refuse(&self, client: Client, path: &str, reason: &'static str) {
        self.refusals.meet(client.0, path, reason).await;
    }

    /// Whose token it is; texts that cannot be tokens are not looked up in the database.
    async fn holder(&self, token: &[u8]) -> Result<Option<Principal>, Problem> {
        let hash = TokenHash::of(token);
        if self.token.matches(hash) || may_be_issued(token) {
            return self.principal(hash).await;
        }
        Ok(None)
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

/// A request's bearer token (RFC 6750, section 2.1); the scheme is case-insensitive.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

impl Principal {
    /// Refuses callers who may only read.
    pub(crate) fn may_edit(&self) -> Result<(), Problem> {
        self.has(Role::Editor)
    }

    /// Refuses callers who may not manage tokens.
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
            "refused: the role is not sufficient"
        );
        Err(Problem::forbidden(self, needed))
    }
}
