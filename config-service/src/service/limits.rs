//! The rules of a fleet's own rate limit service.

use crate::args::CallerLimits;
use crate::limit_rules::{LimitRules, RulesError};

/// Opens the file for them, if one is named.
pub(super) async fn rules(limits: &CallerLimits) -> Result<Option<LimitRules>, RulesError> {
    let Some(file) = limits.ratelimit_rules.clone() else {
        return Ok(None);
    };
    let rules = LimitRules::open(file, limits.ratelimit_shadow_mode).await?;
    Ok(Some(rules))
}
