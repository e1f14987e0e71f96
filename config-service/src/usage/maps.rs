//! How channels' `inference_profile_arn_map` fares: entries that nobody uses, and requests that miss them.

use std::collections::BTreeMap;

use bedrock_filter::catalog;
use serde::Serialize;
use utoipa::ToSchema;

use crate::channel::StoredChannel;
use crate::store::{Dimension, Line, Resolution, StoreError, UsageQuery, UsageStore};

/// Most lines that are looked at.
const MOST: u32 = 50_000;

/// What became of the entries of `inference_profile_arn_map`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MapReport {
    /// Entries that no request used
    pub unused: Vec<UnusedEntry>,
    /// Requests that went to a model, but not through the profile that the channel has for it
    pub passed_by: Vec<PassedBy>,
}

/// An entry that no request used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnusedEntry {
    /// Name of the channel
    pub channel: String,
    /// The entry's name of the model
    pub model: String,
    /// The entry's ARN
    pub arn: String,
}

/// Requests that passed an entry by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PassedBy {
    /// Name of the channel
    pub channel: String,
    /// The name that clients used
    pub model: String,
    /// What was called
    pub model_id: String,
    /// The entry that is for the same model
    pub entry: String,
    /// How many requests
    pub requests: i64,
}

impl MapReport {
    /// The report of the days from a time on, in seconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn since(
        from: i64,
        channels: &[StoredChannel],
        store: &UsageStore,
    ) -> Result<Self, StoreError> {
        let query = UsageQuery {
            from,
            to: i64::MAX,
            resolution: Resolution::Day,
            by: vec![
                Dimension::Channel,
                Dimension::Model,
                Dimension::ModelId,
                Dimension::BaseModel,
            ],
            limit: MOST,
            ..UsageQuery::default()
        };
        Ok(Self::of(channels, &store.lines(&query).await?))
    }

    /// The report of lines that tell channels, models and profiles apart.
    fn of(channels: &[StoredChannel], lines: &[Line]) -> Self {
        let mut report = Self::default();
        for stored in channels {
            let channel = &stored.channel;
            let map = &channel.inference_profile_arn_map;
            let is_own = |line: &&Line| line.channel.as_deref() == Some(&channel.name);
            let own: Vec<_> = lines.iter().filter(is_own).collect();
            report.add_unused(&channel.name, map, &own);
            report.add_passed_by(&channel.name, map, &own);
        }
        report.passed_by.sort_by_key(|own| -own.requests);
        report
    }

    fn add_unused(&mut self, channel: &str, map: &BTreeMap<String, String>, lines: &[&Line]) {
        let is_used = |arn: &str| {
            let profile = last_segment(arn);
            lines
                .iter()
                .any(|line| line.model_id.as_deref() == Some(profile))
        };
        let unused = map.iter().filter(|(_, arn)| !is_used(arn));
        self.unused.extend(unused.map(|(model, arn)| UnusedEntry {
            channel: channel.to_owned(),
            model: model.clone(),
            arn: arn.clone(),
        }));
    }

    fn add_passed_by(&mut self, channel: &str, map: &BTreeMap<String, String>, lines: &[&Line]) {
        let base = |name: &str| catalog::find(name).map(|model| model.id);
        for line in lines {
            let (model, called) = (text(line.model.as_ref()), text(line.model_id.as_ref()));
            let is_mapped = map.values().any(|arn| last_segment(arn) == called);
            let wanted = base(text(line.base_model.as_ref()));
            let entry = map
                .keys()
                .find(|key| wanted.is_some() && base(key) == wanted);
            if let Some(entry) = entry.filter(|_| !is_mapped) {
                self.passed_by.push(PassedBy {
                    channel: channel.to_owned(),
                    model: model.to_owned(),
                    model_id: called.to_owned(),
                    entry: entry.clone(),
                    requests: line.sums.requests,
                });
            }
        }
    }
}

/// What usage knows an ARN by.
fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sums;

    fn line(model: &str, model_id: &str, requests: i64) -> Line {
        let text = |text: &str| Some(text.to_owned());
        Line {
            channel: text("team-a"),
            model: text(model),
            model_id: text(model_id),
            base_model: text("anthropic.claude-sonnet-4-5-20250929-v1:0"),
            sums: Sums {
                requests,
                ..Sums::default()
            },
            ..Line::default()
        }
    }

    fn channel() -> StoredChannel {
        let arn = |name: &str| {
            format!("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/{name}")
        };
        let channel = serde_json::json!({
            "name": "team-a",
            "region": "us-east-1",
            "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s"},
            "inference_profile_arn_map": {"claude-sonnet-4-5": arn("used00000000"), "nova-pro": arn("idle00000000")},
        });
        StoredChannel {
            id: String::new(),
            channel: serde_json::from_value(channel).unwrap(),
            revision: 1,
            created_at: String::new(),
            updated_at: String::new(),
            discovery: None,
        }
    }

    #[test]
    fn idle_entries_and_requests_that_miss_them_are_found() {
        let lines = [
            line("claude-sonnet-4-5", "used00000000", 5),
            line("sonnet", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3),
        ];
        let report = MapReport::of(&[channel()], &lines);
        assert_eq!(report.unused.len(), 1);
        assert_eq!(report.unused[0].model, "nova-pro");
        assert_eq!(report.passed_by.len(), 1);
        let missed = &report.passed_by[0];
        assert_eq!(
            (&*missed.model, &*missed.entry, missed.requests),
            ("sonnet", "claude-sonnet-4-5", 3)
        );
        let idle = MapReport::of(&[channel()], &[]);
        assert_eq!((idle.unused.len(), idle.passed_by.len()), (2, 0));
    }
}
