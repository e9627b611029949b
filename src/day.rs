//! The day that rules judge by: today, or the one that was asked for.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalogue::is_date;

/// Today as `YYYY-MM-DD`, in universal time.
pub fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    civil(seconds / 86_400)
}

/// Reads a day that a user typed.
pub fn parse(text: &str) -> Result<String, String> {
    match (is_date(text), has_form(text)) {
        (true, _) => Ok(text.to_owned()),
        (_, true) => Err(format!("there is no day {text}")),
        _ => Err("write a day as YYYY-MM-DD".to_owned()),
    }
}

/// Whether a text looks like a day, in the calendar or not.
pub fn has_form(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(is_right)
}

/// A count of days since 1970 as a date, by counting eras of 400 years from a March.
pub(crate) fn civil(days: u64) -> String {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(19_782), "2024-02-29");
        assert_eq!(civil(20_779), "2026-11-22");
    }

    #[test]
    fn only_days_are_read() {
        assert!(parse("2026-11-22").is_ok() && parse("2028-02-29").is_ok());
        for none in ["tomorrow", "2026-13-01", "2026-02-29", "2026-04-31", "2026-11-00", "2026-11-22-1", "26-11-22"] {
            assert!(parse(none).is_err(), "{none}");
        }
    }
}
