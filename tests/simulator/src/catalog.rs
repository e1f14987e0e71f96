//! Which model an id, an inference profile or an ARN refers to.

mod account;
mod arn;
mod geo;
mod models;

use std::collections::BTreeMap;

pub(crate) use self::account::Profile;
use self::arn::{Arn, Resource};
pub(crate) use self::models::Apis;
use self::models::{MODELS, Route};
use crate::error::AwsError;
use crate::family::{Family, claude};
use crate::signature::Caller;

/// `modelId` may have this many characters:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.
const MAX_ID: usize = 2048;
const DEFAULT_PROFILE_MODEL: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
/// The limit for models that were added without one.
const DEFAULT_MAX_TOKENS: u64 = 64_000;
const CLAUDE: &str = "image pdf tools schema";
/// The abilities of models that a test added.
const EVERYTHING: &str = "image pdf audio video tools schema";

/// A model that the simulator serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    /// Base model id.
    pub(crate) id: String,
    pub(crate) family: Family,
    /// The most tokens that may be requested.
    pub(crate) max_tokens: u64,
    pub(crate) apis: Apis,
    /// What it accepts besides text, and its abilities; see `models::Row`.
    can: &'static str,
    throughput: Throughput,
    /// Prefixes of its cross-region inference profiles.
    geos: Vec<&'static str>,
}

/// Whether the base id itself can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Throughput {
    OnDemand,
    ProfileOnly,
}

/// Every model and every profile that the simulator knows.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    models: BTreeMap<String, Model>,
    /// ARN to base model id.
    profiles: BTreeMap<String, String>,
    /// The most that a page of a list has, whatever the caller asks for.
    page_size: usize,
}

impl Model {
    /// Whether it has an ability: `image`, `tools`, …
    pub(crate) fn can(&self, what: &str) -> bool {
        self.can.split(' ').any(|known| known == what)
    }
}

impl Default for Catalog {
    fn default() -> Self {
        let anthropic = claude::MODELS.iter().map(|row| Model {
            id: row.id.to_owned(),
            family: Family::Claude,
            max_tokens: row.max_tokens,
            apis: Apis::Both,
            can: CLAUDE,
            throughput: match row.on_demand {
                true => Throughput::OnDemand,
                false => Throughput::ProfileOnly,
            },
            geos: split(row.geos),
        });
        let others = MODELS.iter().map(|row| Model {
            id: row.id.to_owned(),
            family: row.family,
            max_tokens: row.max_tokens,
            apis: row.apis,
            can: row.can,
            throughput: match row.route {
                Route::Direct => Throughput::OnDemand,
                Route::Profiles => Throughput::ProfileOnly,
            },
            geos: split(row.geos),
        });
        let models = anthropic.chain(others);
        Self {
            models: models.map(|model| (model.id.clone(), model)).collect(),
            profiles: BTreeMap::new(),
            page_size: usize::MAX,
        }
    }
}

fn split(geos: &'static str) -> Vec<&'static str> {
    geos.split(' ').filter(|geo| !geo.is_empty()).collect()
}

impl Catalog {
    pub(crate) fn set_profile_only(&mut self, id: &str) {
        self.entry(id).throughput = Throughput::ProfileOnly;
    }

    pub(crate) fn set_on_demand(&mut self, id: &str) {
        self.entry(id).throughput = Throughput::OnDemand;
    }

    pub(crate) fn set_profile(&mut self, arn: &str, id: &str) {
        self.entry(id);
        self.profiles.insert(arn.to_owned(), id.to_owned());
    }

    pub(crate) fn set_page_size(&mut self, size: usize) {
        self.page_size = size.max(1);
    }

    /// Takes a model away, as an account without access to it sees it.
    pub(crate) fn remove(&mut self, id: &str) {
        self.models.remove(id);
    }

    /// A caller's own model, which only InvokeModel serves.
    pub(crate) fn set_own(&mut self, arn: &str, family: Family) {
        let model = self.entry(arn);
        model.family = family;
        model.apis = Apis::Invoke;
        self.profiles.insert(arn.to_owned(), arn.to_owned());
    }

    fn entry(&mut self, id: &str) -> &mut Model {
        self.models.entry(id.to_owned()).or_insert_with(|| Model {
            id: id.to_owned(),
            family: Family::of_id(id),
            max_tokens: DEFAULT_MAX_TOKENS,
            apis: Apis::Both,
            can: EVERYTHING,
            throughput: Throughput::OnDemand,
            geos: geo::ALL.to_vec(),
        })
    }

    /// The model that `sent`, the decoded path segment, refers to.
    ///
    /// # Errors
    /// `ValidationException` when it refers to none here, or only to an inference
    /// profile; `AccessDeniedException` for another account's ARN.
    pub(crate) fn resolve(&self, sent: &str, caller: &Caller) -> Result<&Model, AwsError> {
        if sent.is_empty() || sent.len() > MAX_ID {
            return Err(unknown());
        }
        if !sent.starts_with("arn:") {
            return self.resolve_id(sent, sent, &caller.region);
        }
        let arn = Arn::parse(sent).ok_or_else(unknown)?;
        if !arn.is_in(&caller.region) {
            return Err(unknown());
        }
        check_account(&arn, sent, caller)?;
        match arn.resource {
            Resource::Model(id) => self.resolve_id(id, sent, &caller.region),
            Resource::Opaque => {
                let id = self
                    .profiles
                    .get(sent)
                    .map_or(DEFAULT_PROFILE_MODEL, String::as_str);
                self.models.get(id).ok_or_else(unknown)
            }
        }
    }

    /// The model whose tokens are counted: by its base id alone.
    ///
    /// # Errors
    /// `ValidationException` for a profile, and for models that have no counter.
    pub(crate) fn counted(&self, sent: &str) -> Result<&Model, AwsError> {
        let model = self.models.get(sent);
        let model =
            model.filter(|model| model.family == Family::Claude && claude::counts(&model.id));
        model.ok_or_else(|| {
            AwsError::validation("The provided model doesn't support counting tokens.")
        })
    }

    fn resolve_id(&self, id: &str, sent: &str, region: &str) -> Result<&Model, AwsError> {
        if let Some(model) = self.models.get(id) {
            return match model.throughput {
                Throughput::OnDemand => Ok(model),
                Throughput::ProfileOnly => Err(AwsError::validation(format!(
                    "Invocation of model ID {sent} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model."
                ))),
            };
        }
        let (prefix, base) = id.split_once('.').ok_or_else(unknown)?;
        let model = self.models.get(base).ok_or_else(unknown)?;
        match model.geos.contains(&prefix) && geo::serves(prefix, region) {
            true => Ok(model),
            false => Err(unknown()),
        }
    }
}

fn check_account(arn: &Arn<'_>, sent: &str, caller: &Caller) -> Result<(), AwsError> {
    let own = caller
        .key
        .as_ref()
        .and_then(|key| key.account_id.as_deref());
    match own {
        Some(own) if !arn.account.is_empty() && arn.account != own => {
            Err(AwsError::access_denied(format!(
                "User: arn:aws:iam::{own}:user/simulated is not authorized to perform: bedrock:InvokeModel on resource: {sent} because no resource-based policy allows the bedrock:InvokeModel action"
            )))
        }
        _ => Ok(()),
    }
}

fn unknown() -> AwsError {
    AwsError::validation("The provided model identifier is invalid.")
}

#[cfg(test)]
mod tests;
