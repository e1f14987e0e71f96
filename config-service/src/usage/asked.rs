//! What somebody wants to know of the usage, as the API and the pages are asked.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::IntoParams;

use crate::store::{Dimension, Order, Resolution, UsageQuery};
use crate::zone::Zone;

/// Lines of a page by default, and at most.
const PAGE: (u32, u32) = (100, 10_000);

/// Days that are shown unless others are asked for.
const USUAL_DAYS: i32 = 7;

/// The query of the usage; an absent parameter filters nothing.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// From this day or time on, `2026-11-30` or `2026-11-30T12:00:00Z`; seven days before `to` unless it is given.
    /// Days are those of the service's time zone
    pub from: Option<String>,
    /// Up to this time, or to the start of this day; until now unless it is given
    pub to: Option<String>,
    /// What to tell apart, comma-separated: period, caller, key, channel, region, model, `model_id`, `base_model`,
    /// endpoint, tier, outcome
    pub by: Option<String>,
    /// How long periods are: `day` or `hour`
    #[param(default = "day")]
    pub resolution: Option<String>,
    /// `key`, or the largest first: `cost`, `tokens` or `requests`
    #[param(default = "key")]
    pub order: Option<String>,
    /// `json`, `csv`, or `jsonl` for a JSON object in each line
    #[param(default = "json")]
    pub format: Option<String>,
    /// Lines per page, 1 to 10000
    #[param(minimum = 1, maximum = 10_000, default = 100)]
    pub limit: Option<u32>,
    /// The `next_page_token` of the previous page
    pub page_token: Option<String>,
    /// Only what this caller asked; empty for those without a caller
    pub caller: Option<String>,
    /// Only what was asked with this key
    pub key: Option<String>,
    /// Only what this channel served
    pub channel: Option<String>,
    /// Only what was served in this region
    pub region: Option<String>,
    /// Only what was asked for by this name of a model
    pub model: Option<String>,
    /// Only what went to this model, profile, or last segment of an ARN
    pub model_id: Option<String>,
    /// Only what this base model served
    pub base_model: Option<String>,
    /// Only what was asked in this protocol
    pub endpoint: Option<String>,
    /// Only what was served on this tier
    pub tier: Option<String>,
    /// Only what ended like this
    pub outcome: Option<String>,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A JSON document.
    #[default]
    Json,
    /// Comma-separated values.
    Csv,
    /// A JSON object in each line.
    JsonLines,
}

impl Asked {
    /// The query, with `now` in seconds since the epoch.
    ///
    /// # Errors
    ///
    /// What is wrong, for whoever asked.
    pub fn query(&self, now: i64, zone: &Zone) -> Result<UsageQuery, String> {
        let resolution = match self.resolution.as_deref() {
            None | Some("day") => Resolution::Day,
            Some("hour") => Resolution::Hour,
            Some(other) => return Err(wrong("resolution", other, "`day` or `hour`")),
        };
        // The period that is running belongs to it.
        let to = moment("to", self.to.as_deref(), zone)?.unwrap_or(now.saturating_add(1));
        let usual = || zone.days_later(to.saturating_sub(1), 1 - USUAL_DAYS);
        let from = moment("from", self.from.as_deref(), zone)?.unwrap_or_else(usual);
        if from >= to {
            return Err("the parameter from is not before to; give an earlier one".to_owned());
        }
        Ok(UsageQuery {
            from: match resolution {
                Resolution::Day => zone.day(from),
                Resolution::Hour => zone.hour(from),
            },
            to,
            resolution,
            by: self.dimensions()?,
            only: self.filters(),
            order: self.order()?,
            limit: self.limit()?,
            offset: self.offset()?,
        })
    }

    /// The same, but what is empty filters nothing: a form sends all its fields.
    #[must_use]
    pub fn without_empty(mut self) -> Self {
        for field in [
            &mut self.caller,
            &mut self.key,
            &mut self.channel,
            &mut self.region,
            &mut self.model,
            &mut self.model_id,
            &mut self.base_model,
            &mut self.endpoint,
            &mut self.tier,
            &mut self.outcome,
        ] {
            field.take_if(|value| value.is_empty());
        }
        self
    }

    /// How lines are to be written.
    ///
    /// # Errors
    ///
    /// What is wrong, for whoever asked.
    pub fn format(&self) -> Result<Format, String> {
        match self.format.as_deref() {
            None | Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            Some("jsonl") => Ok(Format::JsonLines),
            Some(other) => Err(wrong("format", other, "`json`, `csv` or `jsonl`")),
        }
    }

