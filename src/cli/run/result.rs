//! Writing a result: to a file that is there whole or not at all, or to standard output.

use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use aggregates::ids::CampaignId;
use projections::domains::Filter;
use tempfile::NamedTempFile;

use super::{Error, Format as Wanted};
use crate::{
    app::App,
    http::campaigns::export::{Format, ROWS, page_after, write_page},
};

/// The reason of a lead.
const QUALIFIED: &str = "qualified";

/// Where a result goes. Whether a file can be written is tried before the work begins, so that a wrong place is known
/// at once; the file itself is made when there is something to write.
pub(super) struct Sink {
    format: Format,
    path: Option<PathBuf>,
}

impl Sink {
    pub(super) fn open(path: Option<PathBuf>, format: Option<Wanted>) -> Result<Self, Error> {
        let ending = path
            .as_ref()
            .and_then(|path| path.extension())
            .and_then(|ending| ending.to_str());
        let format = match (format, ending) {
            (Some(Wanted::Ndjson), _) | (None, Some("ndjson" | "jsonl")) => Format::Ndjson,
            _ => Format::Csv,
        };
        if let Some(path) = &path {
            if path.is_dir() {
                return Err(Error::Usage(format!(
                    "--out {} is a directory",
                    path.display()
                )));
            }
            beside(path)
                .map_err(|error| Error::Usage(format!("--out {}: {error}", path.display())))?;
        }
        Ok(Self { format, path })
    }

    /// Writes the leads, or every domain; answers how many that were.
    pub(super) async fn write(
        self,
        app: &App,
        campaign_id: CampaignId,
        all: bool,
    ) -> Result<u64, Error> {
        let filter = Filter {
            rejection_reasons: (!all).then(|| vec![QUALIFIED.to_owned()]),
            ..Filter::default()
        };
        let Some(path) = self.path else {
            return write_to(
                &mut std::io::stdout().lock(),
                self.format,
                app,
                campaign_id,
                &filter,
            )
            .await;
        };
        let mut file = beside(&path).map_err(Error::step("write the result"))?;
        let written = write_to(&mut file, self.format, app, campaign_id, &filter).await?;
        file.persist(&path)
            .map_err(|error| Error::step("write the result")(error.error))?;
        Ok(written)
    }
}

/// Makes a file beside the result's place, to be moved there when it is whole; dropped, it is gone.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Readable for others like any file that a command writes; temporary files are not by default.
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    tempfile::Builder::new()
        .prefix(".domainflow-")
        .suffix(".tmp")
        .permissions(permissions)
        .tempfile_in(directory)
}

async fn write_to(
    output: &mut impl Write,
    format: Format,
    app: &App,
    campaign_id: CampaignId,
    filter: &Filter,
) -> Result<u64, Error> {
    let mut output = BufWriter::new(output);
    let (mut after, mut written, mut is_first) = (None, 0, true);
    loop {
        let rows = page_after(app.database.pool(), campaign_id, filter, None, after)
            .await
            .map_err(Error::step("read the result"))?;
        let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < ROWS;
        let text = write_page(campaign_id, &rows, format, is_first, is_last)
            .map_err(Error::step("write the result"))?;
        output
            .write_all(&text)
            .map_err(Error::step("write the result"))?;
        written += rows.len() as u64;
        is_first = false;
        match rows.last().filter(|_| !is_last) {
            Some(last) => after = Some((None, last.ordinal)),
            None => break,
        }
    }
    output.flush().map_err(Error::step("write the result"))?;
    Ok(written)
}
