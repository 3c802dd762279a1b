//! Questions over HTTPS in wire format (RFC 8484), by POST.

use std::{
    error::Error as _,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect, retry,
};
use rustls::ClientConfig;
use tokio_util::sync::CancellationToken;

use super::{
    Error, Resolver,
    message::{Answer, Header, Question},
    socket::Failure,
    trust::{self, Outside},
};

/// The type of questions and answers, RFC 8484 §6.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/dns-message");
/// Longest message, RFC 1035 §4.2.2.
const LONGEST: usize = 65_535;
/// How long a connection without questions is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The client of one server; it keeps its connection, over HTTP/2 for many questions at once.
#[derive(Debug)]
pub(super) struct Client {
    make: Make,
    current: Mutex<reqwest::Client>,
    url: String,
    host: String,
    stop: CancellationToken,
}

/// What a client is made of.
#[derive(Debug)]
struct Make {
    tls: ClientConfig,
    limit: Duration,
    finder: Finder,
}

impl Make {
    fn client(&self) -> Result<reqwest::Client, reqwest::Error> {
        let headers = HeaderMap::from_iter([(ACCEPT, MEDIA_TYPE), (CONTENT_TYPE, MEDIA_TYPE)]);
        reqwest::Client::builder()
            .default_headers(headers)
            .https_only(true)
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .dns_resolver(Arc::new(self.finder.clone()))
            .tls_backend_preconfigured(self.tls.clone())
            .pool_idle_timeout(IDLE)
            .timeout(self.limit)
            .build()
    }
}

impl Client {
    /// Prepares a client; nothing is connected yet.
    pub(super) fn new(
        server: &Resolver,
        tls: &ClientConfig,
        outside: Outside,
        limit: Duration,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let invalid = |error: &dyn std::fmt::Display| {
            Error::invalid("resolvers", format!("{server}: {error}"))
        };
        let url = server.to_string();
        let host = reqwest::Url::parse(&url).map_err(|error| invalid(&error))?;
        let make = Make {
            tls: tls.clone(),
            limit,
            finder: Finder {
                outside,
                found: Arc::default(),
            },
        };
        let client = make.client().map_err(|error| invalid(&error))?;
        Ok(Self {
            make,
            current: Mutex::new(client),
            host: host.host_str().unwrap_or_default().to_owned(),
            url,
            stop,
        })
    }

    /// Gives the server's name, or its address where it has none.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Gives the client with its connections, a new one without any where an address that they may lead to came onto the
    /// suppression list.
    fn client(&self) -> Result<reqwest::Client, Failure> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if self.make.finder.forget_held() {
            let made = self.make.client();
            *current = made.map_err(|error| Failure::Transport(error.to_string()))?;
        }
        Ok(current.clone())
    }

    /// Asks and waits for the answer, within the time that the client was made with.
    pub(super) async fn ask(&self, question: &Question, edns: bool) -> Result<Answer, Failure> {
        let exchange = self.exchange(question, edns);
        let ended = self.stop.run_until_cancelled(exchange).await;
        ended.unwrap_or(Err(Failure::Stopped))
    }

    async fn exchange(&self, question: &Question, edns: bool) -> Result<Answer, Failure> {
        // The id is 0, so that caches on the way see equal questions as equal (RFC 8484 §4.1).
        let client = self.client()?;
        let request = client.post(&self.url).body(question.message(0, edns));
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

/// Finds servers that have a name, see [`trust::look_up`], and remembers where they are.
#[derive(Clone, Debug)]
struct Finder {
    outside: Outside,
    found: Arc<Mutex<Vec<IpAddr>>>,
}

impl Finder {
    /// Forgets what was found, and says so, where the suppression list names some of it.
    fn forget_held(&self) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = found
            .iter()
            .any(|address| self.outside.held(*address).is_some());
        if is_held {
            found.clear();
        }
        is_held
    }
}

impl Resolve for Finder {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            // Port 0 stands for the port of the address that is asked for.
            let found: io::Result<_> = trust::look_up(name.as_str(), 0, &this.outside).await;
            let found = found?;
            *this.found.lock().unwrap_or_else(PoisonError::into_inner) =
                found.iter().map(|address| address.ip()).collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
