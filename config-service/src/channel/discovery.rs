//! What a channel's account has, as far as it has reported.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is known of an account's models and inference profiles.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct Discovery {
    /// When the account was last asked, successfully or not.
    #[schema(format = DateTime)]
    pub asked_at: String,
    /// The region that was asked.
    pub region: String,
    /// The origin that was asked.
    pub origin: String,
    /// The base models of the region.
    #[schema(required)]
    pub models: Option<FoundModels>,
    /// The inference profiles that AWS defines.
    #[schema(required)]
    pub system_profiles: Option<FoundProfiles>,
    /// The inference profiles that the account created itself.
    #[schema(required)]
    pub application_profiles: Option<FoundProfiles>,
    /// Mapped profiles that are in neither list, asked for one by one.
    pub others: Vec<FoundProfile>,
    /// Mapped profiles that AWS says do not exist.
    pub missing: Vec<String>,
    /// What could not be found out this time. What was known before stays, with its date.
    pub problems: Vec<Trouble>,
    /// When it was asked last, in seconds since the epoch.
    #[serde(skip)]
    pub asked: u64,
}

/// The base models of a region.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = DiscoveredModels)]
pub struct FoundModels {
    /// When the list was last complete.
    #[schema(format = DateTime)]
    pub asked_at: String,
    /// All of them.
    pub found: Vec<FoundModel>,
}

/// A base model.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = DiscoveredModel)]
pub struct FoundModel {
    /// Its id.
    pub id: String,
    /// What AWS calls it.
    pub name: String,
    /// Whose it is.
    pub vendor: String,
    /// Whether it answers with text.
    pub text: bool,
    /// Whether the id can be called without an inference profile.
    pub on_demand: bool,
    /// Whether AWS is about to withdraw it.
    pub legacy: bool,
    /// When it will be gone, if AWS has said.
    #[schema(format = DateTime, required)]
    pub end_of_life: Option<String>,
}

/// Inference profiles.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = DiscoveredProfiles)]
pub struct FoundProfiles {
    /// When the list was last complete.
    #[schema(format = DateTime)]
    pub asked_at: String,
    /// All of them.
    pub found: Vec<FoundProfile>,
}

/// An inference profile.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = DiscoveredProfile)]
pub struct FoundProfile {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// What its owner calls it.
    pub name: String,
    /// Whether it can be called.
    pub active: bool,
    /// Ids of the base models behind it.
    pub models: Vec<String>,
}

/// What could not be found out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = DiscoveryProblem)]
pub struct Trouble {
    /// The operation of AWS's that failed.
    pub operation: String,
    /// AWS's name for the error, or `unanswered`, `unreadable` or `incomplete`.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    #[schema(required)]
    pub remedy: Option<String>,
}
