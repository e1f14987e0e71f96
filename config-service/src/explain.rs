//! Where a request would go and what Bedrock would get, without calling AWS.
//!
//! The filter's own code decides; nothing is decided here a second time.

use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::bedrock;
use bedrock_filter::chat::Treatment;
use bedrock_filter::config::{Api, ModelIds};
use bedrock_filter::protocol::Protocol as _;
use bedrock_filter::protocol::openai_chat::{Chat, params};
use bedrock_filter::routes::{ModelRule, Route, Routes};
use bedrock_filter::sign::canonical_uri;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::call::{Call, Refusal};
use crate::channel::StoredChannel;
use crate::store::Contents;

/// Headers whose values are secrets.
const SECRET_HEADERS: [&str; 2] = ["authorization", "x-amz-security-token"];

/// How a request would be served.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The name that the client sends.
    pub model: String,
    /// Every channel, and whether it could serve the request.
    pub channels: Vec<Candidate>,
    /// Where the request would go; absent when nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Destination, required = false)]
    pub route: Option<Destination>,
    /// What happens to each parameter of the request.
    pub parameters: Vec<Parameter>,
    /// What Bedrock would get; absent when the filter refuses the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Upstream, required = false)]
    pub upstream: Option<Upstream>,
    /// What the client would get instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Refused, required = false)]
    pub refused: Option<Refused>,
}

/// A channel, as far as one request goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedChannel)]
pub struct Candidate {
    /// The channel's id.
    pub id: String,
    /// The channel's name.
    pub name: String,
    /// Whether it serves the model.
    pub serves: bool,
    /// Why, or why not.
    pub reason: String,
}

/// Where a request goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedRoute)]
pub struct Destination {
    /// The channel's name.
    pub channel: String,
    /// The rule that decided `model_id`.
    pub rule: &'static str,
    /// The same, in words.
    pub because: String,
    /// Model id, inference profile id or ARN that is called.
    pub model_id: String,
    /// The catalogue's name of the model, if it knows it.
    pub catalog_model: Option<&'static str>,
    /// Model family: how the body is written.
    pub family: String,
    /// The channel's choice of API for the model: `auto`, `invoke` or `converse`.
    #[schema(value_type = String)]
    pub api: Api,
    /// AWS region.
    pub region: String,
}

/// What becomes of one parameter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedParameter)]
pub struct Parameter {
    /// Its name in the request.
    pub name: String,
    /// `translated`, `left_out`, `refused`, or `unknown` where no channel serves the request.
    pub treatment: &'static str,
}

/// The request that Bedrock gets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpstreamRequest)]
pub struct Upstream {
    /// HTTP method.
    pub method: String,
    /// `https://host[:port]`.
    pub origin: String,
    /// Path as it goes on the wire.
    pub path: String,
    /// Path as the signature covers it.
    pub canonical_uri: String,
    /// Headers; secret ones are masked.
    #[schema(value_type = Object)]
    pub headers: Map<String, Value>,
    /// How long Envoy would wait until the answer begins, in milliseconds.
    pub timeout_ms: u64,
    /// The body.
    #[schema(value_type = Object)]
    pub body: Value,
}

/// An answer of the filter's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedRefusal)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// OpenAI's error object.
    #[schema(value_type = Object)]
    pub error: Value,
}

/// Explains a request. `routes` are all channels' or, to ask about one, that one's alone.
pub(crate) fn explain(
    contents: &Contents,
    routes: &Arc<Routes>,
    request: &Value,
    now: SystemTime,
) -> Explanation {
    let model = request.get("model").and_then(Value::as_str);
    let model = model.unwrap_or_default().to_owned();
    // Also where nobody has credentials: the refusal says so, and the route where it would go with them.
    let route = routes.resolve(&model, now).or_else(|_| routes.find(&model));
    let route = route.ok();
    let text = request.to_string();
    let (upstream, refused) = match Call::of(Arc::clone(routes), text.as_bytes(), now) {
        Ok(call) => (Some(Upstream::new(&call)), None),
        Err(Refusal { status, error }) => (None, Some(Refused { status, error })),
    };
    Explanation {
        channels: contents
            .channels
            .iter()
            .map(|stored| Candidate::new(stored, routes, &model, route.as_ref()))
            .collect(),
        parameters: parameters(request, route.as_ref()),
        route: route.as_ref().map(Destination::new),
        upstream,
        refused,
        model,
    }
}

/// The smallest request for a model.
#[must_use]
pub fn request_for(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello!"}]})
}

