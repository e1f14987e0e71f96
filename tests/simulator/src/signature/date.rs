//! `x-amz-date`: the ISO 8601 basic format `YYYYMMDDThhmmssZ`, in UTC.

const SECONDS_PER_DAY: i64 = 86_400;

/// Seconds since the Unix epoch, or `None` when the text is not such a date.
pub(super) fn parse(text: &str) -> Option<i64> {
    let shape_fits = text.len() == 16
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    if !shape_fits {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    let fits = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let days = days_since_epoch(year, month, day);
    fits.then(|| days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// The text form of a moment in seconds since the Unix epoch.
pub(super) fn format(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
    let rest = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

// Both functions count years from March, so that the leap day is the last day
// of a year, and eras of 400 years, which all have 146 097 days.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_SHIFT: i64 = 719_468;

fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH_SHIFT
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_SHIFT;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_parse_and_print() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799),
            ("20260115T123456Z", 1_768_480_496),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(format(seconds), text);
        }
    }

    #[test]
    fn every_day_of_two_centuries_survives_the_round_trip() {
        for day in -20_000..55_000 {
            let seconds = day * SECONDS_PER_DAY + 3_723;
            assert_eq!(parse(&format(seconds)), Some(seconds));
        }
    }

    #[test]
    fn other_shapes_are_not_dates() {
        for text in [
            "",
            "2026-01-15T12:34:56Z",
            "20260115T123456",
            "20261315T123456Z",
            "20260115T253456Z",
            "20260115t123456z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
