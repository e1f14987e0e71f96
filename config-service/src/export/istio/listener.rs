//! What applies to a whole listener, and with it to every host that it serves.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{list, patch, put, remove};
use super::plan::Plan;
use super::target::Sharing;
use crate::export::ExportError;

/// Where the manager of connections has its settings.
const MANAGER: &str = "/patch/value/typed_config";

/// Its settings that would change other hosts' requests: how long they may be silent, and their ids.
const OWN: [&str; 4] = [
    "stream_idle_timeout",
    "preserve_external_request_id",
    "always_set_request_id_in_response",
    "request_id_extension",
];

/// What Envoy must hold of a request, by the setting's name.
const BUFFERS: [&str; 3] = [
    "per_connection_buffer_limit_bytes",
    "request_body_buffer_limit",
    "initial_stream_window_size",
];

/// That of all requests of a connection over HTTP/2.
const CONNECTION_WINDOW: &str = "initial_connection_window_size";

/// Largest window of HTTP/2 (<https://www.rfc-editor.org/rfc/rfc9113#section-6.9.1>).
const MAX_WINDOW_BYTES: u64 = (1 << 31) - 1;

/// How a condition on the client's path begins.
const ON_PATH: &str = "request.url_path.startsWith(";

/// The path of requests that the filter has translated.
const TRANSLATED: &str = "request.url_path.startsWith(\"/model/\")";

/// Leaves other hosts of a shared gateway Istio's own limits, ids and replies.
pub(super) fn share(patches: &mut [Value], plan: &Plan) -> Result<(), ExportError> {
    if plan.sharing == Sharing::Own {
        return Ok(());
    }
    let connections = patch(patches, "NETWORK_FILTER")?;
    for setting in OWN {
        remove(connections, MANAGER, setting)?;
    }
    let http2 = format!("{MANAGER}/http2_protocol_options");
    remove(connections, &http2, "max_concurrent_streams")?;
    let mappers = format!("{MANAGER}/local_reply_config/mappers");
    narrow(list(connections, &mappers)?)
}

/// Makes the replies that any host might get those of our paths.
fn narrow(mappers: &mut [Value]) -> Result<(), ExportError> {
    let conditions = mappers.iter().flat_map(on_path);
    let ours: BTreeSet<_> = conditions.chain([TRANSLATED]).collect();
    let ours = Vec::from_iter(ours).join(" || ");
    let ours = json!({ "extension_filter": {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            "expression": ours,
        },
    } });
    for mapper in mappers {
        if on_path(mapper).is_empty() {
            let both = json!([ours, mapper["filter"]]);
            put(
                mapper,
                "",
                "filter",
                json!({ "and_filter": { "filters": both } }),
            )?;
        }
    }
    Ok(())
}

/// The conditions on the client's path that a reply has.
fn on_path(mapper: &Value) -> Vec<&str> {
    let filters = mapper.pointer("/filter/and_filter/filters");
    let filters = filters.and_then(Value::as_array).into_iter().flatten();
    let place = "/extension_filter/typed_config/expression";
    let expressions = filters.filter_map(|own| own.pointer(place)?.as_str());
    expressions.filter(|own| own.starts_with(ON_PATH)).collect()
}

/// Makes Envoy hold requests of so many bytes: translation can make them twice as long. The template has room for the
/// default, and for answers, which are not to have less.
pub(super) fn hold(patches: &mut [Value], longest: usize) {
    let buffer = u64::try_from(longest).unwrap_or(u64::MAX).saturating_mul(2);
    for patch in patches {
        raise(patch, buffer.min(MAX_WINDOW_BYTES));
    }
}

fn raise(value: &mut Value, buffer: u64) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let least = match name.as_str() {
                    CONNECTION_WINDOW => buffer.saturating_mul(2).min(MAX_WINDOW_BYTES),
                    name if BUFFERS.contains(&name) => buffer,
                    _ => {
                        raise(value, buffer);
                        continue;
                    }
                };
                if value.as_u64().is_some_and(|own| own < least) {
                    *value = json!(least);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|own| raise(own, buffer)),
        _ => {}
    }
}
