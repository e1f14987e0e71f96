//! One request to the control plane.

use axum::response::Response;

use super::{Refusal, accept, instead, now};
use crate::account;
use crate::fault::{Operation, Subject};
use crate::listener::Cut;
use crate::recorded::Recorded;
use crate::simulator::Shared;
use crate::wire::WireRequest;

/// Answers a request to the control plane.
pub(super) async fn answer(
    shared: &Shared,
    request: &WireRequest,
    wanted: (Operation, &str),
    cut: &Cut,
) -> Response {
    let caller = shared.keyring().authenticate(request, now());
    let judged = caller.and_then(|caller| {
        let body = account::answer(&shared.settings.catalog, wanted, request, &caller)?;
        Ok((caller, body))
    });
    let (caller, body) = match judged {
        Ok(judged) => judged,
        Err(error) => {
            let refusal = Refusal::Error(error);
            shared.record(Recorded::new(request, refusal.verdict()));
            return refusal.into_response();
        }
    };
    let (operation, model) = wanted;
    let access_key_id = caller.key.as_ref().map(|key| key.access_key_id.as_str());
    let subject = Subject {
        model,
        operation,
        region: &caller.region,
        access_key_id,
    };
    let fault = accept(shared, request, subject).await;
    instead(&fault.effect, cut).unwrap_or_else(|| account::respond(&body))
}
