//! Reads sums.

use sqlx::{QueryBuilder, Sqlite};

use super::rows::{Latencies, Line, Spent, Unserved};
use super::{StoreError, UsageStore};
use crate::zone::now;

/// In seconds.
const HALF_A_DAY: i64 = 43_200;

/// What sums are grouped or filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The hour or day.
    Period,
    /// Who asked.
    Caller,
    /// With which key.
    Key,
    /// The channel.
    Channel,
    /// Its region.
    Region,
    /// The client's name for the model.
    Model,
    /// What was called.
    ModelId,
    /// The base model.
    BaseModel,
    /// What was asked for.
    Endpoint,
    /// Bedrock's service tier.
    Tier,
    /// How requests ended.
    Outcome,
}

/// How long the periods are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// Hours.
    Hour,
    /// Days of the service's time zone.
    #[default]
    Day,
}

/// The order of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By what they are grouped by.
    #[default]
    Key,
    /// The most expensive first.
    Cost,
    /// The most tokens first.
    Tokens,
    /// The most requests first.
    Requests,
}

/// Which sums to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageQuery {
    /// From the period that begins then, in seconds since the epoch.
    pub from: i64,
    /// To the periods that begin before then.
    pub to: i64,
    /// How long periods are.
    pub resolution: Resolution,
    /// What to tell apart.
    pub by: Vec<Dimension>,
    /// What to read alone.
    pub only: Vec<(Dimension, String)>,
    /// The order.
    pub order: Order,
    /// Most lines.
    pub limit: u32,
    /// Lines to pass over.
    pub offset: u32,
}

impl Order {
    /// What comes before the names of the dimensions.
    fn sql(self) -> &'static str {
        match self {
            Self::Key => "",
            Self::Cost => "cost_nano_usd DESC, ",
            Self::Tokens => {
                "TOTAL(input) + TOTAL(output) + TOTAL(cache_read) + TOTAL(cache_write) DESC, "
            }
            Self::Requests => "TOTAL(requests) DESC, ",
        }
    }
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Period,
        Self::Caller,
        Self::Key,
        Self::Channel,
        Self::Region,
        Self::Model,
        Self::ModelId,
        Self::BaseModel,
        Self::Endpoint,
        Self::Tier,
        Self::Outcome,
    ];

    /// Whether it is of what sums are told apart by, rather than of the sums.
    fn is_of_subject(self) -> bool {
        !matches!(self, Self::Period | Self::Outcome)
    }

    /// Its name, which is that of its column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Caller => "caller",
            Self::Key => "key",
            Self::Channel => "channel",
            Self::Region => "region",
            Self::Model => "model",
            Self::ModelId => "model_id",
            Self::BaseModel => "base_model",
            Self::Endpoint => "endpoint",
            Self::Tier => "tier",
            Self::Outcome => "outcome",
        }
    }
}

/// A total that ends at 10^18. `SUM` fails where whole numbers overflow; `TOTAL` counts with fractions, which are exact to
/// nine quadrillions.
macro_rules! whole {
    ($total:literal) => {
        concat!("CAST(MIN(", $total, ", 1e18) AS INTEGER)")
    };
}

/// The sums that lines have; the names are those of the fields of `Sums`.
const SUMS: &str = concat!(
    whole!("TOTAL(requests)"),
    " AS requests, ",
    whole!("TOTAL(CASE WHEN outcome = 'answered' THEN 0 ELSE requests END)"),
    " AS errors, ",
    whole!("TOTAL(input)"),
    " AS input_tokens, ",
    whole!("TOTAL(output)"),
    " AS output_tokens, ",
    whole!("TOTAL(cache_read)"),
    " AS cache_read_tokens, ",
    whole!("TOTAL(cache_write)"),
    " AS cache_write_tokens, ",
    whole!("TOTAL(reasoning)"),
    " AS reasoning_tokens, ",
    whole!("TOTAL(attempts)"),
    " AS attempts, ",
    whole!("TOTAL(duration_ms)"),
    " AS duration_ms, ",
    whole!("TOTAL(first_token_ms)"),
    " AS first_token_ms, ",
    whole!("TOTAL(with_first_token)"),
    " AS with_first_token, ",
    whole!("TOTAL(cost)"),
    " AS cost_nano_usd, ",
    whole!("TOTAL(unpriced)"),
    " AS unpriced",
);

