//! The headers of requests, in the order that the configuration wants.

use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
    USER_AGENT,
};

use crate::http::config::{Config, Error};

/// What is sent where no `Accept` is configured.
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.5");
/// The codings that are unpacked.
const CODINGS: HeaderValue = HeaderValue::from_static("gzip, deflate, br");

/// The headers of one fetcher's requests.
pub(in crate::http) struct Headers {
    fields: Vec<(HeaderName, HeaderValue)>,
}

/// What is sent under a name.
enum Value {
    /// The same to everybody.
    Fixed(HeaderValue),
    /// To the domain that it was set for, and to nobody else.
    Credential(HeaderValue),
    /// The site's name and port.
    Host,
    /// The cookies that the site may have.
    Cookie,
}

/// Everything that is the same in each request.
pub(in crate::http) struct Template(Vec<(HeaderName, Value)>);

/// What differs from request to request.
pub(in crate::http) struct Varying {
    /// The site's name, with its port where that is not the scheme's.
    pub(in crate::http) host: HeaderValue,
    pub(in crate::http) cookie: Option<HeaderValue>,
    /// Whether the request goes to the domain that was asked for, not to one that a redirect led to.
    pub(in crate::http) own: bool,
    /// What a proxy is told to which the request is handed whole.
    pub(in crate::http) proxy: Option<HeaderValue>,
}

impl Template {
    /// Puts the configured headers in order.
    ///
    /// # Errors
    ///
    /// Names the header that cannot be sent.
    pub(in crate::http) fn new(config: &Config) -> Result<Self, Error> {
        let agent = HeaderValue::from_str(&config.user_agent).map_err(|_| Error::UserAgent)?;
        let mut fields = vec![
            (HOST, Value::Host),
            (USER_AGENT, Value::Fixed(agent)),
            (ACCEPT, Value::Fixed(ACCEPTED)),
        ];
        for (text, value) in &config.headers {
            let name =
                HeaderName::try_from(text.as_str()).map_err(|_| Error::HeaderName(text.clone()))?;
            let value =
                HeaderValue::from_str(value).map_err(|_| Error::HeaderValue(text.clone()))?;
            let value = match is_credential(text) {
                true => Value::Credential(value),
                false => Value::Fixed(value),
            };
            // Of two that have one name the last holds, as it does over a default.
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => fields.push((name, value)),
            }
        }
        fields.push((ACCEPT_ENCODING, Value::Fixed(CODINGS)));
        fields.push((COOKIE, Value::Cookie));
        let place = |name: &HeaderName| {
            let named = |wanted: &String| wanted.eq_ignore_ascii_case(name.as_str());
            let found = config.header_order.iter().position(named);
            found.unwrap_or(config.header_order.len())
        };
        fields.sort_by_key(|(name, _)| place(name));
        Ok(Self(fields))
    }

    /// Fills in what differs.
    pub(in crate::http) fn fill(&self, varying: Varying) -> Headers {
        let mut fields = Vec::with_capacity(self.0.len() + 1);
        for (name, value) in &self.0 {
            let value = match value {
                Value::Fixed(value) => Some(value.clone()),
                Value::Credential(value) => varying.own.then(|| value.clone()),
                Value::Host => Some(varying.host.clone()),
                Value::Cookie => varying.cookie.clone(),
            };
            fields.extend(value.map(|value| (name.clone(), value)));
        }
        fields.extend(varying.proxy.map(|value| (PROXY_AUTHORIZATION, value)));
        Headers { fields }
    }
}

impl Headers {
    /// Gives them as HTTP/1.1 has them; they are sent in the order in which they are put in.
    pub(super) fn for_http1(self) -> HeaderMap {
        self.fields.into_iter().collect()
    }

    /// Gives them as HTTP/2 has them: the host is part of the address there (RFC 9113 §8.3.1).
    pub(super) fn for_http2(self) -> HeaderMap {
        let without_host = |(name, _): &(HeaderName, HeaderValue)| *name != HOST;
        self.fields.into_iter().filter(without_host).collect()
    }
}

/// Tells whether a header proves who the sender is, so that only the domain it was set for may have it.
fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "authorization"
        || ["token", "api-key", "apikey", "secret", "auth"]
            .iter()
            .any(|word| name.contains(word))
}
