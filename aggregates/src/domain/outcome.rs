//! Outcomes and the closed lists of reasons, by their names on the wire.

use serde::{Deserialize, Serialize};

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It succeeded; there is no reason.
    Ok,
    /// It failed, and the reason says how.
    Error,
    /// No answer came in time.
    Timeout,
}

impl Outcome {
    /// Returns the outcome's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
        }
    }
}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the reason's name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    /// Why a DNS check did not give an address.
    DnsReason {
        /// The name does not exist.
        Nxdomain = "NXDOMAIN",
        /// The server failed.
        Servfail = "SERVFAIL",
        /// The server refused.
        Refused = "REFUSED",
        /// The name exists and has no address.
        NoAnswer = "NOANSWER",
        /// No answer came in time.
        Timeout = "TIMEOUT",
        /// Anything else; the detail says what.
        Error = "ERROR",
    }
}

reasons! {
    /// Why an HTTP check did not give a page.
    HttpReason {
        /// No page came in time.
        Timeout = "TIMEOUT",
        /// Status 404 or 410.
        NotFound = "NOT_FOUND",
        /// A status of 500 and above.
        Upstream5xx = "UPSTREAM_5XX",
        /// The proxy was at fault.
        ProxyError = "PROXY_ERROR",
        /// The TLS handshake failed.
        TlsError = "TLS_ERROR",
        /// The certificate has expired.
        SslExpired = "SSL_EXPIRED",
        /// The connection was reset.
        ConnectionReset = "CONNECTION_RESET",
        /// Anything else; the detail says what.
        Error = "ERROR",
    }
}
