//! How callers' limits are enforced.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::rate_limits::{Pace, Paces};

/// Longest burst: a limit never allows more at once than in a minute.
const LONGEST_BURST: i64 = 60;

/// How callers' limits are enforced.
#[derive(Clone, Debug, Args)]
pub struct CallerLimits {
    /// Seconds' worth of requests that a caller may send at once, 1 to 60; the rest passes evenly.
    ///
    /// Without it, a caller may use its requests per minute at any time in each minute of the clock, as with
    /// envoyproxy/ratelimit.
    #[arg(long, env = "BEDROCK_RPM_BURST_SECONDS", value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=LONGEST_BURST))]
    pub rpm_burst_seconds: Option<u32>,

    /// The same for tokens.
    #[arg(long, env = "BEDROCK_TPM_BURST_SECONDS", value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=LONGEST_BURST))]
    pub tpm_burst_seconds: Option<u32>,

    /// File for the rules of a fleet's own rate limit service (envoyproxy/ratelimit), in the folder from which it reads
    /// them. Written before an Envoy gets a limit, and replaced whole.
    #[arg(long, env = "BEDROCK_RATELIMIT_RULES", value_name = "FILE")]
    pub(crate) ratelimit_rules: Option<PathBuf>,

    /// Have that service count without denying anything.
    #[arg(long, env = "BEDROCK_RATELIMIT_SHADOW_MODE", value_parser = FalseyValueParser::new())]
    pub(crate) ratelimit_shadow_mode: bool,
}

impl CallerLimits {
    /// How the service's own rate limits pass out what they allow.
    #[must_use]
    pub fn paces(&self) -> Paces {
        let pace = |burst: Option<u32>| {
            burst.map_or(Pace::Minute, |burst_seconds| Pace::Bucket { burst_seconds })
        };
        Paces {
            requests: pace(self.rpm_burst_seconds),
            tokens: pace(self.tpm_burst_seconds),
        }
    }
}
