//! From a requested name to a channel, a model id and a family.

use std::time::SystemTime;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::nearest::nearest;
use super::{CompiledChannel, Routes};
use crate::arn::{ModelArn, ResourceKind};
use crate::bedrock::Serving;
use crate::catalog::CrossRegion;
use crate::catalog::ModelFamily;
use crate::catalog::{self, Model};
use crate::chat::Error;
use crate::config::{Api, ModelIds};

/// Seconds after which a client may ask again where credentials are missing: the config-service tries to get
/// them after 1, 2, 4 and so on seconds, up to a minute.
const RETRY_AFTER: u32 = 10;

/// Most names that are suggested for one that nobody serves.
const MOST_SUGGESTED: usize = 3;

/// Where one request goes.
#[derive(Clone, Debug)]
pub struct Route<'r> {
    /// The channel that serves it.
    pub channel: &'r CompiledChannel,
    /// The name that the client asked for.
    pub requested: String,
    /// Model id, inference profile id or ARN to call, not percent-encoded.
    pub model_id: String,
    /// The same, if it is an ARN.
    arn: Option<ModelArn>,
    /// How the model is spoken to.
    pub family: ModelFamily,
    /// What the catalogue knows about it, if anything.
    pub model: Option<&'static Model>,
    /// The rule that decided `model_id`.
    pub rule: ModelRule,
}

impl Route<'_> {
    /// Which of Bedrock's APIs the channel wants for the model.
    #[must_use]
    pub fn api(&self) -> Api {
        let channel = &self.channel.channel;
        let mapped = channel
            .model_mapping
            .get(&self.requested)
            .unwrap_or(&self.requested);
        let names = [mapped, &self.requested, &self.model_id];
        let by_name = names.iter().find_map(|name| channel.model_apis.get(*name));
        by_name.copied().unwrap_or(channel.api)
    }

    /// How the model is served, as far as the channel and the id say.
    #[must_use]
    pub fn serving(&self) -> Serving {
        Serving {
            model: self.model,
            family: self.family,
            api: self.api(),
            is_invoke_only: self.is_invoke_only(),
        }
    }

    /// The same model through the inference profile of the region's geography: for channels that ask
    /// for it where the base model has no on-demand throughput. `None` when there is none, or the route
    /// calls something else than the base model.
    #[must_use]
    pub fn through_geo_profile(&self) -> Option<Self> {
        let channel = &self.channel.channel;
        let base = self.model.filter(|model| model.id == self.model_id)?;
        let model_id = base.id_in(&channel.region, CrossRegion::Geo);
        let is_another = channel.retry_with_inference_profile && model_id != self.model_id;
        is_another.then(|| Self {
            model_id,
            ..self.clone()
        })
    }

    /// Whether its channel has credentials that are valid at a time.
    #[must_use]
    pub fn is_valid(&self, now: SystemTime) -> bool {
        self.channel.channel.credentials.are_valid(now)
    }

    /// Whether the id is an ARN that does not say which model it serves.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.arn
            .as_ref()
            .is_some_and(|arn| arn.model_id().is_none())
    }

    /// Whether the id is of a kind that Converse does not serve.
    #[must_use]
    pub fn is_invoke_only(&self) -> bool {
        self.arn
            .as_ref()
            .is_some_and(|arn| arn.kind() == ResourceKind::ImportedModel)
    }
}

/// The rule that decided which model id is called, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelRule {
    /// The channel's `inference_profile_arn_map`.
    InferenceProfileArnMap,
    /// The catalogue knows the name as an alias or base model id.
    Catalog,
    /// The name already is a Bedrock model id, profile id or ARN.
    Verbatim,
}

/// Why no channel serves a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No enabled channel has the name.
    #[error("The model `{name}` does not exist or no channel serves it. {}", instead(.nearest))]
    NotFound {
        /// The name that the client sent.
        name: String,
        /// Names that are like it, and can be used.
        nearest: Vec<String>,
    },
    /// Channels serve the model, but AWS would refuse the credentials of each at the moment.
    #[error(
        "No channel that serves `{0}` has valid credentials at the moment, please retry. The gateway's \
         administrator finds the reason in the channel's `credential_status`."
    )]
    NoCredentials(String),
    /// A channel has the name, but nothing says which bodies the model takes.
    #[error(
        "The model family of `{0}` is not known. The gateway's administrator can name it in the \
         channel's `model_families`."
    )]
    UnknownFamily(String),
    /// A channel could call the model, but does not let clients ask for it.
    #[error(
        "No channel lets clients ask for `{name}`. GET /v1/models lists the names that can be used. \
         The gateway's administrator can map a name to this model, or set the channel's \
         `allow_model_ids` to `{allowed_by}`."
    )]
    NotAllowed {
        /// The name that the client sent.
        name: String,
        /// The value of `allow_model_ids` that would do.
        allowed_by: &'static str,
    },
}

