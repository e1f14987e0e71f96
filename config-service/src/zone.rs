//! The time zone whose days and months count.
//!
//! Names and rules are those of the IANA database: <https://www.iana.org/time-zones>. The system's copy is used where
//! there is one, because governments change their rules more often than this program is updated; otherwise its own.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// An hour and a day without a change of the clock, in seconds.
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A time zone. Times are in seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no time zone `{0}`; use a name of the IANA database, such as Europe/Berlin or UTC"
)]
pub struct UnknownZone(String);

/// The time, in seconds since the epoch.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let found = TimeZone::get(name).ok();
        let found = found.filter(|own| own.iana_name().is_some());
        found.map(Self).ok_or_else(|| UnknownZone(name.to_owned()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl Zone {
    /// When the hour began that a time is in, by the clocks of the zone: where they differ from UTC by half an hour,
    /// so do the hours.
    #[must_use]
    pub fn hour(&self, at: i64) -> i64 {
        let offset = moment(at).map_or(0, |own| self.0.to_offset(own).seconds());
        let local = at.saturating_add(i64::from(offset));
        at.saturating_sub(local.rem_euclid(HOUR))
    }

    /// When the day began that a time is in.
    #[must_use]
    pub fn day(&self, at: i64) -> i64 {
        let start = self.date(at).and_then(|day| self.start(day));
        start.unwrap_or_else(|| at.saturating_sub(at.rem_euclid(DAY)))
    }

    /// When the next day begins.
    #[must_use]
    pub fn next_day(&self, at: i64) -> i64 {
        self.days_later(at, 1)
    }

    /// When a day begins, so many days after the one that a time is in.
    #[must_use]
    pub fn days_later(&self, at: i64, days: i32) -> i64 {
        let start = self.date(at).and_then(|day| {
            let other = day.checked_add(jiff::Span::new().days(days)).ok()?;
            self.start(other)
        });
        start.unwrap_or_else(|| self.day(at).saturating_add(i64::from(days) * DAY))
    }

    /// When the calendar month began that a time is in, and when the next one begins.
    #[must_use]
    pub fn month(&self, at: i64) -> (i64, i64) {
        let bounds = self.date(at).and_then(|day| {
            let start = self.start(day.first_of_month())?;
            let end = self.start(day.last_of_month().tomorrow().ok()?)?;
            Some((start, end))
        });
        bounds.unwrap_or((at, at))
    }

    /// When a day begins that is written as `YYYY-MM-DD`.
    #[must_use]
    pub fn start_of(&self, day: &str) -> Option<i64> {
        let (year, rest) = day.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let day = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        self.start(day.ok()?)
    }

    /// The day that a time is in, as `YYYY-MM-DD`.
    #[must_use]
    pub fn day_text(&self, at: i64) -> String {
        self.date(at)
            .map_or_else(|| at.to_string(), |day| day.to_string())
    }

    /// The hour that a time is in, as `YYYY-MM-DD HH:MM`.
    #[must_use]
    pub fn hour_text(&self, at: i64) -> String {
        self.written(at, "%Y-%m-%d %H:%M")
    }

    /// A time with its distance from UTC, as RFC 3339 has it.
    #[must_use]
    pub fn rfc3339(&self, at: i64) -> String {
        self.written(at, "%Y-%m-%dT%H:%M:%S%:z")
    }

    fn written(&self, at: i64, format: &str) -> String {
        let zoned = moment(at).map(|own| Zoned::new(own, self.0.clone()));
        zoned.map_or_else(|| at.to_string(), |own| own.strftime(format).to_string())
    }

    fn date(&self, at: i64) -> Option<Date> {
        Some(self.0.to_datetime(moment(at)?).date())
    }

    /// The first moment of a day, which is not midnight where the clocks skip that.
    fn start(&self, day: Date) -> Option<i64> {
        let midnight = day.to_zoned(self.0.clone()).ok()?;
        Some(midnight.start_of_day().ok()?.timestamp().as_second())
    }
}

fn moment(at: i64) -> Option<Timestamp> {
    Timestamp::from_second(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T12:00:00Z
    const NOON: i64 = 1_796_040_000;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    #[test]
    fn names_are_those_of_the_iana_database() {
        for name in [
            "UTC",
            "Europe/Berlin",
            "Asia/Kolkata",
            "America/Argentina/Ushuaia",
        ] {
            assert_eq!(zone(name).to_string(), name);
        }
        for wrong in ["", "Mars", "+01:00", "CET+1", "../etc/passwd", "Europe/"] {
            let error = wrong.parse::<Zone>().unwrap_err().to_string();
            assert!(error.contains("IANA"), "{wrong}: {error}");
        }
        assert_eq!(Zone::default(), zone("UTC"));
    }

    #[test]
    fn months_begin_at_midnight_on_the_zones_own_clocks() {
        // Worked out by hand: midnight of the first in UTC, less the zone's distance from UTC on that day.
        let december = NOON + DAY / 2;
        for (name, ahead_minutes) in [
            ("UTC", 0),
            ("Europe/Berlin", 60),
            ("Asia/Kolkata", 330),
            ("Asia/Kathmandu", 345),
            ("America/New_York", -300),
            ("Australia/Adelaide", 630),
            ("Pacific/Kiritimati", 840),
        ] {
            let start = december - ahead_minutes * 60;
            assert_eq!(zone(name).month(start).0, start, "{name}");
            assert_eq!(zone(name).month(start - 1).1, start, "{name}");
            assert_eq!(zone(name).day(start), start, "{name}");
            assert_eq!(zone(name).hour(start), start, "{name}");
        }
    }

    #[test]
    fn months_and_days_in_which_the_clocks_change_have_their_true_length() {
        let berlin = zone("Europe/Berlin");
        let length = |day: &str| {
            let start = berlin.start_of(day).unwrap();
            let (from, to) = berlin.month(start);
            (to - from, berlin.next_day(start) - start)
        };
        // On 29 March an hour is skipped, on 25 October one comes twice.
        assert_eq!(length("2026-03-29"), (31 * DAY - HOUR, DAY - HOUR));
        assert_eq!(length("2026-10-25"), (31 * DAY + HOUR, DAY + HOUR));
        assert_eq!(length("2026-06-01"), (30 * DAY, DAY));
        // The hour that comes twice is two hours.
        let twice = berlin.start_of("2026-10-25").unwrap() + 2 * HOUR;
        let texts = [twice, twice + HOUR].map(|at| (berlin.hour(at), berlin.hour_text(at)));
        let text = "2026-10-25 02:00".to_owned();
        assert_eq!(texts, [(twice, text.clone()), (twice + HOUR, text)]);
        // A week with a change has seven days all the same.
        let week = berlin.days_later(berlin.start_of("2026-10-28").unwrap(), -6);
        assert_eq!(berlin.day_text(week), "2026-10-22");
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_later() {
        // In Cairo the clocks go from 24:00 on the last Thursday of April to 01:00.
        let cairo = zone("Africa/Cairo");
        let start = cairo.start_of("2026-04-24").unwrap();
        assert_eq!(cairo.rfc3339(start), "2026-04-24T01:00:00+03:00");
        assert_eq!(cairo.day(start + 5), start);
        assert_eq!(cairo.day_text(start - 1), "2026-04-23");
        assert_eq!(cairo.next_day(start) - start, DAY - HOUR);
    }

    #[test]
    fn days_are_read_and_written() {
        let utc = Zone::default();
        assert_eq!(utc.start_of("2026-11-30"), Some(NOON - DAY / 2));
        for wrong in ["2026-13-01", "2026-02-29", "2026-11-30T12:00", "today", ""] {
            assert_eq!(utc.start_of(wrong), None, "{wrong}");
        }
        assert_eq!(utc.hour_text(NOON), "2026-11-30 12:00");
        assert_eq!(utc.rfc3339(NOON), "2026-11-30T12:00:00+00:00");
        // What no calendar has does no harm.
        assert_eq!(utc.month(i64::MAX), (i64::MAX, i64::MAX));
        assert_eq!(utc.day_text(i64::MAX), i64::MAX.to_string());
        let _ = (
            utc.hour(i64::MAX),
            utc.day(i64::MAX),
            utc.next_day(i64::MAX),
            utc.hour(i64::MIN),
        );
    }
}
