//! What stands for a request where it is not encoded yet, and can be sent nowhere.
//!
//! Three things keep it from being a call, should it ever reach a cluster without an upstream stage that
//! puts the real one in its place: no codec of Envoy's writes it, no operation of Bedrock has its path
//! and method, and it is signed by nobody.

use http::Method;

use super::Edit;
use crate::call::{CLUSTER_HEADER, Headers, add_timeout};
use crate::relay::Plan;

/// Marks a stand-in. Not one of the headers that are taken off requests of others, so that it stays
/// whatever filter the stand-in comes to.
const MARK: &str = "bedrock-stand-in";

/// Envoy's codecs refuse to write a header with this value (`HeaderUtility::checkValidRequestHeaders`), and
/// the request ends with a 503 of Envoy's own.
const UNWRITABLE: &[u8] = b"\n";

/// Body of the stand-in: Envoy keeps it for another attempt in place of the real one, which may be long.
const BODY: &[u8] = b"{}";

/// Path of the stand-in: one that the route for calls takes, and that Bedrock does not know.
const PATH: &str = "/model/-/stand-in";

/// Stands for a request on its way to a pool; `kept` stays of the request's headers.
pub(super) fn relayed(plan: &Plan, kept: Headers) -> Edit {
    let mut headers = head(BODY.len());
    headers.add(CLUSTER_HEADER, plan.cluster.as_str());
    // One attempt for each channel of the pool; the route says after what.
    headers.add("x-envoy-max-retries", plan.retries.to_string());
    add_timeout(&mut headers, plan.timeout);
    headers.0.extend(kept.0);
    Edit {
        headers: Some(headers),
        body: Some(BODY.to_vec().into()),
    }
}

impl Edit {
    /// In place of a request that must not leave: what an earlier attempt put there, or a stranger.
    #[must_use]
    pub fn unsendable() -> Self {
        Self {
            headers: Some(head(0)),
            body: Some(Vec::new().into()),
        }
    }
}

fn head(length: usize) -> Headers {
    let mut headers = Headers::default();
    headers.add(":method", Method::PUT.as_str());
    headers.add(":scheme", "http");
    // A name that leads nowhere: https://www.rfc-editor.org/rfc/rfc2606#section-2
    headers.add(":authority", "stand-in.invalid");
    headers.add(":path", PATH);
    headers.add("content-length", length.to_string());
    headers.add(MARK, UNWRITABLE);
    headers
}
