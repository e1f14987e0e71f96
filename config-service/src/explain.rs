//! Where a request would go and what Bedrock would get, without calling AWS.
//!
//! The filter's own code decides; nothing is decided again here.

mod parameters;

use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::call::chosen;
use bedrock_filter::callers::Caller;
use bedrock_filter::config::{Api, ModelIds, ProtocolName};
use bedrock_filter::protocol::Protocol;
use bedrock_filter::protocol::anthropic_messages::Messages;
use bedrock_filter::protocol::openai_chat::Chat;
use bedrock_filter::protocol::openai_responses::Responses;
use bedrock_filter::routes::{Chosen, ModelRule, Permitted, Reason, Route, Routes};
use bedrock_filter::sign::canonical_uri;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::call::{Call, Refusal};
use crate::channel::StoredChannel;
use crate::discovery;
use crate::store::Contents;
pub use parameters::Parameter;
use parameters::{by_outcome, of_chat, of_responses};

/// Headers whose values are secrets.
const SECRET_HEADERS: [&str; 2] = ["authorization", "x-amz-security-token"];

/// How a request would be served.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The name that the client sends.
    pub model: String,
    /// What the name has chosen, if it is one that chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Choice, required = false)]
    pub choice: Option<Choice>,
    /// Every channel, and whether it could serve the request.
    pub channels: Vec<Candidate>,
    /// Where the request would go; absent if nowhere.
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

/// What a name that chooses has chosen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedChoice)]
pub struct Choice {
    /// The model that the request would go to.
    pub model: String,
    /// The models that would be tried, in this order.
    pub models: Vec<String>,
    /// Why these.
    pub because: String,
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
    /// The channel's API setting for the model: `auto`, `invoke` or `converse`.
    #[schema(value_type = String)]
    pub api: Api,
    /// AWS region.
    pub region: String,
}

/// The request that Bedrock gets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpstreamRequest)]
pub struct Upstream {
    /// HTTP method.
    pub method: String,
    /// `https://host[:port]`.
    pub origin: String,
    /// Path as sent on the wire.
    pub path: String,
    /// Path as signed.
    pub canonical_uri: String,
    /// Headers; secret ones are masked.
    #[schema(value_type = Object)]
    pub headers: Map<String, Value>,
    /// How long Envoy would wait for the answer to start, in milliseconds.
    pub timeout_ms: u64,
    /// The body.
    #[schema(value_type = Object)]
    pub body: Value,
}

/// An answer by the filter itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedRefusal)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// The error object of what the client speaks.
    #[schema(value_type = Object)]
    pub error: Value,
}

/// Explains a request of a caller, or of nobody in particular. `routes` are those of all channels or, to ask about one,
/// only that channel's.
pub(crate) fn explain(
    contents: &Contents,
    (routes, caller): (&Arc<Routes>, Option<&Arc<Caller>>),
    (protocol, request): (ProtocolName, &Value),
    now: SystemTime,
) -> Explanation {
    let model = request.get("model").and_then(Value::as_str);
    let model = model.unwrap_or_default().to_owned();
    let text = request.to_string();
    let ask = (protocol, text.as_bytes());
    let begun = match caller.and_then(|own| own.refusal(Some(now))) {
        Some(refused) => {
            let error = refused.error();
            let body = spoken(protocol).error_body(&error, None);
            Err(Refusal::new(error.status.as_u16(), &body))
        }
        None => Call::begin(Arc::clone(routes), caller.cloned(), ask, now),
    };
    let (upstream, refused, chosen) = match begun {
        Ok((call, exchange)) => {
            let chosen = exchange.outcome().and_then(|own| own.chosen);
            (Some(Upstream::new(&call)), None, chosen)
        }
        Err(Refusal { status, error }) => (None, Some(Refused { status, error }), None),
    };
    let choice = Choice::of(routes, ask, &model, chosen);
    let served = choice.as_ref().map_or(&model, |own| &own.model).clone();
    // Also if no channel has credentials: the refusal says so, and the route says where
    // the request would go with them.
    let permitted = routes.permitted(caller.map(|own| &**own));
    let route = permitted
        .resolve(&served, now)
        .or_else(|_| permitted.find(&served));
    let route = route.ok();
    Explanation {
        channels: contents
            .channels
            .iter()
            .map(|stored| Candidate::new(stored, permitted, &served, route.as_ref()))
            .collect(),
        parameters: match protocol {
            ProtocolName::OpenaiChat => of_chat(request, route.as_ref()),
            ProtocolName::OpenaiResponses => of_responses(request, route.as_ref()),
            ProtocolName::AnthropicMessages => {
                by_outcome(request, upstream.as_ref(), refused.as_ref())
            }
        },
        route: route.as_ref().map(Destination::new),
        choice,
        upstream,
        refused,
        model,
    }
}

