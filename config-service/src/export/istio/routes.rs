//! The routes of requests that the filter signed, and of those that it never saw.

use bedrock_filter::config::{PathPrefixes, PluginConfig, ProtocolName};
use serde_json::{Value, json};

use super::document::{find, list, patch, set};
use crate::export::ExportError;

/// Name of the route that denies `/health` and the paths below it if the filter was bypassed.
const HEALTH: &str = "filter-bypassed-health";

/// Our paths, as a condition of Envoy's local replies.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Of Anthropic's Messages.
    pub(super) messages: Vec<String>,
    /// Of all other APIs.
    pub(super) others: Vec<String>,
}

/// Leaves the paths to others that the filter does not take over.
pub(super) fn leave(patches: &mut Vec<Value>, config: &PluginConfig) {
    let left: Vec<_> = ProtocolName::ALL
        .into_iter()
        .filter(|own| !config.protocols.has(*own))
        .map(ProtocolName::path)
        .collect();
    patches.retain(|patch| {
        let name = patch.pointer("/patch/value/name").and_then(Value::as_str);
        let is_left = path_of(patch).is_some_and(|path| left.contains(&path));
        !is_left && (config.health_endpoints || name != Some(HEALTH))
    });
}

/// Denies our paths below other prefixes than `/v1` too if the filter was bypassed.
pub(super) fn add_denied(
    patches: &mut Vec<Value>,
    prefixes: &PathPrefixes,
) -> Result<(), ExportError> {
    let own: Vec<_> = patches.iter().filter_map(denied).collect();
    for (number, prefix) in prefixes.iter().enumerate() {
        let (before, after) = prefix.parts();
        for (patch, endpoint) in &own {
            let matched = match after {
                None => json!({ "path_separated_prefix": format!("{before}{endpoint}") }),
                Some(_) if endpoint == "/models" => continue,
                Some(after) => {
                    let [before, after] = [before, after].map(|part| part.replace('.', "\\."));
                    let regex = format!("{before}[^/]+{after}{endpoint}(/.*)?");
                    json!({ "safe_regex": { "regex": regex } })
                }
            };
            let mut patch = patch.clone();
            let name = patch.pointer("/patch/value/name").and_then(Value::as_str);
            let name = format!("{}-{}", name.unwrap_or_default(), number + 1);
            set(&mut patch, "/patch/value/name", json!(name))?;
            set(&mut patch, "/patch/value/match", matched)?;
            patches.push(patch);
        }
    }
    Ok(())
}

/// Makes the conditions of the replies to requests that Istio refused cover the paths below other prefixes.
pub(super) fn add_refused(
    patches: &mut [Value],
    prefixes: &PathPrefixes,
) -> Result<(), ExportError> {
    let own: Vec<_> = patches.iter().filter_map(denied).collect();
    let mut paths = Paths::default();
    for (_, endpoint) in &own {
        let conditions = conditions(endpoint, prefixes);
        if endpoint == "/messages" {
            paths.messages.extend(conditions);
        } else {
            paths.others.extend(conditions);
        }
    }
    let manager = patch(patches, "NETWORK_FILTER")?;
    let mappers = list(
        manager,
        "/patch/value/typed_config/local_reply_config/mappers",
    )?;
    mappers.retain_mut(|mapper| paths.fill(mapper));
    Ok(())
}

impl Paths {
    /// Puts the paths into a reply's condition if it is about ours; whether any reply is left.
    fn fill(&self, mapper: &mut Value) -> bool {
        let filters = mapper.pointer_mut("/filter/and_filter/filters");
        let filters = filters.and_then(Value::as_array_mut);
        for filter in filters.into_iter().flatten() {
            let place = "/extension_filter/typed_config/expression";
            let Some(expression) = filter.pointer_mut(place) else {
                continue;
            };
            let text = expression.as_str().unwrap_or_default();
            let paths = if text.starts_with("request.url_path.startsWith(\"/v1/messages\")") {
                &self.messages
            } else if text.starts_with("request.url_path.startsWith(") {
                &self.others
            } else {
                continue;
            };
            *expression = json!(paths.join(" || "));
            if paths.is_empty() {
                return false;
            }
        }
        true
    }
}

