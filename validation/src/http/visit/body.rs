//! The last answer: its facts, and its body as a page.

use std::fmt::Write as _;

use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, TRANSFER_ENCODING,
};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Answered, Missed, Visit};
use crate::http::client::{Answer, Decoder, Fed};
use crate::http::fault::{Blame, Fault, UNFINISHED};
use crate::http::report::Report;
use crate::page::{self, Page};

/// Bodies up to this length are read as pages in place; longer ones on a blocking thread.
const IN_PLACE: usize = 128 << 10;

impl Visit<'_> {
    /// Judges the last answer, and reads its body if it is a success.
    pub(super) async fn answer(mut self, answered: Answered) -> Result<Report, Missed> {
        let Answered {
            mut answer,
            address,
            tls,
        } = answered;
        let status = answer.head.status.as_u16();
        let mut report = Report {
            status: Some(status),
            final_url: Some(self.url.clone()),
            redirects: std::mem::take(&mut self.redirects),
            address,
            http_version: Some(format!("{:?}", answer.head.version)),
            tls_version: tls.version,
            certificate_expires: tls.expires,
            ..Report::default()
        };
        report.keep_headers(&answer.head.headers);
        let allowed = &self.fetcher.config.allowed_status_codes;
        let fine = match allowed.is_empty() {
            true => (200..=299).contains(&status),
            false => allowed.contains(&status),
        };
        let fault = if fine {
            self.page(&mut answer, &mut report).await.err()
        } else {
            Some(Fault::status(status))
        };
        match fault {
            None => Ok(report),
            Some(fault) => Err(Missed {
                fault: self.blame(fault),
                unanswered: false,
                report: Box::new(report),
            }),
        }
    }

    async fn page(&mut self, answer: &mut Answer, report: &mut Report) -> Result<(), Fault> {
        let content_type = text_of(&answer.head.headers, CONTENT_TYPE);
        let (body, cut) = self.body(answer).await?;
        report.truncated = cut;
        report.bytes = body.len();
        let base = self.url.clone();
        let work = move || digest_and_read(&body, content_type.as_deref(), &base);
        let language = report
            .header("content-language")
            .and_then(page::language_tag)
            .map(str::to_owned);
        let (hash, page) = if report.bytes <= IN_PLACE {
            work()
        } else {
            tokio::task::spawn_blocking(work)
                .await
                .map_err(|error| Fault::error("page_unreadable", error).blamed(Blame::Unknown))?
        };
        report.content_hash = Some(hash);
        report.page = page;
        if let Some(page) = &mut report.page
            && page.language.is_none()
        {
            page.language = language;
        }
        Ok(())
    }

    /// Reads the body up to the bound and tells whether there is more of it.
    async fn body(&mut self, answer: &mut Answer) -> Result<(Vec<u8>, bool), Fault> {
        let headers = &answer.head.headers;
        // Where only the end of the connection ends a body, a missing farewell of TLS is an end too, as in browsers.
        let framed =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        let coding = text_of(headers, CONTENT_ENCODING);
        let mut decoder = Decoder::new(coding.as_deref(), self.fetcher.config.max_body_bytes);
        loop {
            let piece = self.in_time("while the body came", answer.chunk()).await?;
            let piece = match piece {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(fault) if !framed && fault.code == UNFINISHED => break,
                Err(fault) => return Err(fault),
            };
            let fed = decoder.feed(&piece);
            if fed.map_err(|error| Fault::undecodable(&error))? == Fed::Full {
                return Ok((decoder.cut(), true));
            }
        }
        decoder.finish().map_err(|error| Fault::undecodable(&error))
    }
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn digest_and_read(body: &[u8], content_type: Option<&str>, base: &Url) -> (String, Option<Page>) {
    let mut hash = String::with_capacity(64);
    for byte in Sha256::digest(body) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    // Without a content type, a byte that no text has tells a file from a page.
    let binary = content_type.is_none()
        && body.iter().take(512).any(|byte| *byte == 0)
        && !body.starts_with(b"\xff\xfe");
    let readable = page::readable(content_type) && !binary;
    (
        hash,
        readable.then(|| page::read(body, content_type, Some(base))),
    )
}
