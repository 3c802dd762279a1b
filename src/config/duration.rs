//! Durations as an operator writes them.

use std::time::Duration;

/// A hundred years, in seconds: what is added to a moment must still be one.
const LONGEST: u64 = 36_500 * 24 * 60 * 60;

/// Reads a whole number with its unit: `90s`, `15m`, `12h` or `30d`.
///
/// # Errors
/// When the text is not that, or no time at all.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (digits, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err("must be a number with its unit, such as 90s, 15m, 12h or 30d".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "must begin with a whole number".to_owned())?;
    match number.saturating_mul(seconds) {
        0 => Err("must be longer than nothing".to_owned()),
        seconds if seconds > LONGEST => Err("must be at most 36500d".to_owned()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_its_unit_and_nothing_else() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("12h", 43_200),
            (" 30d ", 2_592_000),
            ("36500d", LONGEST),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "12",
            "h",
            "0s",
            "-1h",
            "1.5h",
            "12 h",
            "1w",
            "99999999999999999999s",
            "999999999999999999d",
            "36501d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
