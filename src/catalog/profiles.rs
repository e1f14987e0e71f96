//! System-defined cross-region inference profiles: `<prefix>.<base model id>`.
//!
//! Prefixes and source regions: <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>.

use serde::{Deserialize, Serialize};

/// Policy for system-defined cross-region inference profiles.
///
/// See <https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossRegion {
    /// Call the base model in the channel's region.
    Off,
    /// Use the profile of the region's own geography (`us.`, `eu.`, `apac.`, …) where the model has
    /// one; data stays in the geography.
    #[default]
    Geo,
    /// Prefer the `global.` profile, then the geographical one.
    Global,
}

/// Every prefix that AWS uses.
const PREFIXES: &[&str] = &[
    "us", "us-gov", "eu", "apac", "jp", "au", "ca", "in", "global",
];

/// Geographical prefixes by region pattern; the first match wins. Within a row, the prefix that keeps data closest
/// comes first. A pattern that ends in `-` matches every region that starts with it.
const GEOGRAPHIES: &[(&str, &[&str])] = &[
    ("us-gov-", &["us-gov"]),
    ("us-", &["us"]),
    ("ca-", &["ca", "us"]),
    ("eu-", &["eu"]),
    ("il-", &["eu"]),
    ("ap-northeast-1", &["jp", "apac"]),
    ("ap-northeast-3", &["jp", "apac"]),
    ("ap-southeast-2", &["au", "apac"]),
    ("ap-southeast-4", &["au", "apac"]),
    ("ap-southeast-6", &["au", "apac"]),
    ("ap-south-", &["in", "apac"]),
    ("ap-", &["apac"]),
];

/// Partitions whose regions cannot be the source of `global.` profiles.
const NOT_GLOBAL: &[&str] = &["us-gov-", "cn-", "us-iso", "eu-iso", "eusc-"];

/// Prefixes to try in `region`, best first.
pub(super) fn prefixes(region: &str, policy: CrossRegion) -> Vec<&'static str> {
    let global = (policy == CrossRegion::Global
        && !NOT_GLOBAL.iter().any(|start| region.starts_with(start)))
    .then_some("global");
    let geographic = match policy {
        CrossRegion::Off => &[],
        CrossRegion::Geo | CrossRegion::Global => geography(region),
    };
    global
        .into_iter()
        .chain(geographic.iter().copied())
        .collect()
}

fn geography(region: &str) -> &'static [&'static str] {
    GEOGRAPHIES
        .iter()
        .find(|(pattern, _)| match pattern.strip_suffix('-') {
            Some(_) => region.starts_with(pattern),
            None => region == *pattern,
        })
        .map_or(&[], |(_, prefixes)| prefixes)
}

/// Whether the profiles with a prefix can be called from `region`, as far as the tables say.
#[must_use]
pub fn is_profile_of(prefix: &str, region: &str) -> bool {
    if prefix == "global" {
        return !NOT_GLOBAL.iter().any(|start| region.starts_with(start));
    }
    let own = geography(region);
    own.is_empty() || own.contains(&prefix)
}

/// Splits an inference profile id into its prefix and the base model id.
#[must_use]
pub fn split_profile(id: &str) -> Option<(&str, &str)> {
    id.split_once('.')
        .filter(|(prefix, base)| PREFIXES.contains(prefix) && base.contains('.'))
}

/// The base model id of an inference profile id; any other id is returned unchanged.
#[must_use]
pub fn strip_profile(id: &str) -> &str {
    split_profile(id).map_or(id, |(_, base)| base)
}
