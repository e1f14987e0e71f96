//! What an account has. Bedrock's control plane is asked on demand or at an interval, never in the data path, and its
//! answers are kept with their dates.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock.html>

mod advice;
mod ask;
mod control;
mod effect;
mod read;

use std::time::SystemTime;

use bedrock_filter::endpoint::Endpoint;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::channel::{self, Channel, Discovery, FoundProfile};
use advice::warnings;
pub(crate) use advice::{Offer, offers};
pub(crate) use ask::Asker;
pub(crate) use control::Access;
pub(crate) use effect::effective;

use crate::fault::Fault;

impl Discovery {
    /// Whether it is about what a channel calls: another region has other models.
    pub(crate) fn is_of(&self, channel: &Channel) -> bool {
        origin(channel).is_some_and(|origin| origin == self.origin) && channel.region == self.region
    }

    /// A profile by its ARN.
    pub(crate) fn profile(&self, arn: &str) -> Option<&FoundProfile> {
        self.profiles().find(|own| own.arn == arn)
    }

    /// Every profile that is known.
    fn profiles(&self) -> impl Iterator<Item = &FoundProfile> {
        let lists = [&self.system_profiles, &self.application_profiles];
        let listed = lists.into_iter().flatten().flat_map(|list| &list.found);
        listed.chain(&self.others)
    }

    /// The same, completed with what was known before.
    fn or(mut self, before: Option<Self>) -> Self {
        let Some(before) =
            before.filter(|own| own.origin == self.origin && own.region == self.region)
        else {
            return self;
        };
        self.models = self.models.or(before.models);
        self.system_profiles = self.system_profiles.or(before.system_profiles);
        self.application_profiles = self.application_profiles.or(before.application_profiles);
        if !self.problems.is_empty() {
            self.missing.extend(before.missing);
            self.missing.sort();
            self.missing.dedup();
        }
        for old in before.others {
            let is_known = self.profile(&old.arn).is_some() || self.missing.contains(&old.arn);
            if !is_known {
                self.others.push(old);
            }
        }
        self
    }
}

/// Everything suspicious in a channel, given what is known about its account.
pub(crate) fn judged(channel: &Channel, discovery: Option<&Discovery>) -> Vec<Fault> {
    let mut found = channel::warnings(&effective(channel, discovery));
    found.extend(warnings(channel, discovery));
    found
}

impl FoundProfile {
    /// The base model behind it. Profiles of several regions name it once for each.
    pub(crate) fn model(&self) -> Option<&str> {
        self.models.first().map(String::as_str)
    }
}

/// Where the control plane of a channel is: beside the runtime at AWS's own hosts, at the same place otherwise.
///
/// <https://docs.aws.amazon.com/general/latest/gr/bedrock.html>
pub(crate) fn origin(channel: &Channel) -> Option<String> {
    let own = channel.endpoint.as_deref().map(Endpoint::parse);
    if let Some(own) = own.transpose().ok()?
        && !own.is_aws()
    {
        return Some(own.to_string());
    }
    let region = &channel.region;
    let variant = if channel.fips {
        bedrock_filter::endpoint::HostVariant::Fips
    } else {
        bedrock_filter::endpoint::HostVariant::Standard
    };
    let runtime = Endpoint::of_region(region, variant).ok()?;
    Some(
        runtime
            .to_string()
            .replacen("bedrock-runtime", "bedrock", 1),
    )
}

/// A time as RFC 3339, to the second.
fn shown(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).truncate_to_second();
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests;
