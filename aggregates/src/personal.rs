//! Which fields of events hold personal data of users: they are sealed before an event is stored, and opened for whoever may
//! show them. Aggregates see them as they are given, sealed or not, and decide nothing by them.

/// The fields of every event's metadata that tell of whoever gave the command.
pub const METADATA: [&str; 2] = ["ip", "user_agent"];

/// What is read where something was erased.
pub const ERASED: &str = "erased";

/// Lists the fields of an event that tell of the user whose stream it is in.
#[must_use]
pub fn fields(aggregate_type: &str, event_type: &str) -> &'static [&'static str] {
    match (aggregate_type, event_type) {
        ("user", "Registered" | "DetailsChanged") => &["email", "username"],
        ("user", "ApiKeyIssued") => &["name"],
        _ => &[],
    }
}
