//! From a requested name to a channel, a model id and a family.

use std::borrow::Cow;
use std::time::SystemTime;

use super::foreign::{Name, Names, decode_once, is_bedrock_id};
use super::index::Position;
use super::refusal::ResolveError;
use super::{CompiledChannel, Routes};
use crate::arn::{ModelArn, ResourceKind};
use crate::bedrock::Serving;
use crate::catalog::CrossRegion;
use crate::catalog::ModelFamily;
use crate::catalog::{self, Model, strip_profile};
use crate::config::{Api, ModelIds};

/// Most names that are suggested in place of one that no channel serves.
const MAX_SUGGESTED: usize = 3;

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
    /// The family of the model.
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
        let by_name = self.channel.api_of(&self.requested, &self.model_id);
        by_name.unwrap_or(self.channel.channel.api)
    }

    /// The key of `inference_profile_arn_map` that decided, if that did: it need not be the name itself.
    #[must_use]
    pub fn arn_key(&self) -> Option<&str> {
        let entry = self.channel.arn_entry(&self.requested);
        entry.map(|(key, _)| key.as_str())
    }

    /// How the model is served, as far as the channel and the id tell.
    #[must_use]
    pub fn serving(&self) -> Serving {
        Serving {
            model: self.model,
            family: self.family,
            api: self.api(),
            is_invoke_only: self.is_invoke_only(),
        }
    }

    /// The same model through the inference profile of the region's geography: for channels that want one where the
    /// base model has no on-demand throughput. `None` if there is none, or if the route does not call the base model.
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

    /// Whether its channel has credentials that are valid at this time.
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

/// The rule that decided which model id is called, in the order in which the rules are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelRule {
    /// The channel's `inference_profile_arn_map`.
    InferenceProfileArnMap,
    /// The catalogue knows the name as an alias or base model id.
    Catalog,
    /// The name already is a Bedrock model id, profile id or ARN.
    Verbatim,
}

impl Routes {
    /// Finds the channel and the model for the name that a client sent.
    ///
    /// Names that clients bring from elsewhere (`bedrock/…`, `…[1m]`, a date) lead where the name without that
    /// does.
    ///
    /// Channels are tried in the order of the configuration; those without valid credentials are passed
    /// over. Within a channel: `model_mapping`, then `inference_profile_arn_map` (the mapped name first, then the
    /// requested one, then, where names match by model, a key that names the same model), then the catalogue with
    /// the channel's cross-region policy, then the name itself.
    ///
    /// # Errors
    ///
    /// When no enabled channel serves the name, its family is unknown, or there are no valid credentials for it.
    pub fn resolve(&self, requested: &str, now: SystemTime) -> Result<Route<'_>, ResolveError> {
        let first = self.candidates(requested).find(|route| route.is_valid(now));
        first.ok_or_else(|| self.why_not(requested))
    }

    /// The first channel that serves a name, with or without credentials: for callers that send no request.
    ///
    /// # Errors
    ///
    /// When no enabled channel serves the name, or its family is unknown.
    pub fn find(&self, requested: &str) -> Result<Route<'_>, ResolveError> {
        let first = self.routes_of(requested).next();
        first.ok_or_else(|| self.why_not(requested))
    }

    /// Every channel that serves a name and has credentials, even expired ones; in the order of the configuration.
    pub fn candidates<'r>(&'r self, requested: &str) -> impl Iterator<Item = Route<'r>> {
        self.routes_of(requested)
            .filter(|route| route.channel.is_ready())
    }

    /// Whether an enabled channel serves a name, with or without credentials.
    #[must_use]
    pub fn serves(&self, requested: &str) -> bool {
        self.routes_of(requested).next().is_some()
    }

    /// Where a name leads on each enabled channel that serves it; in the order of the configuration.
    pub(super) fn routes_of<'r>(&'r self, requested: &str) -> impl Iterator<Item = Route<'r>> {
        let names = Names::of(requested);
        let positions = self.index.admitting(&names);
        positions.filter_map(move |position| self.at(position)?.route(&names))
    }

    fn at(&self, position: Position) -> Option<&CompiledChannel> {
        self.channels.get(position as usize)
    }

    /// An enabled channel, by its own name.
    fn named(&self, channel: &str) -> Option<&CompiledChannel> {
        let own = self.by_name(channel);
        own.filter(|own| own.channel.enabled)
    }

    /// Why [`Self::resolve`] finds nothing, if it does not.
    #[must_use]
    pub fn why_not(&self, requested: &str) -> ResolveError {
        let name = requested.to_owned();
        if self.serves(requested) {
            return ResolveError::NoCredentials(name);
        }
        let asked = Name::new(requested);
        let knowing = self.index.knowing(&asked);
        let mut able = knowing
            .filter_map(|position| self.at(position))
            .filter(|own| own.lists(requested) && own.target(&asked).is_some())
            .peekable();
        if able.peek().is_none() {
            return ResolveError::NotFound {
                nearest: self.nearest(requested),
                name,
            };
        }
        if able.any(|own| own.admits(&asked)) {
            return ResolveError::UnknownFamily(name);
        }
        let allowed_by = if asked.is_catalogued() {
            "catalogue"
        } else {
            "any"
        };
        ResolveError::NotAllowed { name, allowed_by }
    }

    /// The names most similar to one that no channel serves.
    fn nearest(&self, requested: &str) -> Vec<String> {
        let near = self.suggestions().nearest(requested);
        let served = near.filter(|name| self.serves(name));
        served.take(MAX_SUGGESTED).map(str::to_owned).collect()
    }

    /// Whether an enabled channel lets clients ask for a name, whether or not it can resolve it.
    #[must_use]
    pub fn is_admitted(&self, channel: &str, requested: &str) -> bool {
        self.named(channel)
            .is_some_and(|own| own.admits(&Name::new(requested)))
    }

    /// Where a request for a name goes on one channel; `None` when the channel does not serve it.
    #[must_use]
    pub fn route_on(&self, channel: &str, requested: &str) -> Option<Route<'_>> {
        self.named(channel)?.route(&Names::of(requested))
    }
}

