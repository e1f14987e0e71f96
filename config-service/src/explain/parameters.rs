//! What happens to each parameter of a request.

use bedrock_filter::bedrock::{self, Dialect};
use bedrock_filter::chat::{Asked, Treatment};
use bedrock_filter::protocol::openai_chat::{self, Chat};
use bedrock_filter::protocol::openai_responses::{self, Responses};
use bedrock_filter::protocol::{Protocol, Said};
use bedrock_filter::routes::Route;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Refused, Upstream};

/// What happens to one parameter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedParameter)]
pub struct Parameter {
    /// Its name in the request.
    pub name: String,
    /// `translated`, `left_out`, `refused`, or `unknown` where no channel serves the request.
    pub treatment: &'static str,
}

/// What happens to each member of a chat request, by name. Those of `extra_body` are listed individually.
pub(super) fn of_chat(request: &Value, route: Option<&Route<'_>>) -> Vec<Parameter> {
    let rules = Rules::of(&Chat, openai_chat::params(), (request, route));
    let own = members(request).map(|(name, _)| match name.as_str() {
        "model" | "messages" | "stream" | "extra_body" => (name.clone(), "translated"),
        own => (own.to_owned(), rules.treatment(own)),
    });
    let extra = request.get("extra_body").into_iter().flat_map(members);
    let extra = extra.map(|(name, _)| (format!("extra_body.{name}"), rules.treatment(name)));
    told(own.chain(extra))
}

/// The same for a Responses request. Members of `reasoning` and `text` are listed individually.
pub(super) fn of_responses(request: &Value, route: Option<&Route<'_>>) -> Vec<Parameter> {
    let ask = (request, route);
    let rules = Rules::of(&Responses::Create, openai_responses::params(), ask);
    let own = members(request).flat_map(|(name, value)| {
        if !matches!(name.as_str(), "reasoning" | "text") || !value.is_object() {
            return vec![(name.clone(), rules.of_outer(name, value))];
        }
        let inner = members(value).map(|(own, value)| {
            let name = format!("{name}.{own}");
            let treatment = rules.of_inner(&name, value);
            (name, treatment)
        });
        inner.collect()
    });
    told(own)
}

fn told(all: impl Iterator<Item = (String, &'static str)>) -> Vec<Parameter> {
    all.map(|(name, treatment)| Parameter { name, treatment })
        .collect()
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

/// What decides about the parameters of one request.
struct Rules {
    /// The API's parameters that mean something to models.
    params: &'static [Asked],
    /// Who speaks to the model that serves the request.
    dialect: Option<&'static dyn Dialect>,
    /// Names of those with which the request asks for something.
    asked: Vec<&'static str>,
    refuses_unknown: bool,
}

impl Rules {
    fn of(
        protocol: &dyn Protocol,
        params: &'static [Asked],
        (request, route): (&Value, Option<&Route<'_>>),
    ) -> Self {
        let text = request.to_string();
        let parsed = protocol.parse(text.as_bytes(), &Said::default()).ok();
        let dialect = route.zip(parsed.as_ref()).and_then(|(route, parsed)| {
            bedrock::dialect_for(route.serving(), &parsed.request).ok()
        });
        let asked = parsed.iter().flat_map(|parsed| &parsed.request.asked);
        Self {
            params,
            dialect,
            asked: asked.map(|own| own.name).collect(),
            refuses_unknown: route.is_some_and(|route| route.channel.refuses_unknown),
        }
    }

    fn treatment(&self, name: &str) -> &'static str {
        let param = self.params.iter().find(|own| own.name == name);
        match (param.map(|own| own.param), self.dialect) {
            (Some(param), Some(dialect)) => self.of_param(name, dialect.treatment(param)),
            (None, Some(_)) if self.refuses_unknown => "refused",
            (None, Some(_)) => "left_out",
            _ => "unknown",
        }
    }

    fn of_param(&self, name: &str, treatment: Treatment) -> &'static str {
        match treatment {
            Treatment::Mapped => "translated",
            // This value asks for nothing.
            Treatment::Refused if !self.asked.contains(&name) => "left_out",
            Treatment::Refused => "refused",
            Treatment::Ignored => "left_out",
        }
    }

    /// The same for a member of a Responses request: some are about OpenAI's own service, whatever the model.
    fn of_outer(&self, name: &str, value: &Value) -> &'static str {
        let is_nothing = matches!(value, Value::Null | Value::Bool(false));
        match fixed(name) {
            Some(Treatment::Refused) if !is_nothing => "refused",
            Some(_) => "left_out",
            None if matches!(name, "model" | "input" | "stream") => "translated",
            None => self.treatment(name),
        }
    }

    /// The same for a member of one of its objects, in which nothing that is unknown is refused.
    fn of_inner(&self, name: &str, value: &Value) -> &'static str {
        let is_known = self.params.iter().any(|own| own.name == name);
        match self.dialect {
            Some(_) if !is_known || value.is_null() => "left_out",
            _ => self.treatment(name),
        }
    }
}

fn fixed(name: &str) -> Option<Treatment> {
    let own = openai_responses::FIXED.iter().find(|(own, _)| *own == name);
    own.map(|(_, treatment)| *treatment)
}

/// What became of each member of a request, as far as what the filter made of it shows: whether a member of the
/// same name is in Bedrock's body, and what a refusal names.
pub(super) fn by_outcome(
    request: &Value,
    upstream: Option<&Upstream>,
    refused: Option<&Refused>,
) -> Vec<Parameter> {
    const ALWAYS: [&str; 4] = ["model", "messages", "stream", "system"];
    let message = refused.and_then(|own| own.error.get("message"));
    let message = message.and_then(Value::as_str).unwrap_or_default();
    let treatment = |name: &str| match upstream {
        Some(_) if ALWAYS.contains(&name) => "translated",
        Some(own) if says(own, name) => "translated",
        Some(_) => "left_out",
        None if message.starts_with(name) => "refused",
        None => "unknown",
    };
    let members = request.as_object().into_iter().flat_map(Map::keys);
    let all = members.map(|name| Parameter {
        name: name.clone(),
        treatment: treatment(name),
    });
    all.collect()
}

/// Where a member of a request is in another vendor's body.
const ELSEWHERE: [(&str, &[&str]); 7] = [
    (
        "max_tokens",
        &[
            "/inferenceConfig/maxTokens",
            "/max_gen_len",
            "/max_completion_tokens",
            "/maxTokens",
            "/max_tokens_to_sample",
            "/textGenerationConfig/maxTokenCount",
        ],
    ),
    (
        "temperature",
        &[
            "/inferenceConfig/temperature",
            "/textGenerationConfig/temperature",
        ],
    ),
    (
        "top_p",
        &["/inferenceConfig/topP", "/textGenerationConfig/topP", "/p"],
    ),
    (
        "top_k",
        &[
            "/inferenceConfig/topK",
            "/additionalModelRequestFields/top_k",
            "/k",
        ],
    ),
    (
        "stop_sequences",
        &[
            "/inferenceConfig/stopSequences",
            "/textGenerationConfig/stopSequences",
            "/stop",
        ],
    ),
    ("tools", &["/toolConfig/tools"]),
    ("tool_choice", &["/toolConfig/toolChoice"]),
];

/// Whether a call has a member of the request, by its name or in another place.
fn says(call: &Upstream, name: &str) -> bool {
    let mut places = ELSEWHERE.iter().filter(|(own, _)| *own == name);
    call.body.get(name).is_some()
        || places.any(|(_, all)| all.iter().any(|place| call.body.pointer(place).is_some()))
}
