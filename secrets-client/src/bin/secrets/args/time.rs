//! Durations and times as a person types them.

use std::time::Duration;

use prost_types::Timestamp;

/// `90d`, `1h`, `30m`, `45s` or `2w`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let refused = || "expected a duration such as `90d` (units s, m, h, d, w)".to_owned();
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refused)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(refused()),
    };
    let number: u64 = digits.parse().map_err(|_| refused())?;
    // The bound of a protobuf duration, about 10,000 years.
    number.checked_mul(seconds).filter(|s| *s <= 315_576_000_000).map(Duration::from_secs).ok_or_else(refused)
}

/// A duration as the service takes it.
pub(crate) fn ttl(duration: Option<Duration>) -> Option<prost_types::Duration> {
    duration.map(|duration| prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: 0,
    })
}

/// A point in time, or a distance from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TimeArg {
    At(Timestamp),
    Distance(Duration),
}

impl TimeArg {
    /// That long from now.
    pub(crate) fn ahead(self) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Distance(distance) => shift(now(), distance, 1),
        }
    }

    /// That long ago.
    pub(crate) fn ago(self) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Distance(distance) => shift(now(), distance, -1),
        }
    }
}

/// `2027-01-31`, `2027-01-31T09:30:00Z`, or a duration.
pub(crate) fn moment(text: &str) -> Result<TimeArg, String> {
    if let Ok(distance) = duration(text) {
        return Ok(TimeArg::Distance(distance));
    }
    let begins_with_date = text.len() >= 10 && text.is_ascii() && text.as_bytes().get(4) == Some(&b'-');
    let complete = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    complete.parse().ok().filter(|_| begins_with_date).map(TimeArg::At).ok_or_else(|| {
        "expected a time such as `2027-01-31` or `2027-01-31T09:30:00Z`, or a duration such as `30d`".to_owned()
    })
}

/// A moment that is still to come.
pub(crate) fn future(text: &str) -> Result<TimeArg, String> {
    match moment(text)? {
        TimeArg::Distance(Duration::ZERO) => Err("must be a time to come".to_owned()),
        TimeArg::At(time) if time.seconds <= now().seconds => Err("must be a time to come".to_owned()),
        time => Ok(time),
    }
}

fn shift(time: Timestamp, distance: Duration, sign: i64) -> Timestamp {
    let seconds = i64::try_from(distance.as_secs()).unwrap_or(i64::MAX);
    Timestamp { seconds: time.seconds.saturating_add(sign * seconds), nanos: time.nanos }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is read")]
pub(crate) fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        for (text, seconds) in [("45s", 45), ("30m", 1800), ("1h", 3600), ("90d", 7_776_000), ("2w", 1_209_600)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "h", "1", "1y", "-1h", "1.5h", "99999999999999999999s", "99999999999w", "5\u{fc}"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_times() {
        let midnight = TimeArg::At(Timestamp { seconds: 1_801_353_600, nanos: 0 });
        assert_eq!(moment("2027-01-31"), Ok(midnight));
        assert_eq!(moment("2027-01-31T00:00:00Z"), Ok(midnight));
        assert_eq!(moment("30d"), Ok(TimeArg::Distance(Duration::from_secs(2_592_000))));
        for text in ["", "tomorrow", "2027-13-01", "2027-01-31T25:00:00Z", "20270131"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn expects_a_time_to_come() {
        assert!(future("2001-01-31").is_err() && future("0s").is_err());
        assert!(future("9999-01-31").is_ok() && future("1s").is_ok());
    }

    #[test]
    fn counts_ahead_and_back_from_now() {
        let hour = TimeArg::Distance(Duration::from_secs(3600));
        assert_eq!((hour.ahead().seconds - hour.ago().seconds) / 10, 720);
    }
}
