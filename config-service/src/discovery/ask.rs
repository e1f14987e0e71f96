//! Asks an account what it has.

use std::time::{SystemTime, UNIX_EPOCH};

use bedrock_filter::arn::{ModelArn, ResourceKind};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::control::{Access, Call, Control, segment};
use super::{read, shown};
use crate::channel::{
    Channel, Discovery, FoundModel, FoundModels, FoundProfile, FoundProfiles, Trouble,
};
use crate::outbound::Outbound;

/// The most pages of one list that are read; with a thousand profiles each that is far above every quota.
const MAX_PAGES: usize = 100;

/// The most mapped profiles that are asked for one by one.
const MAX_SINGLE: usize = 50;

/// Asks one account after the other: AWS allows few of these calls.
#[derive(Debug)]
pub(crate) struct Asker {
    outbound: Outbound,
    slot: Semaphore,
}

impl Asker {
    /// Asks through this client.
    pub(crate) fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            slot: Semaphore::new(1),
        }
    }

    /// What the account has; what could not be found out stays as it was.
    pub(crate) async fn ask(
        &self,
        channel: &Channel,
        access: &Access,
        before: Option<Discovery>,
    ) -> Discovery {
        // The semaphore is never closed.
        let _slot = self.slot.acquire().await;
        let control = Control {
            outbound: &self.outbound,
            access,
        };
        let now = SystemTime::now();
        let mut found = Discovery {
            asked_at: shown(now),
            asked: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            region: access.region.clone(),
            origin: access.origin.clone(),
            ..Discovery::default()
        };
        let asked_at = found.asked_at.clone();
        let models = control.models().await;
        found.models = found.told(models.map(|found| FoundModels {
            asked_at: asked_at.clone(),
            found,
        }));
        if found
            .problems
            .iter()
            .any(|problem| problem.code == "unanswered")
        {
            // The other calls would get no answer either, and would take as long.
            return found.or(before);
        }
        for kind in ["SYSTEM_DEFINED", "APPLICATION"] {
            let list = control.profiles(kind).await;
            let list = list.map(|found| FoundProfiles {
                asked_at: asked_at.clone(),
                found,
            });
            let list = found.told(list);
            if kind == "APPLICATION" {
                found.application_profiles = list;
            } else {
                found.system_profiles = list;
            }
        }
        found.ask_for_others(channel, &control).await;
        found.or(before)
    }
}

impl Discovery {
    /// What a call returned; a failure is recorded.
    fn told<T>(&mut self, outcome: Result<T, Trouble>) -> Option<T> {
        outcome.map_err(|trouble| self.problems.push(trouble)).ok()
    }

    /// Asks for mapped profiles that are in no list: another account may have them, or listing may not be allowed.
    async fn ask_for_others(&mut self, channel: &Channel, control: &Control<'_>) {
        let mapped = channel.inference_profile_arn_map.values();
        let mut unknown: Vec<_> = mapped
            .filter(|target| is_profile(target, &channel.region) && self.profile(target).is_none())
            .collect();
        unknown.sort();
        unknown.dedup();
        for arn in unknown.into_iter().take(MAX_SINGLE) {
            match control.profile(arn).await {
                Ok(profile) => self.others.push(profile),
                Err(trouble) if trouble.code == "ResourceNotFoundException" => {
                    self.missing.push(arn.clone());
                }
                Err(trouble) => {
                    self.problems.push(trouble);
                    // The next one would most likely fail too.
                    break;
                }
            }
        }
    }
}

/// Whether a text is the ARN of an inference profile in a region.
pub(super) fn is_profile(text: &str, region: &str) -> bool {
    text.parse::<ModelArn>().is_ok_and(|arn| {
        let is_profile = matches!(
            arn.kind(),
            ResourceKind::InferenceProfile | ResourceKind::ApplicationInferenceProfile
        );
        is_profile && arn.region() == region
    })
}

impl Control<'_> {
    async fn models(&self) -> Result<Vec<FoundModel>, Trouble> {
        let call = Call {
            operation: "ListFoundationModels",
            path: "/foundation-models".to_owned(),
            query: &[],
        };
        let body = self.get(&call).await?;
        let items = read::items(&body, "modelSummaries").ok_or_else(|| unreadable(&call))?;
        Ok(items.iter().filter_map(read::model).collect())
    }

    /// Every profile of a type, page by page. An incomplete list is discarded, because profiles missing from it would
    /// seem not to exist.
    async fn profiles(&self, kind: &str) -> Result<Vec<FoundProfile>, Trouble> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for page in 0..MAX_PAGES {
            let mut query = vec![("maxResults", "1000".to_owned()), ("type", kind.to_owned())];
            if let Some(token) = token.take() {
                query.insert(1, ("nextToken", token));
            }
            let call = Call {
                operation: "ListInferenceProfiles",
                path: "/inference-profiles".to_owned(),
                query: &query,
            };
            let body = self.get(&call).await.map_err(|mut trouble| {
                trouble.message = format!("{kind}, after {page} pages: {}", trouble.message);
                trouble
            })?;
            let items = read::items(&body, "inferenceProfileSummaries");
            let items = items.ok_or_else(|| unreadable(&call))?;
            found.extend(items.iter().filter_map(read::profile));
            token = body
                .get("nextToken")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if token.as_ref().is_none_or(String::is_empty) {
                return Ok(found);
            }
        }
        Err(Trouble {
            operation: "ListInferenceProfiles".to_owned(),
            code: "incomplete".to_owned(),
            message: format!("{kind}: the list did not end within {MAX_PAGES} pages"),
            remedy: None,
        })
    }

    async fn profile(&self, arn: &str) -> Result<FoundProfile, Trouble> {
        let call = Call {
            operation: "GetInferenceProfile",
            path: format!("/inference-profiles/{}", segment(arn)),
            query: &[],
        };
        let body = self.get(&call).await?;
        read::profile(&body).ok_or_else(|| unreadable(&call))
    }
}

fn unreadable(call: &Call<'_>) -> Trouble {
    Trouble {
        operation: call.operation.to_owned(),
        code: "unreadable".to_owned(),
        message: "the answer is not what AWS documents".to_owned(),
        remedy: None,
    }
}
