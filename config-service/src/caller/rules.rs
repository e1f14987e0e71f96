//! What is set for a caller's requests, and what they may use.

use bedrock_filter::config::{CallerRules, Feature, ServiceTier};
use serde::{Deserialize, Serialize};

use super::{Caller, Policy};
use crate::reader::Choice;

/// Whether a request may use something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It may.
    Allowed,
    /// It is refused then.
    Refused,
}

impl Choice for Permission {
    const ALL: &'static [Self] = &[Self::Allowed, Self::Refused];
}

impl Choice for ServiceTier {
    const ALL: &'static [Self] = &[Self::Default, Self::Flex, Self::Priority, Self::Reserved];
}

impl Caller {
    /// What goes for its requests, with the defaults for all callers.
    pub(super) fn rules(&self, policy: &Policy) -> CallerRules {
        let permissions = Feature::ALL.iter().filter(|feature| {
            let own = self.permission(**feature);
            own.or(policy.permission(**feature)) == Some(Permission::Refused)
        });
        let mut labels = policy.default_request_metadata.clone();
        labels.extend(self.request_metadata.clone());
        let guardrail = self.guardrail.clone();
        CallerRules {
            guardrail: guardrail.or_else(|| policy.default_guardrail.clone()),
            service_tier: self.service_tier.or(policy.default_service_tier),
            request_metadata: labels,
            refused: permissions.copied().collect(),
        }
    }

    fn permission(&self, feature: Feature) -> Option<Permission> {
        match feature {
            Feature::Tools => self.tools,
            Feature::Thinking => self.thinking,
            Feature::Documents => self.documents,
            Feature::PromptCaching => self.prompt_caching,
        }
    }
}

impl Policy {
    /// What goes for requests of nobody in particular.
    pub(super) fn rules(&self) -> CallerRules {
        Caller::default().rules(self)
    }

    fn permission(&self, feature: Feature) -> Option<Permission> {
        match feature {
            Feature::Tools => self.default_tools,
            Feature::Thinking => self.default_thinking,
            Feature::Documents => self.default_documents,
            Feature::PromptCaching => self.default_prompt_caching,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use bedrock_filter::config::Guardrail;
    use serde_json::json;

    fn guardrail(identifier: &str) -> Guardrail {
        Guardrail {
            identifier: identifier.to_owned(),
            version: "1".to_owned(),
            trace: None,
        }
    }

    #[test]
    fn what_a_caller_says_counts_more_than_the_defaults() {
        let policy = Policy {
            default_guardrail: Some(guardrail("all")),
            default_service_tier: Some(ServiceTier::Flex),
            default_request_metadata: BTreeMap::from([
                ("env".to_owned(), "prod".to_owned()),
                ("team".to_owned(), "none".to_owned()),
            ]),
            default_tools: Some(Permission::Refused),
            default_documents: Some(Permission::Refused),
            ..Policy::default()
        };
        let caller = Caller {
            guardrail: Some(guardrail("own")),
            request_metadata: BTreeMap::from([("team".to_owned(), "a".to_owned())]),
            tools: Some(Permission::Allowed),
            thinking: Some(Permission::Refused),
            ..Caller::default()
        };
        let rules = serde_json::to_value(caller.rules(&policy)).unwrap();
        assert_eq!(
            rules,
            json!({
                "guardrail": {"identifier": "own", "version": "1"},
                "service_tier": "flex",
                "request_metadata": {"env": "prod", "team": "a"},
                "refused": ["thinking", "documents"],
            })
        );
        let nobody = serde_json::to_value(policy.rules()).unwrap();
        assert_eq!(nobody["guardrail"]["identifier"], "all");
        assert_eq!(nobody["refused"], json!(["tools", "documents"]));
        assert!(Policy::default().rules().is_empty());
    }
}
