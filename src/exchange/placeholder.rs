//! The placeholder for a request that is not encoded yet. It cannot be sent anywhere.
//!
//! Three things keep it from being a call, should it ever reach a cluster without an upstream stage that
//! puts the real one in its place: none of Envoy's codecs writes it, no operation of Bedrock has its path
//! and method, and it is not signed.

use http::Method;

use super::Edit;
use crate::call::{CLUSTER_HEADER, Headers, add_timeout};
use crate::failover::{ENVOYS_SPARE, Plan};

/// Marks a placeholder. No filter strips this header from a request, so the mark survives every filter that the
/// placeholder passes.
const MARK: &str = "bedrock-stand-in";

/// Envoy's codecs refuse to write a header with this value (`HeaderUtility::checkValidRequestHeaders`), and
/// the request ends with a 503 of Envoy's own.
const UNWRITABLE: &[u8] = b"\n";

/// Body of the placeholder: Envoy keeps it for another attempt in place of the real one, which may be long.
const BODY: &[u8] = b"{}";

/// Path of the placeholder: the route for calls takes it, and Bedrock does not know it.
const PATH: &str = "/model/-/stand-in";

/// The placeholder on its way to a pool; `kept` are the headers of the request that stay.
pub(super) fn to_pool(plan: &Plan, kept: Headers) -> Edit {
    let mut headers = head(BODY.len());
    headers.add(CLUSTER_HEADER, plan.cluster.as_str());
    // One attempt for each channel of the pool; the route says after what.
    let retries = plan.retries + ENVOYS_SPARE;
    headers.add("x-envoy-max-retries", retries.to_string());
    add_timeout(&mut headers, plan.timeout);
    headers.0.extend(kept.0);
    Edit {
        headers: Some(headers),
        body: Some(BODY.to_vec().into()),
    }
}

impl Edit {
    /// Takes the place of a request that must not leave: an earlier attempt's, or one that is not the filter's.
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
