//! What a channel becomes with what is known about its account.

use std::collections::BTreeSet;

use bedrock_filter::catalog::{self, ModelFamily};
use bedrock_filter::config::ModelsMode;

use super::ask::is_profile;
use super::origin;
use crate::channel::{Channel, Discovery, FoundProfile};

/// The channel as the filter gets it: its names are those of the account if it asks for that, and opaque ARNs have
/// a family. It no longer says `fallback`.
pub(crate) fn effective(channel: &Channel, discovery: Option<&Discovery>) -> Channel {
    let mut own = channel.clone();
    own.models_mode = channel
        .models_mode
        .filter(|mode| *mode == ModelsMode::Allowlist);
    let Some(found) = discovery.filter(|found| found.is_of(channel)) else {
        return own;
    };
    if channel.models_mode == Some(ModelsMode::Fallback)
        && let Some(names) = found.names(channel)
    {
        own.models = names;
    }
    for (name, arn) in &channel.inference_profile_arn_map {
        if let Some(profile) = found.profile(arn) {
            tell(&mut own, name, profile);
        }
    }
    own
}

/// Adds which model is behind a mapped profile, unless the channel says so itself.
fn tell(own: &mut Channel, name: &str, profile: &FoundProfile) {
    let Some(base) = profile.model().filter(|_| !profile.says_its_model()) else {
        return;
    };
    let is_told = [name, &profile.arn]
        .iter()
        .any(|own_name| own.model_families.contains_key(*own_name));
    if let Some(family) = ModelFamily::of_model_id(base).filter(|_| !is_told) {
        own.model_families.insert(profile.arn.clone(), family);
    }
    // Mapped to the model's own name, the profile gets what the catalogue knows about the model.
    let meant = catalog::find(name).map(|model| model.id);
    let is_reached = own.models.is_empty() || own.models.iter().any(|model| model == name);
    if let Some(model) = catalog::find(base)
        && !is_told
        && is_reached
        && meant != Some(model.id)
        && !own.model_mapping.contains_key(name)
        && !own.inference_profile_arn_map.contains_key(model.id)
    {
        own.model_mapping
            .insert(name.to_owned(), model.id.to_owned());
    }
}

impl FoundProfile {
    /// Whether the id names the model, as those of AWS's profiles do.
    fn says_its_model(&self) -> bool {
        ModelFamily::of_model_id(&self.id).is_some()
    }
}

impl Discovery {
    /// The names that the account serves on a channel, sorted; `None` when it did not report everything, or has
    /// nothing.
    pub(crate) fn names(&self, channel: &Channel) -> Option<Vec<String>> {
        let ids = self.callable()?;
        let mut names: BTreeSet<String> = channel.mapped_names().cloned().collect();
        let mut found = BTreeSet::new();
        for model in catalog::models() {
            if ids.contains(model.id_in(&channel.region, channel.cross_region).as_str()) {
                found.extend(model.aliases.iter().map(|alias| (*alias).to_owned()));
                found.insert(model.id.to_owned());
            }
        }
        let others = ids.iter().filter(|id| catalog::find_base(id).is_none());
        let others = others.filter(|id| ModelFamily::of_model_id(id).is_some());
        found.extend(others.map(|id| (*id).to_owned()));
        if found.is_empty() {
            return None;
        }
        names.extend(found);
        Some(names.into_iter().collect())
    }

    /// Ids that can be called: of models that answer with text, on demand or through a profile of AWS's.
    fn callable(&self) -> Option<BTreeSet<&str>> {
        let (models, profiles) = (self.models.as_ref()?, self.system_profiles.as_ref()?);
        let is_text = |id: &str| models.found.iter().any(|own| own.text && own.id == id);
        let direct = models.found.iter().filter(|own| own.text && own.on_demand);
        let direct = direct.map(|own| own.id.as_str());
        let through = profiles.found.iter();
        let through = through.filter(|own| own.active && own.model().is_some_and(is_text));
        Some(direct.chain(through.map(|own| own.id.as_str())).collect())
    }

    /// Whether it says which profiles there are in a channel's region.
    pub(super) fn knows_profiles(&self, channel: &Channel) -> bool {
        let is_complete = self.system_profiles.is_some() && self.application_profiles.is_some();
        is_complete && origin(channel).is_some_and(|origin| origin == self.origin)
    }

    /// Whether the account does not have a mapped profile, as far as it has reported.
    pub(super) fn lacks(&self, channel: &Channel, target: &str) -> bool {
        is_profile(target, &channel.region)
            && self.profile(target).is_none()
            && (self.missing.iter().any(|own| own == target)
                || (self.knows_profiles(channel) && self.problems.is_empty()))
    }
}