impl CompiledChannel {
    /// Where a name leads: what the administrator wrote comes first, under the client's own name or under the one
    /// that it stands for; then the name itself, then what it stands for.
    fn route(&self, names: &Names<'_>) -> Option<Route<'_>> {
        if let [only] = names.all.as_slice() {
            return self.route_of(only);
        }
        let own = names.all.iter().take(names.written);
        let written = own.filter(|name| self.channel.maps(name.text));
        written
            .chain(&names.all)
            .find_map(|name| self.route_of(name))
    }

    fn route_of(&self, name: &Name<'_>) -> Option<Route<'_>> {
        if !self.admits(name) {
            return None;
        }
        self.target(name)?.into_route(self, name)
    }

    /// Whether clients may ask for a name: the administrator configured it, or `allow_model_ids` covers it.
    fn admits(&self, name: &Name<'_>) -> bool {
        let channel = &self.channel;
        let is_written = || !channel.models.is_empty() || self.channel.maps(name.text);
        self.lists(name.text)
            && match channel.allow_model_ids {
                ModelIds::Any => true,
                ModelIds::Catalogue => is_written() || name.is_catalogued(),
                ModelIds::None => is_written(),
            }
    }

    /// Whether the channel's list contains a name; a channel without a list leaves that to `allow_model_ids`.
    fn lists(&self, requested: &str) -> bool {
        let models = &self.channel.models;
        models.is_empty() || models.iter().any(|model| model == requested)
    }

    pub(super) fn mapped<'a>(&'a self, requested: &'a str) -> &'a str {
        self.channel
            .model_mapping
            .get(requested)
            .map_or(requested, String::as_str)
    }

    fn target<'n>(&'n self, name: &Name<'n>) -> Option<Target<'n>> {
        let mapped = self.mapped(name.text);
        if let Some((_, arn)) = self.arn_entry(name.text) {
            return Some(Target {
                mapped,
                model_id: decode_once(arn),
                rule: ModelRule::InferenceProfileArnMap,
                called: None,
            });
        }
        let decoded = decode_once(mapped);
        if let Some(model) = catalog::find_base(&decoded) {
            let channel = &self.channel;
            return Some(Target {
                mapped,
                model_id: model.id_in(&channel.region, channel.cross_region).into(),
                rule: ModelRule::Catalog,
                called: Some(model),
            });
        }
        is_bedrock_id(&decoded).then_some(Target {
            mapped,
            model_id: decoded,
            rule: ModelRule::Verbatim,
            called: None,
        })
    }
}

/// What a name leads to on a channel.
struct Target<'n> {
    /// The name that `model_mapping` makes of it.
    mapped: &'n str,
    model_id: Cow<'n, str>,
    rule: ModelRule,
    /// The model that is called, if it had to be looked up.
    called: Option<&'static Model>,
}

impl Target<'_> {
    /// Adds model and family: from the id, if it is in the catalogue, whatever name led to it; else from the
    /// channel's hint, the shape of the id, and the names.
    fn into_route<'r>(self, channel: &'r CompiledChannel, name: &Name<'_>) -> Option<Route<'r>> {
        let requested = name.text;
        let mapped = decode_once(self.mapped);
        let arn = self.model_id.parse::<ModelArn>().ok();
        let spelled_out = arn.as_ref().and_then(ModelArn::model_id);
        let called = spelled_out.unwrap_or(&self.model_id);
        let names = [called, &mapped, requested];
        let is_opaque = arn.is_some() && spelled_out.is_none();
        // No model has an ARN for a name.
        let find = || (!is_opaque).then(|| catalog::find(called)).flatten();
        let certain = self.called.or_else(find);
        let mut others = names.iter().skip(1);
        let mut named = || others.find_map(|name| catalog::find(name));
        // An id that is not in the catalogue is another model than the one that the names mean, or a variant of it.
        let is_meant = |model: &&Model| is_opaque || strip_profile(called).starts_with(model.id);
        let model = certain.or_else(|| named().filter(is_meant));
        let family = certain
            .map(|model| model.family)
            .or_else(|| channel.family_hint(requested, &self.model_id))
            .or_else(|| names.iter().find_map(|name| ModelFamily::of_model_id(name)))
            .or_else(|| model.map(|model| model.family))?;
        // If a hint names another family, what is known of the named model does not hold.
        let is_of_family =
            |model: &&Model| family == model.family || family == ModelFamily::Converse;
        let model = model.filter(|model| certain.is_some() || is_of_family(model));
        Some(Route {
            channel,
            requested: requested.to_owned(),
            arn,
            model_id: self.model_id.into_owned(),
            family,
            model,
            rule: self.rule,
        })
    }
}

#[cfg(test)]
mod indexed;
#[cfg(test)]
mod tests;
