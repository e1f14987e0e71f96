//! What is at the client's path.

use http::StatusCode;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

use crate::chat::{Error, ErrorKind};
use crate::config::ProtocolName;
use crate::protocol::{ClientPath, Served};
use crate::routes::Routes;

pub(super) fn served(routes: &Routes) -> Served {
    let protocols = routes.protocols();
    Served {
        openai_chat: protocols.has(ProtocolName::OpenaiChat),
        openai_responses: protocols.has(ProtocolName::OpenaiResponses),
        anthropic_messages: protocols.has(ProtocolName::AnthropicMessages),
        usage: routes.usage().is_some(),
    }
}

/// The endpoint at a path, and the model that the path names, still percent-encoded.
pub(super) fn endpoint<'p>(
    routes: &Routes,
    path: &'p PathAndQuery,
    served: Served,
) -> Option<(ClientPath<'p>, Option<&'p str>)> {
    if routes.has_health_endpoints()
        && let Some(own) = ClientPath::of_gateway(bare(path))
    {
        return Some((own, None));
    }
    routes.path_prefixes().below(bare(path)).find_map(|own| {
        let api = ClientPath::at(own.rest, served)?;
        (own.model.is_none() || api.asks()).then_some((api, own.model))
    })
}

/// A path without slashes at its end, with which some clients write it.
pub(super) fn bare(path: &PathAndQuery) -> &str {
    path.path().trim_end_matches('/')
}

pub(super) fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// The vendors' own APIs answer unknown paths with a 404 too.
pub(super) fn no_such_path(path: &PathAndQuery, served: Served) -> Error {
    let all = ClientPath::all(served);
    let message = format!(
        "There is nothing at {} on this gateway, which serves {all}.",
        path.path()
    );
    Error::new(StatusCode::NOT_FOUND, ErrorKind::InvalidRequest, message).code("not_found")
}
