//! How an error reads in a log.

use std::error::Error;

/// Writes an error with its sources in one line, the outermost first.
#[must_use]
pub fn describe(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_told_in_order() {
        let io = std::io::Error::other("no route to host");
        let error = crate::Error::Database {
            action: "begin a transaction",
            source: sqlx::Error::Io(io),
        };
        let line = describe(&error);
        assert!(line.starts_with("cannot begin a transaction: "), "{line}");
        assert!(line.ends_with("no route to host"), "{line}");
    }
}
