//! What is kept of what requests used.

use std::path::PathBuf;

use bedrock_filter::config::UsageReports;
use clap::Args;
use clap::builder::RangedI64ValueParser;

use crate::store::Retention;
use crate::zone::Zone;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// What is kept of what requests used.
#[derive(Clone, Debug, Args)]
pub struct UsageKeeping {
    /// Database file for what requests used; it is created if it is missing. Without it nothing is recorded.
    #[arg(long, env = "BEDROCK_USAGE_DATABASE", value_name = "FILE")]
    pub usage_database: Option<PathBuf>,

    /// Name of the cluster in Envoys' bootstraps over which they report usage: the one of the xDS server.
    #[arg(
        long,
        env = "BEDROCK_USAGE_CLUSTER",
        value_name = "NAME",
        default_value = "config-service-xds",
        value_parser = UsageReports::over
    )]
    usage_cluster: UsageReports,

    /// Time zone of days and of monthly budgets, by its name in the IANA database, such as Europe/Berlin.
    #[arg(
        long,
        env = "BEDROCK_TIME_ZONE",
        value_name = "NAME",
        default_value = "UTC"
    )]
    pub(crate) time_zone: Zone,

    /// JSON file with prices that replace those of the built-in table.
    #[arg(long, env = "BEDROCK_PRICES", value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,

    /// How long single requests are kept.
    #[command(flatten)]
    pub(crate) retention: UsageRetention,
}

/// How long usage is kept.
#[derive(Clone, Copy, Debug, Args)]
pub struct UsageRetention {
    /// Hours for which the records of single requests are kept, 1 to 8784.
    #[arg(
        long,
        env = "BEDROCK_USAGE_RECORD_HOURS",
        value_name = "HOURS",
        default_value_t = 24,
        value_parser = RangedI64ValueParser::<i64>::new().range(1..=8_784)
    )]
    usage_record_hours: i64,

    /// Days for which sums by hour are kept, 1 to 3660.
    #[arg(
        long,
        env = "BEDROCK_USAGE_HOURLY_DAYS",
        value_name = "DAYS",
        default_value_t = 92,
        value_parser = RangedI64ValueParser::<i64>::new().range(1..=3_660)
    )]
    usage_hourly_days: i64,

    /// Days for which sums by day are kept, 1 to 36600.
    #[arg(
        long,
        env = "BEDROCK_USAGE_DAILY_DAYS",
        value_name = "DAYS",
        default_value_t = 1_830,
        value_parser = RangedI64ValueParser::<i64>::new().range(1..=36_600)
    )]
    usage_daily_days: i64,
}

impl UsageKeeping {
    /// What filters are told, if usage is recorded.
    pub(crate) fn reports(&self) -> Option<UsageReports> {
        self.usage_database
            .as_ref()
            .map(|_| self.usage_cluster.clone())
    }
}

impl UsageRetention {
    /// The same in seconds.
    pub(crate) fn terms(&self) -> Retention {
        Retention {
            records: self.usage_record_hours * HOUR,
            hourly: self.usage_hourly_days * DAY,
            daily: self.usage_daily_days * DAY,
        }
    }
}
