//! The results of a typed campaign as a download of any size: read page by page, written as it is read.

use aggregates::campaign::CampaignType;
use axum::{
    body::Body,
    extract::RawQuery,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::Stream;
use projections::{
    campaigns::Campaign,
    domains::{Filter, Listed},
};
use uuid::Uuid;

use super::{
    access,
    records::{Record, cells, headings, records},
};
use crate::http::{
    Caller, Error, Path, State,
    campaigns::{
        domains::joined,
        export::{Format, ROWS, page_after},
        filters::domains_query,
    },
    query, vocabulary,
};

domains_query! {
    /// Which domains, and how they are written.
    ResultsQuery {
        /// `csv`, `json` or `ndjson`; csv where absent.
        format: Option<String>,
    }
}

/// Downloads the domains of a campaign that pass all filters, each with its evidence. Rows that change while a long
/// download runs are written as they are when their page is read.
///
/// The columns of the CSV: of `generation` `domain`, `generationStatus`, `generatedAt`, `offset`; of `dns` and `http`
/// `domain`, `validationStatus`, `lastCheckedAt`, `errorDetails`, `addresses`, `httpStatusCode`, `finalUrl`; of `lead`
/// `domain`, `url`, `keywords`, `score` (0 to 100), `extractionStatus`, `leadStatus`, `rejectionReason`, `errorDetails`,
/// `lastProcessedAt`.
#[utoipa::path(
    get, path = "/campaigns/{type}/{campaignId}/results", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path), ResultsQuery),
    responses((status = 200, content((String = "text/csv"), (Vec<Record> = "application/json"),
        (String = "application/x-ndjson"))), (status = 404),
        (status = 422, description = "a sort by what no campaign has"))
)]
pub(super) async fn results(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    let wanted: ResultsQuery = query::parse(&joined(raw.as_deref().unwrap_or_default()))?;
    let (filter, sort) = (wanted.filter()?, wanted.sorting()?);
    let format = Format::parse(wanted.format.as_deref())?;
    let campaign = access::shown(&state, &caller, (campaign_type, id)).await?;
    let campaign = campaign.overview.campaign;
    // The first page is read before the answer begins, so that a failing database is an error and not a torn file.
    let pool = state.app.database.pool();
    let first = page_after(pool, campaign.campaign_id, &filter, sort, None).await?;
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!(
                "attachment; filename=\"{}-{id}.{}\"",
                campaign_type.name(),
                format.suffix()
            ),
        ),
    ];
    let download = Download {
        state,
        campaign,
        filter,
        sort,
        format,
    };
    Ok((headers, Body::from_stream(download.written(first))).into_response())
}

struct Download {
    state: State,
    campaign: Campaign,
    filter: Filter,
    sort: Option<(projections::domains::Sort, projections::domains::Direction)>,
    format: Format,
}

impl Download {
    fn written(self, first: Vec<Listed>) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        async_stream::try_stream! {
            let mut rows = first;
            let mut is_first = true;
            loop {
                let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < ROWS;
                let after = rows.last().map(|last| {
                    (self.sort.and_then(|(sort, _)| last.sort_value(sort)), last.ordinal)
                });
                let page = records(&self.state, &self.campaign, rows).await.map_err(std::io::Error::other)?;
                yield write_page(self.campaign.campaign_type, &page, self.format, is_first, is_last)?;
                if is_last {
                    break;
                }
                is_first = false;
                let pool = self.state.app.database.pool();
                rows = page_after(pool, self.campaign.campaign_id, &self.filter, self.sort, after)
                    .await
                    .map_err(std::io::Error::other)?;
            }
        }
    }
}

fn write_page(
    campaign_type: CampaignType,
    page: &[Record],
    format: Format,
    is_first: bool,
    is_last: bool,
) -> Result<Bytes, std::io::Error> {
    if format != Format::Csv {
        return format.write(page, is_first, is_last);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    if is_first {
        writer.write_record(headings(campaign_type))?;
    }
    for record in page {
        writer.write_record(cells(record))?;
    }
    let text = writer.into_inner();
    let text = text.map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(text.into())
}