/// What to do about a name that is not there.
fn instead(nearest: &[String]) -> String {
    let quoted: Vec<_> = nearest.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "GET /v1/models lists the names that can be used.".to_owned(),
        Some((only, [])) => format!("Did you mean {only}?"),
        Some((last, others)) => format!("Did you mean {} or {last}?", others.join(", ")),
    }
}

impl ResolveError {
    /// What the client is told.
    #[must_use]
    pub fn error(&self) -> Error {
        match self {
            Self::NoCredentials(_) => Error::server(
                StatusCode::SERVICE_UNAVAILABLE,
                "credentials_unavailable",
                self.to_string(),
            )
            .retry_after(RETRY_AFTER),
            _ => Error::model_not_found(self),
        }
    }
}

impl Routes {
    /// Finds the channel and the model for the name that a client sent.
    ///
    /// Channels are tried in the order of the configuration; those without valid credentials are passed
    /// over. Within a channel: `model_mapping`,
    /// then `inference_profile_arn_map` (the mapped name first, then the requested one), then the
    /// catalogue with the channel's cross-region policy, then the name itself.
    ///
    /// # Errors
    ///
    /// When no enabled channel serves the name, its family is not known, or there are no valid credentials
    /// for it.
    pub fn resolve(&self, requested: &str, now: SystemTime) -> Result<Route<'_>, ResolveError> {
        let first = self.candidates(requested).find(|route| route.is_valid(now));
        first.ok_or_else(|| self.why_not(requested))
    }

    /// The first channel that serves a name, with credentials or without: for those who only ask.
    ///
    /// # Errors
    ///
    /// When no enabled channel serves the name, or its family is not known.
    pub fn find(&self, requested: &str) -> Result<Route<'_>, ResolveError> {
        let first = self.enabled().find_map(|channel| channel.route(requested));
        first.ok_or_else(|| self.why_not(requested))
    }

    /// Every channel that serves a name and has credentials, be it that they have expired; in the order
    /// of the configuration.
    pub fn candidates<'r>(&'r self, requested: &str) -> impl Iterator<Item = Route<'r>> {
        self.ready()
            .filter_map(move |channel| channel.route(requested))
    }

    /// Whether an enabled channel serves a name, with credentials or without.
    #[must_use]
    pub fn serves(&self, requested: &str) -> bool {
        self.enabled().any(|own| own.route(requested).is_some())
    }

    /// Why [`Self::resolve`] finds nothing, when it does.
    #[must_use]
    pub fn why_not(&self, requested: &str) -> ResolveError {
        let name = requested.to_owned();
        let is_able =
            |own: &CompiledChannel| own.lists(requested) && own.target(requested).is_some();
        let is_open = |own: &CompiledChannel| own.admits(requested) && is_able(own);
        if self.serves(requested) {
            ResolveError::NoCredentials(name)
        } else if self.enabled().any(is_open) {
            ResolveError::UnknownFamily(name)
        } else if self.enabled().any(is_able) {
            let is_catalogued = is_catalogued(requested);
            let allowed_by = if is_catalogued { "catalogue" } else { "any" };
            ResolveError::NotAllowed { name, allowed_by }
        } else {
            ResolveError::NotFound {
                nearest: self.nearest(requested),
                name,
            }
        }
    }

    /// The names most like one that nobody serves.
    fn nearest(&self, requested: &str) -> Vec<String> {
        let near = nearest(requested, self.written_names());
        let served = near.filter(|name| self.serves(name));
        served.take(MOST_SUGGESTED).map(str::to_owned).collect()
    }

    /// Whether an enabled channel lets clients ask for a name, whether it can resolve it or not.
    #[must_use]
    pub fn is_admitted(&self, channel: &str, requested: &str) -> bool {
        self.enabled()
            .any(|own| own.channel.name == channel && own.admits(requested))
    }

    /// Where a request for a name goes on one channel; `None` when the channel does not serve it.
    #[must_use]
    pub fn route_on(&self, channel: &str, requested: &str) -> Option<Route<'_>> {
        self.enabled()
            .find(|own| own.channel.name == channel)?
            .route(requested)
    }
}