    fn dimensions(&self) -> Result<Vec<Dimension>, String> {
        let names = self
            .by
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        let mut found = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            let own = Dimension::ALL.into_iter().find(|own| own.name() == name);
            let own = own.ok_or_else(|| {
                let all: Vec<_> = Dimension::ALL.iter().map(|own| own.name()).collect();
                wrong("by", name, &format!("some of {}", all.join(", ")))
            })?;
            if !found.contains(&own) {
                found.push(own);
            }
        }
        Ok(found)
    }

    fn filters(&self) -> Vec<(Dimension, String)> {
        let all = [
            (Dimension::Caller, &self.caller),
            (Dimension::Key, &self.key),
            (Dimension::Channel, &self.channel),
            (Dimension::Region, &self.region),
            (Dimension::Model, &self.model),
            (Dimension::ModelId, &self.model_id),
            (Dimension::BaseModel, &self.base_model),
            (Dimension::Endpoint, &self.endpoint),
            (Dimension::Tier, &self.tier),
            (Dimension::Outcome, &self.outcome),
        ];
        let given = all
            .into_iter()
            .filter_map(|(own, value)| Some((own, value.clone()?)));
        given.collect()
    }

    fn order(&self) -> Result<Order, String> {
        match self.order.as_deref() {
            None | Some("key") => Ok(Order::Key),
            Some("cost") => Ok(Order::Cost),
            Some("tokens") => Ok(Order::Tokens),
            Some("requests") => Ok(Order::Requests),
            Some(other) => Err(wrong(
                "order",
                other,
                "`key`, `cost`, `tokens` or `requests`",
            )),
        }
    }

    fn limit(&self) -> Result<u32, String> {
        let (usual, most) = PAGE;
        let limit = self.limit.unwrap_or(usual);
        if (1..=most).contains(&limit) {
            return Ok(limit);
        }
        Err(format!(
            "the parameter limit is {limit}; it must be 1 to {most}"
        ))
    }

    /// How many lines come before the page.
    fn offset(&self) -> Result<u32, String> {
        let Some(token) = &self.page_token else {
            return Ok(0);
        };
        token
            .parse()
            .map_err(|_| "the page_token is not valid; start with the first page".to_owned())
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> String {
    format!("the parameter {name} is `{value}`; it must be {expected}")
}

/// A day or a time, in seconds since the epoch.
fn moment(name: &str, text: Option<&str>, zone: &Zone) -> Result<Option<i64>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    let time = time.map(OffsetDateTime::unix_timestamp);
    let found = time.or_else(|| zone.start_of(text));
    let expected = "a day such as 2026-11-30, or a time such as 2026-11-30T12:00:00Z";
    found.map(Some).ok_or_else(|| wrong(name, text, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T12:00:00Z
    const NOON: i64 = 1_796_040_000;
    const DAY: i64 = 86_400;

    #[test]
    fn days_are_those_of_the_time_zone() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let query = Asked::default().query(NOON, &zone).unwrap();
        assert_eq!(query.from, NOON - 7 * 3_600 - 6 * DAY);
        let asked = Asked {
            from: Some("2026-10-30".to_owned()),
            to: Some("2026-11-03".to_owned()),
            ..Asked::default()
        };
        let query = asked.query(NOON, &zone).unwrap();
        // The clocks go back on 1 November.
        assert_eq!(query.to - query.from, 4 * DAY + 3_600);
    }

    #[test]
    fn a_week_is_shown_unless_something_else_is_asked_for() {
        let query = Asked::default().query(NOON, &Zone::default()).unwrap();
        assert_eq!(query.from, NOON - 43_200 - 6 * DAY);
        assert_eq!((query.to, query.limit, query.offset), (NOON + 1, 100, 0));
        assert_eq!(query.resolution, Resolution::Day);
    }

    #[test]
    fn days_and_times_are_read() {
        let asked = Asked {
            from: Some("2026-11-29".to_owned()),
            to: Some("2026-11-30T12:00:00Z".to_owned()),
            resolution: Some("hour".to_owned()),
            by: Some("period, caller,period".to_owned()),
            caller: Some(String::new()),
            page_token: Some("200".to_owned()),
            ..Asked::default()
        };
        let query = asked.query(0, &Zone::default()).unwrap();
        assert_eq!((query.from, query.to), (NOON - 43_200 - DAY, NOON));
        assert_eq!(query.by, [Dimension::Period, Dimension::Caller]);
        assert_eq!(query.only, [(Dimension::Caller, String::new())]);
        assert_eq!(query.offset, 200);
        // In a form, an empty field is one that was not filled in.
        let query = asked.without_empty().query(0, &Zone::default()).unwrap();
        assert!(query.only.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |asked: Asked, part: &str| {
            let error = asked
                .query(NOON, &Zone::default())
                .map(drop)
                .and(asked.format().map(drop))
                .unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        let some = |text: &str| Some(text.to_owned());
        check(
            Asked {
                from: some("yesterday"),
                ..Asked::default()
            },
            "the parameter from is `yesterday`",
        );
        check(
            Asked {
                from: some("2026-13-01"),
                ..Asked::default()
            },
            "from",
        );
        check(
            Asked {
                from: some("2027-01-01"),
                ..Asked::default()
            },
            "not before to",
        );
        check(
            Asked {
                by: some("colour"),
                ..Asked::default()
            },
            "by is `colour`; it must be some of period, caller",
        );
        check(
            Asked {
                resolution: some("week"),
                ..Asked::default()
            },
            "resolution is `week`",
        );
        check(
            Asked {
                order: some("name"),
                ..Asked::default()
            },
            "order is `name`",
        );
        check(
            Asked {
                limit: Some(0),
                ..Asked::default()
            },
            "limit is 0",
        );
        check(
            Asked {
                page_token: some("x"),
                ..Asked::default()
            },
            "page_token",
        );
        check(
            Asked {
                format: some("xml"),
                ..Asked::default()
            },
            "format is `xml`",
        );
    }
}
