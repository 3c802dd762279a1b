//! A campaign's domains as a download of any size: read page by page, written as it is read.

use aggregates::ids::CampaignId;
use axum::http::header;
use axum::{
    body::Body,
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::Stream;
use projections::domains::{self, Direction, Filter, Listed, Page, Sort, confidence};
use sqlx::PgPool;
use uuid::Uuid;

use super::{access, domains::joined, filters::domains_query, views::DomainListItem};
use crate::http::{Caller, Error, Path, State, query};

/// Rows that are held in memory at once; one whose page was found has some 50 kB with all of its evidence.
pub(crate) const ROWS: i64 = 200;

domains_query! {
    /// Which domains, and how they are written.
    ExportQuery {
        /// `csv`, `json` or `ndjson`; csv where absent.
        format: Option<String>,
    }
}

/// How rows are written; the command line writes them alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A heading and a line a domain.
    Csv,
    /// One array.
    Json,
    /// An object a line.
    Ndjson,
}

impl Format {
    /// Reads how a download is written; as CSV where nothing is said.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Error> {
        match text {
            None | Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            Some("ndjson") => Ok(Self::Ndjson),
            Some(_) => Err(Error::bad("format", "must be one of csv, json, ndjson")),
        }
    }

    /// Returns the type of the download's text.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// Returns what its file's name ends with.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }

    /// Writes a page as JSON or as lines of it; the first and the last one have what is around all items.
    ///
    /// # Errors
    /// When an item cannot be written as JSON.
    pub(crate) fn write<T: serde::Serialize>(
        self,
        page: &[T],
        is_first: bool,
        is_last: bool,
    ) -> Result<Bytes, std::io::Error> {
        let mut text = Vec::new();
        if self == Self::Json && is_first {
            text.push(b'[');
        }
        for (at, item) in page.iter().enumerate() {
            if self == Self::Json && !(is_first && at == 0) {
                text.push(b',');
            }
            serde_json::to_writer(&mut text, item)?;
            if self == Self::Ndjson {
                text.push(b'\n');
            }
        }
        if self == Self::Json && is_last {
            text.push(b']');
        }
        Ok(text.into())
    }
}

/// Downloads a campaign's domains that pass all filters. Rows that change while a long download runs are written as
/// they are when their page is read.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/export", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ExportQuery),
    responses((status = 200, content((String = "text/csv"), (Vec<DomainListItem> = "application/json"),
        (String = "application/x-ndjson"))), (status = 404),
        (status = 422, description = "a sort by what no campaign has"))
)]
pub(super) async fn export(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Error> {
    let wanted: ExportQuery = query::parse(&joined(raw.as_deref().unwrap_or_default()))?;
    let (filter, sort) = (wanted.filter()?, wanted.sorting()?);
    let format = Format::parse(wanted.format.as_deref())?;
    let campaign_id = access::owned(&state, &caller, id).await?;
    let pool = state.app.database.pool().clone();
    // The first page is read before the answer begins, so that a failing database is an error and not a torn file.
    let first = page_after(&pool, campaign_id, &filter, sort, None).await?;
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"campaign-{id}.{}\"", format.suffix()),
        ),
    ];
    let body = Body::from_stream(written(pool, campaign_id, filter, sort, format, first));
    Ok((headers, body).into_response())
}

/// Reads the next page of a download.
pub(crate) async fn page_after(
    pool: &PgPool,
    campaign_id: CampaignId,
    filter: &Filter,
    sort: Option<(Sort, Direction)>,
    after: Option<(Option<f64>, i64)>,
) -> Result<Vec<Listed>, sqlx::Error> {
    let page = Page {
        limit: ROWS,
        offset: 0,
        after,
        sort,
    };
    domains::page(pool, campaign_id, filter, &page).await
}

fn written(
    pool: PgPool,
    campaign_id: CampaignId,
    filter: Filter,
    sort: Option<(Sort, Direction)>,
    format: Format,
    first: Vec<Listed>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    async_stream::try_stream! {
        let mut rows = first;
        let mut is_first = true;
        loop {
            let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < ROWS;
            yield write_page(campaign_id, &rows, format, is_first, is_last)?;
            let Some(last) = rows.last().filter(|_| !is_last) else {
                break;
            };
            let after = (sort.and_then(|(sort, _)| last.sort_value(sort)), last.ordinal);
            is_first = false;
            rows = page_after(&pool, campaign_id, &filter, sort, Some(after)).await.map_err(std::io::Error::other)?;
        }
    }
}

/// Writes a page; the first and the last one have what is around all rows.
pub(crate) fn write_page(
    campaign_id: CampaignId,
    rows: &[Listed],
    format: Format,
    is_first: bool,
    is_last: bool,
) -> Result<Bytes, std::io::Error> {
    if format == Format::Csv {
        return write_csv(rows, is_first);
    }
    let items: Vec<DomainListItem> = rows
        .iter()
        .map(|row| DomainListItem::of(campaign_id, row))
        .collect();
    format.write(&items, is_first, is_last)
}

const HEADINGS: [&str; 17] = [
    "domain",
    "offset",
    "createdAt",
    "dnsStatus",
    "dnsReason",
    "addresses",
    "httpStatus",
    "httpReason",
    "fetchedAt",
    "keywords",
    "keywordsUnique",
    "parkedConfidence",
    "hasContact",
    "domainScore",
    "richness",
    "leadStatus",
    "rejectionReason",
];

fn write_csv(rows: &[Listed], with_headings: bool) -> Result<Bytes, std::io::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_headings {
        writer.write_record(HEADINGS)?;
    }
    for row in rows {
        writer.write_record(cells(row))?;
    }
    let text = writer
        .into_inner()
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(text.into())
}

fn cells(row: &Listed) -> [String; 17] {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let time = |value: chrono::DateTime<chrono::Utc>| {
        value.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    };
    [
        row.name.clone(),
        row.pattern_offset
            .map(|offset| offset.to_string())
            .unwrap_or_default(),
        time(row.created_at),
        row.dns_status.clone(),
        row.dns_reason.clone(),
        row.addresses.clone().unwrap_or_default(),
        row.http_status.clone(),
        row.http_reason.clone(),
        row.fetched_at.map(time).unwrap_or_default(),
        plain(&row.keywords.clone().unwrap_or_default().join("|")),
        row.keywords_unique
            .map(|unique| unique.to_string())
            .unwrap_or_default(),
        number(row.parked_confidence.map(confidence)),
        row.has_contact.to_string(),
        number(row.score.map(super::views::on_the_wire)),
        number(row.richness_score),
        row.lead_status.clone(),
        row.rejection_reason.clone(),
    ]
}

/// Keeps a spreadsheet from taking a keyword for a formula.
pub(crate) fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
