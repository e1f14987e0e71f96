//! Warnings and offers that follow from what a channel's account has.

use bedrock_filter::catalog;
use bedrock_filter::config::escape_pointer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::channel::{Channel, Discovery};
use crate::fault::Fault;

/// A profile of the account that the channel does not map yet.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ProfileOffer)]
pub(crate) struct Offer {
    /// A name for it that the channel does not map yet.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What its owner calls it.
    pub profile: String,
    /// Ids of the base models behind it.
    pub models: Vec<String>,
}

/// What is suspicious; pointers are relative to the channel.
pub(crate) fn warnings(channel: &Channel, discovery: Option<&Discovery>) -> Vec<Fault> {
    let Some(found) = discovery.filter(|found| found.is_of(channel)) else {
        return Vec::new();
    };
    let map = &channel.inference_profile_arn_map;
    let faults = map.iter().filter_map(|(name, target)| {
        let (code, message) =
            missing(found, channel, target).or_else(|| other_model(found, name, target))?;
        let pointer = format!("/inference_profile_arn_map/{}", escape_pointer(name));
        Some(Fault::new(pointer, code, message))
    });
    faults.collect()
}

fn missing(found: &Discovery, channel: &Channel, target: &str) -> Option<(&'static str, String)> {
    found.lacks(channel, target).then(|| {
        let message = format!(
            "the account did not have this profile when it was asked at {}; requests for it will fail, unless it was \
             created since then or is shared by another account",
            found.asked_at
        );
        ("not_in_account", message)
    })
}

fn other_model(found: &Discovery, name: &str, target: &str) -> Option<(&'static str, String)> {
    let profile = found.profile(target)?;
    let meant = catalog::find(name)?;
    let behind = catalog::find(profile.model()?)?;
    (behind.id != meant.id).then(|| {
        let message = format!(
            "`{name}` is a name for {}, but the profile serves {}; requests are written for the latter, with its \
             limits and parameters",
            meant.id, behind.id
        );
        ("other_model", message)
    })
}

/// The account's own profiles that the channel does not map, each with a name that is free.
pub(crate) fn offers(channel: &Channel, discovery: &Discovery) -> Vec<Offer> {
    let map = &channel.inference_profile_arn_map;
    let all = discovery
        .application_profiles
        .iter()
        .flat_map(|list| &list.found);
    let mut offers: Vec<Offer> = Vec::new();
    for profile in all.filter(|own| own.active && !map.values().any(|arn| *arn == own.arn)) {
        let is_free =
            |name: &str| !map.contains_key(name) && !offers.iter().any(|offer| offer.name == name);
        let model = profile.model().and_then(catalog::find);
        let alias = model.map(|own| own.aliases.first().copied().unwrap_or(own.id));
        let own = slug(&profile.name);
        let names = [
            alias.map(str::to_owned),
            Some(own.clone()),
            Some(format!("{own}-{}", profile.id)),
        ];
        let name = names
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty() && is_free(name));
        let offer = Offer {
            name: name.unwrap_or_else(|| profile.id.clone()),
            arn: profile.arn.clone(),
            profile: profile.name.clone(),
            models: profile.models.clone(),
        };
        offers.push(offer);
    }
    offers
}

/// A name that clients can send.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}
