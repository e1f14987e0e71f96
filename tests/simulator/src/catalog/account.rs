//! What the control plane says about models and profiles.

use serde_json::{Value, json};

use super::arn::Arn;
use super::{Catalog, Model, Throughput, geo};

/// Models that cannot chat but are listed among the others.
const OTHERS: [(&str, &str); 2] = [
    ("amazon.titan-embed-text-v2:0", "EMBEDDING"),
    ("amazon.nova-canvas-v1:0", "IMAGE"),
];

/// An inference profile.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) arn: String,
    name: String,
    /// ARNs of its models.
    models: Vec<String>,
    application: bool,
}

impl Profile {
    /// As AWS writes it, in a list and alone.
    pub(crate) fn json(&self) -> Value {
        let models = self.models.iter().map(|arn| json!({"modelArn": arn}));
        json!({
            "inferenceProfileName": self.name,
            "createdAt": "2025-06-01T00:00:00Z",
            "updatedAt": "2025-06-01T00:00:00Z",
            "inferenceProfileArn": self.arn,
            "models": models.collect::<Vec<_>>(),
            "inferenceProfileId": self.id,
            "status": "ACTIVE",
            "type": if self.application { "APPLICATION" } else { "SYSTEM_DEFINED" },
        })
    }
}

impl Catalog {
    pub(crate) fn page_size(&self) -> usize {
        self.page_size
    }

    /// Every model of a region.
    pub(crate) fn summaries(&self, region: &str) -> Vec<Value> {
        let chat = self
            .models
            .values()
            .filter(|model| !model.id.starts_with("arn:"));
        let chat = chat.map(|model| {
            let throughput = match model.throughput {
                Throughput::OnDemand => "ON_DEMAND",
                Throughput::ProfileOnly => "INFERENCE_PROFILE",
            };
            let mut input = vec!["TEXT"];
            input.extend(model.can("image").then_some("IMAGE"));
            summary(region, &model.id, (&input, "TEXT"), throughput)
        });
        let others = OTHERS.iter();
        let others =
            others.map(|(id, output)| summary(region, id, (&["TEXT"], output), "ON_DEMAND"));
        chat.chain(others).collect()
    }

    /// The profiles of an account in a region: those that AWS defines, or those that it made itself.
    pub(crate) fn profiles_of(
        &self,
        application: bool,
        region: &str,
        account: &str,
    ) -> Vec<Profile> {
        if application {
            let own = self.profiles.iter();
            let own =
                own.filter_map(|(arn, model)| application_profile(arn, model, region, account));
            return own.collect();
        }
        let models = self.models.values();
        models
            .flat_map(|model| system_profiles(model, region, account))
            .collect()
    }
}

fn application_profile(arn: &str, model: &str, region: &str, account: &str) -> Option<Profile> {
    let (_, id) = arn.split_once(":application-inference-profile/")?;
    let parsed = Arn::parse(arn)?;
    (parsed.is_in(region) && parsed.account == account).then(|| Profile {
        id: id.to_owned(),
        arn: arn.to_owned(),
        name: format!("team {id}"),
        models: vec![model_arn(region, model)],
        application: true,
    })
}

fn system_profiles<'a>(
    model: &'a Model,
    region: &'a str,
    account: &'a str,
) -> impl Iterator<Item = Profile> + 'a {
    let geos = model
        .geos
        .iter()
        .filter(|prefix| geo::serves(prefix, region));
    geos.map(move |prefix| {
        let id = format!("{prefix}.{}", model.id);
        Profile {
            arn: format!("arn:aws:bedrock:{region}:{account}:inference-profile/{id}"),
            name: format!(
                "{} {}",
                prefix.to_uppercase(),
                model.id.replace(['.', ':'], " ")
            ),
            models: vec![model_arn(region, &model.id)],
            application: false,
            id,
        }
    })
}

fn model_arn(region: &str, id: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{id}")
}

fn summary(region: &str, id: &str, (input, output): (&[&str], &str), throughput: &str) -> Value {
    let (vendor, name) = id.split_once('.').unwrap_or(("", id));
    json!({
        "modelArn": model_arn(region, id),
        "modelId": id,
        "modelName": name.chars().take(20).collect::<String>(),
        "providerName": vendor,
        "inputModalities": input,
        "outputModalities": [output],
        "responseStreamingSupported": true,
        "customizationsSupported": [],
        "inferenceTypesSupported": [throughput],
        "modelLifecycle": {"status": "ACTIVE"},
    })
}
