//! A form whose file is read as it arrives.
//!
//! What stands before a part's bytes, and what its reader has not taken, is held in memory and searched again with every
//! packet, so that is bounded by itself, far below the form as a whole.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{
    body::Body,
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
};
use futures::StreamExt as _;

use super::upload::MAX_FORM;
use crate::http::Error;

/// The most bytes that may come without any of a file's among them: the head of a part has some hundred.
const MAX_HEAD: usize = 1 << 20;

/// Bytes that came since the reader had the last of a file.
#[derive(Clone, Debug, Default)]
struct Unread(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    bytes: AtomicUsize,
    /// There were too many of them.
    refused: AtomicBool,
}

/// More came before a part's bytes than any head has.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the head of a part has more than {MAX_HEAD} bytes")]
struct HeadTooLarge;

impl Unread {
    /// Counts what came, and refuses it where there was too much before: what comes at once is in memory already.
    fn count(&self, bytes: usize) -> Result<(), HeadTooLarge> {
        if self.0.bytes.fetch_add(bytes, Ordering::Relaxed) <= MAX_HEAD {
            return Ok(());
        }
        self.0.refused.store(true, Ordering::Relaxed);
        Err(HeadTooLarge)
    }

    fn is_read(&self) {
        self.0.bytes.store(0, Ordering::Relaxed);
    }

    /// Says why a form does not read.
    fn torn(&self, error: &MultipartError) -> Error {
        if self.0.refused.load(Ordering::Relaxed) {
            return Error::bad("body", HeadTooLarge);
        }
        match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge {
                field: "body",
                limit: MAX_FORM,
            },
            _ => Error::bad("body", format!("is no form: {}", error.body_text())),
        }
    }
}

/// A form of one file.
pub(in crate::http) struct Form(Option<(Multipart, Unread)>);

impl FromRequest<crate::http::State> for Form {
    type Rejection = Infallible;

    async fn from_request(
        request: Request,
        state: &crate::http::State,
    ) -> Result<Self, Infallible> {
        let unread = Unread::default();
        let counted = unread.clone();
        let request = request.map(|body| {
            Body::from_stream(body.into_data_stream().map(move |part| {
                let part = part?;
                counted.count(part.len()).map_err(axum::Error::new)?;
                Ok::<_, axum::Error>(part)
            }))
        });
        let form = Multipart::from_request(request, state).await.ok();
        Ok(Self(form.map(|form| (form, unread))))
    }
}

/// The file of a form.
pub(super) struct FormFile<'a> {
    field: Field<'a>,
    unread: &'a Unread,
}

impl Form {
    /// Hands the file `file` to somebody who reads it, and expects nothing else in the form.
    ///
    /// # Errors
    /// 415 for what is no form, 400 where it does not read or has another field, 413, and those of the reader.
    pub(super) async fn read<T>(
        self,
        mut read: impl AsyncFnMut(FormFile<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some((mut form, unread)) = self.0 else {
            return Err(Error::UnsupportedMediaType("multipart/form-data"));
        };
        let mut found = None;
        while let Some(field) = form
            .next_field()
            .await
            .map_err(|error| unread.torn(&error))?
        {
            unread.is_read();
            match field.name() {
                Some("file") if found.is_none() => {
                    let unread = &unread;
                    found = Some(read(FormFile { field, unread }).await?);
                }
                Some("file") => return Err(Error::bad("file", "is there twice")),
                other => {
                    return Err(Error::bad(
                        other.unwrap_or("body"),
                        "is no field of this form",
                    ));
                }
            }
        }
        found.ok_or_else(|| Error::bad("file", "is missing"))
    }
}

impl FormFile<'_> {
    /// What the file is called by whoever sends it.
    pub(super) fn name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next bytes of the file; none after the last.
    ///
    /// # Errors
    /// 400 where the form does not read, 413.
    pub(super) async fn chunk(&mut self) -> Result<Option<axum::body::Bytes>, Error> {
        let chunk = self.field.chunk().await;
        let chunk = chunk.map_err(|error| self.unread.torn(&error))?;
        self.unread.is_read();
        Ok(chunk)
    }
}
