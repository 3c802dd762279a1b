//! Why a pattern or a name was refused.

/// A pattern that cannot be enumerated, with the field that is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Error {
    field: String,
    reason: String,
}

impl Error {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Names the field, as in [`super::Spec`]; elements of lists as `tlds[2]`.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Says what is wrong with the field.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Why a text is not a domain name that can be looked up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// Nothing is left once white space, scheme and dots are gone.
    #[error("empty")]
    Empty,
    /// The bytes are no UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// More than 253 bytes (RFC 1035 §2.3.4).
    #[error("longer than 253 bytes")]
    TooLong,
    /// Two dots in a row, or a leading dot.
    #[error("an empty label")]
    EmptyLabel,
    /// A label of more than 63 bytes (RFC 1035 §2.3.4).
    #[error("a label longer than 63 bytes")]
    LabelTooLong,
    /// A label that starts or ends with a hyphen (RFC 952, RFC 1123 §2.1).
    #[error("a label that starts or ends with a hyphen")]
    Hyphen,
    /// A character other than letters, digits and hyphens (RFC 1123 §2.1).
    #[error("the character {0:?}, which host names cannot have")]
    Character(char),
    /// A label that UTS-46 does not let through.
    #[error("a label that is not a valid internationalised name")]
    Idna,
    /// A single label, such as `localhost` or a bare top-level domain.
    #[error("only one label: a domain has at least two")]
    OneLabel,
    /// An IPv4 or IPv6 address, or a name whose last label is a number (RFC 3696 §2).
    #[error("an address, not a domain name")]
    Address,
}
