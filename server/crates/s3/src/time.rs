//! Dates as S3 writes and reads them.

use std::time::{Duration, UNIX_EPOCH};

use zas_core::Timestamp;

const SECONDS_PER_DAY: u64 = 86_400;

/// The last second of the year 9999: later ones have no four-digit year.
const LAST_SECOND: u64 = 253_402_300_799;

/// The form of `X-Amz-Date`: `20130524T000000Z`.
pub(crate) fn basic(time: Timestamp) -> String {
    let civil = Civil::of(time);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )
}

/// Reads `20130524T000000Z`.
pub(crate) fn parse_basic(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    let days = days_of(date)?;
    let [hour, minute, second] = [0, 2, 4].map(|at| number(time.get(at..at + 2)));
    let (hour, minute, second) = (hour?, minute?, second?);
    // A leap second is counted as the next one.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000))
}

/// The days since the epoch of `20130524`.
fn days_of(date: &str) -> Option<u64> {
    let (year, month, day) = (
        number(date.get(..4))?,
        number(date.get(4..6))?,
        number(date.get(6..8))?,
    );
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    // Counted in years that begin in March, so that the leap day is the last.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + day_of_year;
    days.checked_sub(DAYS_FROM_MARCH_0_TO_EPOCH)
}

/// From the first of March of the year 0 to the epoch.
const DAYS_FROM_MARCH_0_TO_EPOCH: u64 = 719_468;

fn days_in(year: u64, month: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    }
}

fn number(digits: Option<&str>) -> Option<u64> {
    let digits = digits?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// The form of dates in answers: `2006-02-03T16:45:09.000Z`.
pub fn iso8601(time: Timestamp) -> String {
    let civil = Civil::of(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        civil.year,
        civil.month,
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        time.millis() % 1000
    )
}

/// The form of dates in headers (RFC 9110, section 5.6.7), in whole seconds.
pub fn http_date(time: Timestamp) -> String {
    let seconds = (time.millis() / 1000).min(LAST_SECOND);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Reads a date of a header; what is malformed or before 1970 is `None`.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    let since_epoch = time.duration_since(UNIX_EPOCH).ok()?;
    let millis = u64::try_from(since_epoch.as_millis()).ok()?;
    Some(Timestamp::from_millis(millis))
}

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Civil {
    fn of(time: Timestamp) -> Self {
        let seconds = (time.millis() / 1000).min(LAST_SECOND);
        let (days, second_of_day) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let days = days + DAYS_FROM_MARCH_0_TO_EPOCH;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_times_on_many_days_when_written_and_read_then_the_same() {
        let mut seconds = 0;
        while seconds < 200 * 366 * SECONDS_PER_DAY {
            let time = Timestamp::from_millis(seconds * 1000);
            assert_eq!(parse_basic(&basic(time)), Some(time), "{seconds}");
            let written = http_date(time);
            assert_eq!(parse_http_date(&written), Some(time), "{written}");
            assert_eq!(basic(time).get(6..8), written.get(5..7), "{written}");
            seconds += 29 * 3600 + 7;
        }
    }

    #[test]
    fn given_a_known_time_when_written_then_as_aws_writes_it() {
        let time = Timestamp::from_millis(1_369_353_600_042);
        assert_eq!(basic(time), "20130524T000000Z");
        assert_eq!(iso8601(time), "2013-05-24T00:00:00.042Z");
        assert_eq!(http_date(time), "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(
            iso8601(Timestamp::from_millis(u64::MAX)).get(..10),
            Some("9999-12-31")
        );
    }

    #[test]
    fn given_what_is_no_time_when_read_then_none() {
        for text in [
            "",
            "20130524",
            "20130524T000000",
            "20130229T000000Z",
            "20130524T240000Z",
            "19691231T235959Z",
            "2013 524T000000Z",
            "20130524T00000éZ",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
