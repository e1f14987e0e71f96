//! Times that administrators write.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};

use crate::fault::Fault;
use crate::reader;
use crate::setting::{Input, SettingType};

/// A second, in UTC. It is written as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(u64);

/// A text that is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a time such as 2027-01-31T18:00:00Z, or a day such as 2027-01-31, which counts from its start in UTC"
)]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The time of so many seconds since the epoch.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// So many seconds after a time.
    #[must_use]
    pub fn after(time: SystemTime, seconds: u64) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_secs().saturating_add(seconds))
    }

    /// Seconds since the epoch.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_passed(self, now: SystemTime) -> bool {
        now >= UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let seconds = read(text).and_then(|seconds| u64::try_from(seconds).ok());
        seconds.map(Self).ok_or(InvalidTimestamp)
    }
}

/// Reads a day or a time of RFC 3339, in seconds since the epoch:
/// <https://www.rfc-editor.org/rfc/rfc3339#section-5.6>.
fn read(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked("2027-01-31".len())?;
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let midnight = date.ok()?.midnight().assume_utc().unix_timestamp();
    let seconds = if rest.is_empty() {
        0
    } else {
        time_of_day(rest)?
    };
    Some(midnight + seconds)
}

/// Reads what follows the day, in seconds since its start in UTC.
fn time_of_day(text: &str) -> Option<i64> {
    let text = text.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = text.split_at_checked("18:00:00".len())?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(rest) => rest.trim_start_matches(|sign: char| sign.is_ascii_digit()),
    };
    Some(hour * 3600 + minute * 60 + second - offset(zone)?)
}

/// How far a zone is ahead of UTC, in seconds.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let (sign, text) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(text), _) => (1, text),
        (_, Some(text)) => (-1, text),
        _ => return None,
    };
    let [hours, minutes] = numbers(text, ':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Numbers with these many digits each, with a sign between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).ok();
        let time = seconds.and_then(|own| OffsetDateTime::from_unix_timestamp(own).ok());
        let text = time.and_then(|own| own.format(&Rfc3339).ok());
        f.write_str(&text.unwrap_or_default())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, InvalidTimestamp> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl SettingType for Option<Timestamp> {
    const INPUT: Input = Input::Text;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let Some(text) = reader::nullable_text(raw, at, faults)? else {
            return Some(None);
        };
        match text.parse::<Timestamp>() {
            Ok(time) => Some(Some(time)),
            Err(error) => {
                faults.push(Fault::new(at, "invalid_time", error.to_string()));
                None
            }
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_any_zone_and_written_in_utc() {
        for (text, expected) in [
            ("2027-01-31T18:00:00Z", Some("2027-01-31T18:00:00Z")),
            ("2027-01-31T18:00:00+02:00", Some("2027-01-31T16:00:00Z")),
            ("2027-01-31T18:00:00.9Z", Some("2027-01-31T18:00:00Z")),
            ("2027-01-31", Some("2027-01-31T00:00:00Z")),
            ("2027-01-31T23:30:00-01:00", Some("2027-02-01T00:30:00Z")),
            ("2027-02-31", None),
            ("2027-1-31", None),
            ("2027-01-31T18:00", None),
            ("2027-01-31T25:00:00Z", None),
            ("2027-01-31T18:00:00", None),
            ("1969-12-31", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let time = text.parse::<Timestamp>().ok();
            assert_eq!(
                time.map(|own| own.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