/// What reads a protocol's requests.
fn spoken(protocol: ProtocolName) -> &'static dyn Protocol {
    match protocol {
        ProtocolName::OpenaiChat => &Chat,
        ProtocolName::OpenaiResponses => &Responses::Create,
        ProtocolName::AnthropicMessages => &Messages::Create,
    }
}

/// The smallest request for a model.
#[must_use]
pub fn request_for(protocol: ProtocolName, model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "Hello!"}]);
    match protocol {
        ProtocolName::OpenaiChat => json!({"model": model, "messages": messages}),
        ProtocolName::OpenaiResponses => json!({"model": model, "input": "Hello!"}),
        ProtocolName::AnthropicMessages => {
            json!({"model": model, "max_tokens": 1024, "messages": messages})
        }
    }
}

impl Choice {
    /// What a name has chosen; `model` is the one that the request goes to, if it goes anywhere.
    fn of(
        routes: &Routes,
        (protocol, request): (ProtocolName, &[u8]),
        name: &str,
        model: Option<String>,
    ) -> Option<Self> {
        let protocol = spoken(protocol);
        let Chosen { models, reason } = chosen(routes, protocol, request)?;
        let because = match reason {
            Reason::List => format!("`{name}` stands for these models"),
            Reason::Rule {
                index,
                when,
                target,
            } => {
                let when = serde_json::to_string(when).unwrap_or_default();
                let number = index + 1;
                format!(
                    "rule {number} of `{name}` is the first that fits ({when}), and uses `{target}`"
                )
            }
            Reason::Otherwise { target } => {
                format!("no rule of `{name}` fits, and its `else` is `{target}`")
            }
        };
        let models: Vec<_> = models.into_iter().map(str::to_owned).collect();
        Some(Self {
            model: model.or_else(|| models.first().cloned())?,
            models,
            because,
        })
    }
}

impl Candidate {
    fn new(
        stored: &StoredChannel,
        permitted: Permitted<'_>,
        model: &str,
        chosen: Option<&Route<'_>>,
    ) -> Self {
        let routes = permitted.routes();
        // As the filter gets it: its names may be those of its account.
        let channel = &discovery::effective(&stored.channel, stored.discovery.as_ref());
        let own = routes.route_on(&channel.name, model);
        let listed = channel.models.is_empty() || channel.models.iter().any(|own| own == model);
        let is_by_account = channel.models != stored.channel.models;
        let is_chosen = chosen.is_some_and(|route| route.channel.channel.name == channel.name);
        let reason = match &own {
            _ if !channel.enabled => "it is disabled",
            None if !listed && is_by_account => {
                "its account does not have the name, and it does not map it"
            }
            None if !listed => "its `models` does not have the name",
            None if !routes.is_admitted(&channel.name, model) => match channel.allow_model_ids {
                ModelIds::None => "its `allow_model_ids` is `none`, and it does not map the name",
                _ => "its `allow_model_ids` is `catalogue`, which does not have the name",
            },
            None => {
                "it cannot tell which model the name means, or which family that model belongs to"
            }
            Some(_) if !permitted.is_served_by(&channel.name, model) => {
                "it serves the model, but the caller may not use the model or the channel"
            }
            Some(own) if !own.channel.channel.credentials.are_there() => {
                "it serves the model, but has no valid credentials at the moment; its \
                 credential_status says why"
            }
            Some(_) if is_chosen => "it is the first that serves the model",
            Some(_) => "it also serves the model, but comes later in the order",
        };
        Self {
            id: stored.id.clone(),
            name: channel.name.clone(),
            serves: permitted.is_served_by(&channel.name, model),
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
            ModelRule::InferenceProfileArnMap => {
                ("inference_profile_arn_map", by_entry(route, name))
            }
            ModelRule::Catalog => (
                "catalog",
                format!(
                    "the catalogue knows `{name}`, and `cross_region` and the region determine the \
                     profile"
                ),
            ),
            ModelRule::Verbatim => ("verbatim", format!("`{name}` is one of Bedrock's own ids")),
        };
        let because = match mapped {
            Some(mapped) => format!(
                "`model_mapping` maps `{}` to `{mapped}`, and {because}",
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

/// Why an entry of `inference_profile_arn_map` decides about a name.
fn by_entry(route: &Route<'_>, name: &str) -> String {
    let key = route.arn_key().unwrap_or(name);
    let entry = format!("`inference_profile_arn_map` has an entry for `{key}`");
    if key == name || key == route.requested {
        return entry;
    }
    format!("{entry}, which is a name of the same model as `{name}` (`match` is `model`)")
}

impl Upstream {
    fn new(call: &Call) -> Self {
        let path = call.header(":path").to_owned();
        let headers = call.headers_to_bedrock().map(|(name, value)| {
            let value = if SECRET_HEADERS.contains(&name) {
                "[masked]".to_owned()
            } else {
                String::from_utf8_lossy(value).into_owned()
            };
            (name.to_owned(), Value::String(value))
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
