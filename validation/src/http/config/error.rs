//! Why a setting is refused.

use std::time::Duration;

/// Says which setting is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user agent is empty or not a header value.
    #[error("the user agent must be a text that can be sent in a header")]
    UserAgent,
    /// The name is not one of a header.
    #[error("{0:?} is not a header name")]
    HeaderName(String),
    /// The value has characters that a header cannot have.
    #[error("the value of header {0:?} cannot be sent in a header")]
    HeaderValue(String),
    /// The header is managed by the client or has a setting of its own.
    #[error("header {0:?} cannot be set: the client manages it, or it has a setting of its own")]
    HeaderRefused(String),
    /// The order names a header that is not sent, or one twice.
    #[error("header_order names {0:?} twice, or no header of that name is sent")]
    HeaderOrder(String),
    /// The cookie cannot be written in a header.
    #[error("cookie {0:?} has a name or a value that a cookie cannot have")]
    Cookie(String),
    /// The status code is not one that a final answer can have.
    #[error("{0} is not a final http status code, allowed are 200 to 599")]
    StatusCode(u16),
    /// A number is out of its bounds.
    #[error("{name} is {value}, it must be between {least} and {most}")]
    Bounds {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: usize,
        /// Lower bound.
        least: usize,
        /// Upper bound.
        most: usize,
    },
    /// A time is zero or too long.
    #[error("{name} is {value:?}, it must be more than zero and at most 300 seconds")]
    Time {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: Duration,
    },
    /// The lowest TLS version is above the highest.
    #[error("the lowest tls version is above the highest")]
    TlsVersions,
    /// The rate is not positive.
    #[error(
        "a rate limit needs a positive number of requests a second and a burst of at least one"
    )]
    Rate,
    /// A port is zero.
    #[error("port 0 cannot be connected to")]
    Port,
    /// A trusted root is not a certificate.
    #[error("a trusted root is not a certificate: {0}")]
    Root(String),
    /// The TLS library refused the configuration.
    #[error("tls cannot be set up: {0}")]
    Tls(String),
}