impl Candidate {
    fn new(
        stored: &StoredChannel,
        routes: &Routes,
        model: &str,
        chosen: Option<&Route<'_>>,
    ) -> Self {
        let channel = &stored.channel;
        let own = routes.route_on(&channel.name, model);
        let listed = channel.models.is_empty() || channel.models.iter().any(|own| own == model);
        let is_chosen = chosen.is_some_and(|route| route.channel.channel.name == channel.name);
        let reason = match &own {
            _ if !channel.enabled => "it is disabled",
            None if !listed => "its `models` does not have the name",
            None if !routes.is_admitted(&channel.name, model) => match channel.allow_model_ids {
                ModelIds::None => "its `allow_model_ids` is `none`, and it does not map the name",
                _ => "its `allow_model_ids` is `catalogue`, which does not have the name",
            },
            None => "it cannot tell what the name stands for, or which family it is",
            Some(own) if !own.channel.channel.credentials.are_there() => {
                "it serves the model, but has no valid credentials at the moment: its credential_status \
                 says why"
            }
            Some(_) if is_chosen => "it is the first that serves the model",
            Some(_) => "it serves the model too, and comes later",
        };
        Self {
            id: stored.id.clone(),
            name: channel.name.clone(),
            serves: own.is_some(),
            reason: reason.to_owned(),
        }
    }
}

impl Destination {
    fn new(route: &Route<'_>) -> Self {
        let channel = &route.channel.channel;
        let mapped = channel.model_mapping.get(&route.requested);
        let name = mapped.unwrap_or(&route.requested);
        let (rule, because) = match route.rule {
            ModelRule::InferenceProfileArnMap => (
                "inference_profile_arn_map",
                format!("`inference_profile_arn_map` has an entry for `{name}`"),
            ),
            ModelRule::Catalog => (
                "catalog",
                format!(
                    "the catalogue knows `{name}`, and `cross_region` and the region decide the profile"
                ),
            ),
            ModelRule::Verbatim => ("verbatim", format!("`{name}` is an id of Bedrock's itself")),
        };
        let because = match mapped {
            Some(mapped) => format!(
                "`model_mapping` makes `{}` into `{mapped}`, and {because}",
                route.requested
            ),
            None => because,
        };
        Self {
            channel: channel.name.clone(),
            rule,
            because,
            model_id: route.model_id.clone(),
            catalog_model: route.model.map(|model| model.id),
            family: route.family.name(),
            api: route.api(),
            region: channel.region.clone(),
        }
    }
}

/// What becomes of each member of the request, by name.
fn parameters(request: &Value, route: Option<&Route<'_>>) -> Vec<Parameter> {
    let text = request.to_string();
    let parsed = Chat.parse(text.as_bytes()).ok();
    let dialect = route
        .zip(parsed.as_ref())
        .and_then(|(route, parsed)| bedrock::dialect_for(route.serving(), &parsed.request).ok());
    let asked = parsed
        .as_ref()
        .map(|parsed| parsed.request.asked.as_slice());
    let is_asked = |name: &str| asked.unwrap_or_default().iter().any(|own| own.name == name);
    let refuses_unknown = route.is_some_and(|route| route.channel.refuses_unknown);
    let treatment = |name: &str| {
        let param = params().iter().find(|param| param.name == name);
        match (param, dialect) {
            (Some(param), Some(dialect)) => match dialect.treatment(param.param) {
                Treatment::Mapped => "translated",
                // Such a value asks for nothing.
                Treatment::Refused if !is_asked(name) => "left_out",
                Treatment::Refused => "refused",
                Treatment::Ignored => "left_out",
            },
            // Its members are told by themselves.
            _ if matches!(name, "model" | "messages" | "stream" | "extra_body") => "translated",
            (None, Some(_)) if refuses_unknown => "refused",
            (None, Some(_)) => "left_out",
            _ => "unknown",
        }
    };
    let members = request.as_object().into_iter().flat_map(Map::keys);
    let extra = request.get("extra_body").and_then(Value::as_object);
    let extra = extra.into_iter().flat_map(Map::keys);
    let members = members.map(|name| (name.clone(), treatment(name)));
    let extra = extra.map(|name| (format!("extra_body.{name}"), treatment(name)));
    let all = members.chain(extra);
    all.map(|(name, treatment)| Parameter { name, treatment })
        .collect()
}

impl Upstream {
    fn new(call: &Call) -> Self {
        let path = call.header(":path").to_owned();
        let headers = call.headers_to_bedrock().map(|(name, value)| {
            let value = if SECRET_HEADERS.contains(&name.as_str()) {
                "[masked]".to_owned()
            } else {
                String::from_utf8_lossy(value).into_owned()
            };
            (name.clone(), Value::String(value))
        });
        Self {
            method: call.header(":method").to_owned(),
            origin: format!("{}://{}", call.header(":scheme"), call.header(":authority")),
            canonical_uri: canonical_uri(&path),
            timeout_ms: u64::try_from(call.timeout().unwrap_or_default().as_millis())
                .unwrap_or(u64::MAX),
            path,
            headers: headers.collect(),
            body: serde_json::from_slice(&call.body).unwrap_or_default(),
        }
    }
}