/// One condition for each place at which clients find an endpoint.
fn conditions(endpoint: &str, prefixes: &PathPrefixes) -> Vec<String> {
    let begins = |path: &str| format!("request.url_path.startsWith(\"{path}\")");
    let own = begins(&format!("/v1{endpoint}"));
    let others = prefixes.iter().map(|prefix| match prefix.parts() {
        (before, None) => begins(&format!("{before}{endpoint}")),
        (before, Some(after)) => {
            let end = format!("request.url_path.contains(\"{after}{endpoint}\")");
            format!("({} && {end})", begins(before))
        }
    });
    std::iter::once(own).chain(others).collect()
}

/// Adds the route of pools, whose retries are attempts on other channels, before the others.
pub(super) fn add_pools(patches: &mut Vec<Value>) -> Result<(), ExportError> {
    let place = to_bedrock(patches)?;
    let mut pools = patches.get(place).cloned().unwrap_or_default();
    set(&mut pools, "/patch/value/name", json!("bedrock-pool"))?;
    let header =
        json!({ "name": "x-bedrock-cluster", "string_match": { "prefix": "bedrock|pool|" } });
    set(&mut pools, "/patch/value/match/headers/0", header)?;
    set(
        &mut pools,
        "/patch/value/route/retry_policy",
        retry_policy(),
    )?;
    let route = pools.pointer("/patch/value").cloned().unwrap_or_default();
    let virtual_host = patch(patches, "VIRTUAL_HOST")?;
    list(virtual_host, "/patch/value/routes")?.insert(0, route);
    // Each is inserted before those so far.
    patches.insert(place + 1, pools);
    Ok(())
}

/// Leaves the way to Bedrock to others.
pub(super) fn remove_way(patches: &mut Vec<Value>) -> Result<(), ExportError> {
    remove_virtual_host(patches)?;
    patches.remove(to_bedrock(patches)?);
    Ok(())
}

/// Leaves out the virtual host for endpoints. Sidecars always have one for all names, which gets the routes; and the mesh may
/// have one for an endpoint or for all of AWS's hosts by a `ServiceEntry`: with a second one for the same name Envoy would refuse
/// all routes of that port.
pub(super) fn remove_virtual_host(patches: &mut Vec<Value>) -> Result<(), ExportError> {
    patches.remove(find(patches, "VIRTUAL_HOST")?);
    Ok(())
}

fn to_bedrock(patches: &[Value]) -> Result<usize, ExportError> {
    let is_way = |patch: &Value| patch.pointer("/patch/value/name") == Some(&json!("bedrock"));
    let routes = patches
        .iter()
        .position(|patch| patch["applyTo"] == "HTTP_ROUTE" && is_way(patch));
    routes.ok_or_else(|| super::document::missing("the route to Bedrock"))
}

/// That of `envoy/envoy.yaml`: the filter sets the number of attempts for each request.
fn retry_policy() -> Value {
    json!({
        "retry_on": "5xx,retriable-status-codes,reset,connect-failure,refused-stream",
        "retriable_status_codes": [408, 424, 429],
        "num_retries": 0,
        "per_try_timeout": "300s",
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                "update_frequency": 1,
            },
        },
    })
}

/// A patch that denies one of our paths, and the path without its `/v1`.
fn denied(patch: &Value) -> Option<(Value, String)> {
    let endpoint = path_of(patch)?.strip_prefix("/v1")?;
    Some((patch.clone(), endpoint.to_owned()))
}

/// The path of a patch that adds a route.
fn path_of(patch: &Value) -> Option<&str> {
    let path = patch.pointer("/patch/value/match/path_separated_prefix");
    path.and_then(Value::as_str)
}
