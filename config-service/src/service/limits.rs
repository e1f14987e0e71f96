//! The rules of a fleet's own rate limit service.

use crate::args::CallerLimits;
use crate::limit_rules::{LimitRules, RulesError};

/// Those rules, in a file too if one is named.
pub(super) async fn rules(limits: &CallerLimits) -> Result<LimitRules, RulesError> {
    let file = limits.ratelimit_rules.clone();
    LimitRules::open(file, limits.ratelimit_shadow_mode).await
}
