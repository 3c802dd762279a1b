//! Questions over HTTPS in wire format (RFC 8484), by POST.

use std::{error::Error as _, io, sync::Arc, time::Duration};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect, retry,
};
use rustls::ClientConfig;

use super::{
    Error, Resolver,
    message::{Answer, Header, Question},
    socket::Failure,
    trust,
};
use crate::http::AllowedRanges;

/// The type of questions and answers, RFC 8484 §6.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/dns-message");
/// Longest message, RFC 1035 §4.2.2.
const LONGEST: usize = 65_535;
/// How long a connection without questions is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The client of one server; it keeps its connection, over HTTP/2 for many questions at once.
#[derive(Debug)]
pub(super) struct Client {
    client: reqwest::Client,
    url: String,
}

impl Client {
    /// Prepares a client; nothing is connected yet.
    pub(super) fn new(
        server: &Resolver,
        tls: &ClientConfig,
        allowed: AllowedRanges,
        limit: Duration,
    ) -> Result<Self, Error> {
        let headers = HeaderMap::from_iter([(ACCEPT, MEDIA_TYPE), (CONTENT_TYPE, MEDIA_TYPE)]);
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .https_only(true)
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .dns_resolver(Arc::new(Outside(allowed)))
            .tls_backend_preconfigured(tls.clone())
            .pool_idle_timeout(IDLE)
            .timeout(limit)
            .build()
            .map_err(|error| Error::invalid("resolvers", format!("{server}: {error}")))?;
        Ok(Self {
            client,
            url: server.to_string(),
        })
    }

    /// Asks and waits for the answer, within the time that the client was made with.
    pub(super) async fn ask(&self, question: &Question, edns: bool) -> Result<Answer, Failure> {
        // The id is 0, so that caches on the way see equal questions as equal (RFC 8484 §4.1).
        let request = self.client.post(&self.url).body(question.message(0, edns));
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            let status = response.status().as_u16();
            return Err(Failure::Transport(format!("HTTP status {status}")));
        }
        if response.headers().get(CONTENT_TYPE) != Some(&MEDIA_TYPE) {
            return Err(Failure::Transport(
                "the answer is no DNS message".to_owned(),
            ));
        }
        let mut message = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if message.len() + chunk.len() > LONGEST {
                return Err(Failure::Malformed);
            }
            message.extend_from_slice(&chunk);
        }
        read(&message, question).ok_or(Failure::Malformed)
    }
}

fn read(message: &[u8], question: &Question) -> Option<Answer> {
    let header = Header::read(message).filter(|header| header.response && header.id == 0)?;
    if !question.is_asked_by(&header, message) {
        return None;
    }
    Answer::read(&header, message, question).ok()
}

/// Tells a time-out from all else, of which the innermost cause says most.
fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Timeout;
    }
    let mut innermost = error.source();
    while let Some(inner) = innermost.and_then(|cause| cause.source()) {
        innermost = Some(inner);
    }
    Failure::Transport(
        innermost.map_or_else(|| "no answer over HTTPS".to_owned(), ToString::to_string),
    )
}

/// Finds servers that have a name, see [`trust::look_up`].
#[derive(Debug)]
struct Outside(AllowedRanges);

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            // Port 0 stands for the port of the address that is asked for.
            let found: io::Result<_> = trust::look_up(name.as_str(), 0, &allowed).await;
            Ok(Box::new(found?.into_iter()) as Addrs)
        })
    }
}
