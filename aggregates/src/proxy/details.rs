//! What a user says of a proxy besides where it is: bounds, and the one way in which each is written.

use super::Error;

/// The longest notes, characters.
const MAX_NOTES: usize = 10_000;

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid("name", "must have 1 to 255 characters"));
    }
    Ok(())
}

pub(super) fn check_notes(notes: Option<&str>) -> Result<(), Error> {
    if notes.is_some_and(|notes| notes.chars().count() > MAX_NOTES) {
        let message = format!("must have at most {MAX_NOTES} characters");
        return Err(Error::invalid("notes", message));
    }
    Ok(())
}

/// Reads the code of a country: two letters, in capitals from here on.
pub(super) fn country(code: Option<String>) -> Result<Option<String>, Error> {
    let Some(code) = code else { return Ok(None) };
    if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        let message = "must be two letters, as ISO 3166-1 has them";
        return Err(Error::invalid("countryCode", message));
    }
    Ok(Some(code.to_ascii_uppercase()))
}