impl UsageStore {
    /// Reads sums.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn lines(&self, wanted: &UsageQuery) -> Result<Vec<Line>, StoreError> {
        let mut query = statement(wanted);
        Ok(query.build_query_as().fetch_all(&self.readers).await?)
    }

    /// How long requests took.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn latencies(&self, wanted: &UsageQuery) -> Result<Latencies, StoreError> {
        let mut query = latencies(&self.by_days(wanted));
        let rows: Vec<(String, i64, i64)> = query.build_query_as().fetch_all(&self.readers).await?;
        Ok(rows.into_iter().collect())
    }

    /// The same question of days, if it is about whole ones: their sums are those of their hours, but far fewer.
    fn by_days(&self, wanted: &UsageQuery) -> UsageQuery {
        let is_whole = |at| self.zone.day(at) == at;
        // Nothing has been recorded of what is yet to come of a day.
        let ends_now = wanted.to >= now();
        let are_whole = is_whole(wanted.from) && (ends_now || is_whole(wanted.to));
        UsageQuery {
            resolution: if are_whole {
                Resolution::Day
            } else {
                wanted.resolution
            },
            ..wanted.clone()
        }
    }

    /// Names that were asked for since a time, in seconds since the epoch, and that nothing serves; the most wanted
    /// first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn unserved(&self, since: i64) -> Result<Vec<Unserved>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT model, first_at, last_at, requests FROM unserved WHERE last_at >= ?1 \
             ORDER BY requests DESC, model",
        );
        Ok(rows.bind(since).fetch_all(&self.readers).await?)
    }

    /// What callers used in the days that begin in a range, in seconds since the epoch. A day of which most is in the
    /// range counts too: after a change of the time zone the days before it begin at other hours.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn spent(&self, from: i64, to: i64) -> Result<Vec<(String, Spent)>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(concat!(
            "SELECT caller, ",
            whole!("TOTAL(input) + TOTAL(output) + TOTAL(cache_read) + TOTAL(cache_write)"),
            ", ",
            whole!("TOTAL(cost)"),
            " FROM daily JOIN subjects ON subjects.id = subject WHERE period >= ?1 AND period < ?2 GROUP BY caller",
        ))
        .bind(from.saturating_sub(HALF_A_DAY))
        .bind(to.saturating_sub(HALF_A_DAY))
        .fetch_all(&self.readers)
        .await?;
        let spent = rows
            .into_iter()
            .map(|(caller, tokens, nano_usd)| (caller, Spent { tokens, nano_usd }));
        Ok(spent.collect())
    }

    /// Records that Envoys had to drop, ever.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn dropped(&self) -> Result<i64, StoreError> {
        let dropped = sqlx::query_scalar("SELECT value FROM totals WHERE name = 'dropped'");
        let dropped: Option<i64> = dropped.fetch_optional(&self.readers).await?;
        Ok(dropped.unwrap_or(0))
    }

    /// Single records that are stored.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records(&self) -> Result<i64, StoreError> {
        let records = sqlx::query_scalar("SELECT COUNT(*) FROM records");
        Ok(records.fetch_one(&self.readers).await?)
    }
}

/// Reads sums.
pub(super) fn statement(wanted: &UsageQuery) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    for dimension in Dimension::ALL {
        if !wanted.by.contains(&dimension) {
            query.push("NULL AS ");
        }
        query.push(dimension.name()).push(", ");
    }
    query.push(SUMS).push(" FROM ");
    query.push(table(wanted.resolution));
    conditions(&mut query, wanted, &wanted.by);
    let order = wanted.order.sql();
    if wanted.by.is_empty() {
        // Without it there would be a line even of nothing.
        query.push(" HAVING COUNT(*) > 0 ORDER BY ");
        query.push(order).push("1");
    } else {
        let names = names(&wanted.by);
        query.push(" GROUP BY ").push(&names);
        query.push(" ORDER BY ").push(order).push(&names);
    }
    query.push(" LIMIT ").push_bind(wanted.limit);
    query.push(" OFFSET ").push_bind(wanted.offset);
    query
}

/// Reads times.
pub(super) fn latencies(wanted: &UsageQuery) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT kind, bucket, SUM(requests) FROM ");
    query.push(match wanted.resolution {
        Resolution::Hour => "latencies",
        Resolution::Day => "daily_latencies",
    });
    conditions(&mut query, wanted, &[]);
    query.push(" GROUP BY kind, bucket ORDER BY kind, bucket");
    query
}

/// Subjects are looked up only where something of theirs is asked for.
fn conditions(query: &mut QueryBuilder<Sqlite>, wanted: &UsageQuery, by: &[Dimension]) {
    let mut filters = wanted.only.iter().map(|(own, _)| own);
    if by.iter().any(|own| own.is_of_subject()) || filters.any(|own| own.is_of_subject()) {
        query.push(" JOIN subjects ON subjects.id = subject");
    }
    query.push(" WHERE period >= ").push_bind(wanted.from);
    query.push(" AND period < ").push_bind(wanted.to);
    for (dimension, value) in &wanted.only {
        query.push(" AND ").push(dimension.name()).push(" = ");
        query.push_bind(value.clone());
    }
}

fn names(dimensions: &[Dimension]) -> String {
    let names: Vec<_> = dimensions.iter().map(|own| own.name()).collect();
    names.join(", ")
}

fn table(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Hour => "hourly",
        Resolution::Day => "daily",
    }
}
