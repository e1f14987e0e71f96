//! What the control plane's answers say. Whatever has no id, or an odd one, is skipped: it must not get into a
//! configuration.

use bedrock_filter::arn::ModelArn;
use serde::Deserialize;
use serde_json::Value;

use crate::channel::{FoundModel, FoundProfile};

/// Longest id that is accepted, in bytes.
const MAX_ID_LEN: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Summary {
    model_id: String,
    model_name: String,
    provider_name: String,
    output_modalities: Vec<String>,
    inference_types_supported: Vec<String>,
    model_lifecycle: Lifecycle,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lifecycle {
    status: String,
    end_of_life_time: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProfileSummary {
    inference_profile_name: String,
    inference_profile_arn: String,
    inference_profile_id: String,
    status: String,
    models: Vec<ProfileModel>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProfileModel {
    model_arn: String,
}

/// The items of a list; `None` where the answer has none of this name.
pub(super) fn items<'a>(body: &'a Value, list: &str) -> Option<&'a Vec<Value>> {
    body.get(list)?.as_array()
}

/// A base model.
pub(super) fn model(item: &Value) -> Option<FoundModel> {
    let own = Summary::deserialize(item).ok()?;
    let says = |list: &[String], word: &str| list.iter().any(|own| own == word);
    is_id(&own.model_id).then(|| FoundModel {
        text: says(&own.output_modalities, "TEXT"),
        on_demand: says(&own.inference_types_supported, "ON_DEMAND"),
        legacy: own.model_lifecycle.status == "LEGACY",
        end_of_life: own.model_lifecycle.end_of_life_time,
        id: own.model_id,
        name: own.model_name,
        vendor: own.provider_name,
    })
}

/// An inference profile.
pub(super) fn profile(item: &Value) -> Option<FoundProfile> {
    let own = ProfileSummary::deserialize(item).ok()?;
    let is_arn = own.inference_profile_arn.parse::<ModelArn>().is_ok();
    (is_id(&own.inference_profile_id) && is_arn).then(|| {
        let mut models: Vec<String> = own.models.iter().filter_map(base_model).collect();
        models.sort();
        models.dedup();
        FoundProfile {
            id: own.inference_profile_id,
            arn: own.inference_profile_arn,
            name: own.inference_profile_name,
            active: own.status == "ACTIVE",
            models,
        }
    })
}

fn base_model(own: &ProfileModel) -> Option<String> {
    let arn = own.model_arn.parse::<ModelArn>().ok()?;
    arn.model_id().filter(|id| is_id(id)).map(str::to_owned)
}

fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte);
    (1..=MAX_ID_LEN).contains(&text.len()) && text.bytes().all(fits)
}