impl CompiledChannel {
    fn route(&self, requested: &str) -> Option<Route<'_>> {
        if !self.admits(requested) {
            return None;
        }
        self.target(requested)?.into_route(self, requested)
    }

    /// Whether clients may ask for a name: the administrator wrote it, or `allow_model_ids` covers it.
    fn admits(&self, requested: &str) -> bool {
        let channel = &self.channel;
        let is_written = || {
            !channel.models.is_empty()
                || channel.model_mapping.contains_key(requested)
                || channel.inference_profile_arn_map.contains_key(requested)
        };
        self.lists(requested)
            && match channel.allow_model_ids {
                ModelIds::Any => true,
                ModelIds::Catalogue => is_written() || is_catalogued(requested),
                ModelIds::None => is_written(),
            }
    }

    /// Whether the channel's list has a name; one without a list leaves that to `allow_model_ids`.
    fn lists(&self, requested: &str) -> bool {
        let models = &self.channel.models;
        models.is_empty() || models.iter().any(|model| model == requested)
    }

    fn mapped<'a>(&'a self, requested: &'a str) -> &'a str {
        self.channel
            .model_mapping
            .get(requested)
            .map_or(requested, String::as_str)
    }

    fn target(&self, requested: &str) -> Option<Target> {
        let mapped = self.mapped(requested);
        let arns = &self.channel.inference_profile_arn_map;
        if let Some(arn) = arns.get(mapped).or_else(|| arns.get(requested)) {
            return Some(Target {
                model_id: decode_once(arn),
                rule: ModelRule::InferenceProfileArnMap,
            });
        }
        let name = decode_once(mapped);
        if let Some(model) = catalog::find_base(&name) {
            let channel = &self.channel;
            return Some(Target {
                model_id: model.id_in(&channel.region, channel.cross_region),
                rule: ModelRule::Catalog,
            });
        }
        is_bedrock_id(&name).then_some(Target {
            model_id: name,
            rule: ModelRule::Verbatim,
        })
    }

    fn family_hint(&self, names: &[&str]) -> Option<ModelFamily> {
        names
            .iter()
            .find_map(|name| self.channel.model_families.get(*name))
            .copied()
    }
}

struct Target {
    model_id: String,
    rule: ModelRule,
}

impl Target {
    /// Adds model and family: what the id says, if the catalogue knows it, whatever name led to it; else the
    /// channel's hint, what the id looks like, and what the names say.
    fn into_route<'r>(self, channel: &'r CompiledChannel, requested: &str) -> Option<Route<'r>> {
        let mapped = decode_once(channel.mapped(requested));
        let arn = self.model_id.parse::<ModelArn>().ok();
        let spelled_out = arn.as_ref().and_then(ModelArn::model_id);
        let said = spelled_out.unwrap_or(&self.model_id);
        let names = [said, mapped.as_str(), requested];
        let certain = catalog::find(said);
        let model = names.iter().find_map(|name| catalog::find(name));
        let family = certain
            .and_then(|model| ModelFamily::of_model_id(model.id))
            .or_else(|| channel.family_hint(&[&mapped, requested, &self.model_id]))
            .or_else(|| names.iter().find_map(|name| ModelFamily::of_model_id(name)))
            .or_else(|| model.and_then(|model| ModelFamily::of_model_id(model.id)))?;
        Some(Route {
            channel,
            requested: requested.to_owned(),
            arn,
            model_id: self.model_id,
            family,
            model,
            rule: self.rule,
        })
    }
}

/// Undoes one percent-encoding, which some clients apply to ids and ARNs themselves.
fn decode_once(name: &str) -> String {
    percent_decode_str(name)
        .decode_utf8()
        .map_or_else(|_| name.to_owned(), std::borrow::Cow::into_owned)
}

/// Whether the catalogue knows a name as an alias, a model id or an inference profile id.
fn is_catalogued(name: &str) -> bool {
    catalog::find(&decode_once(name)).is_some()
}

/// Whether a name has the shape of `vendor.model` or of a model ARN.
///
/// Pattern of `modelId`: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.
fn is_bedrock_id(name: &str) -> bool {
    if name.starts_with("arn:") {
        return name.parse::<ModelArn>().is_ok();
    }
    let vendor_and_model = name
        .split_once('.')
        .is_some_and(|(vendor, model)| !vendor.is_empty() && !model.is_empty());
    vendor_and_model
        && ModelFamily::of_model_id(name).is_some()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
}

#[cfg(test)]
mod tests;
