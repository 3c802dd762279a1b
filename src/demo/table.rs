//! What was found, beside what is there.

use aggregates::ids::CampaignId;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use projections::domains::{counts_of, pages_of};
use sandbox::Expected;

use crate::{
    app::App,
    cli::{Error, say},
};

/// Shows both and answers what differs, a line each.
pub(super) async fn compare(
    app: &App,
    campaign_id: CampaignId,
    expected: &Expected,
) -> Result<Vec<String>, Error> {
    let pool = app.database.pool();
    let counts = counts_of(pool, campaign_id)
        .await
        .map_err(Error::step("read the counts"))?;
    let pages = pages_of(pool, campaign_id)
        .await
        .map_err(Error::step("read the figures"))?;
    let dns = |reason: &str| counts.dns_reasons.get(reason).copied().unwrap_or(0);
    let http = |reason: &str| counts.http_reasons.get(reason).copied().unwrap_or(0);
    let rows = [
        ("names", counts.generated, expected.names),
        ("with an address", counts.dns("ok"), expected.dns_ok),
        ("NXDOMAIN", dns("NXDOMAIN"), expected.nxdomain),
        ("no address", dns("NOANSWER"), expected.no_answer),
        ("SERVFAIL", dns("SERVFAIL"), expected.servfail),
        ("REFUSED", dns("REFUSED"), expected.refused),
        ("no answer in time", dns("TIMEOUT"), expected.dns_timeout),
        ("pages", counts.http("ok"), expected.http_ok),
        ("not found", http("NOT_FOUND"), expected.not_found),
        ("server errors", http("UPSTREAM_5XX"), expected.upstream_5xx),
        (
            "certificates run out",
            http("SSL_EXPIRED"),
            expected.ssl_expired,
        ),
        ("other TLS failures", http("TLS_ERROR"), expected.tls_error),
        (
            "connections reset",
            http("CONNECTION_RESET"),
            expected.connection_reset,
        ),
        ("no page in time", http("TIMEOUT"), expected.http_timeout),
        ("other failures", http("ERROR"), expected.http_error),
        (
            "parked",
            u64::try_from(pages.parked).unwrap_or(0),
            expected.parked,
        ),
        (
            "with a keyword",
            counts.keyword_hits,
            expected.with_keywords_on_site,
        ),
    ];
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(["", "found", "there"]);
    let mut wrong = Vec::new();
    for (what, found, there) in rows {
        table.add_row([what.to_owned(), found.to_string(), there.to_string()]);
        if found != there {
            wrong.push(format!("{what}: {found} found, {there} there"));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    say(format_args!("\n{table}"))?;
    say(format_args!(
        "leads: {}, by reason: {}",
        counts.lead("match"),
        reasons(&counts.reasons)
    ))?;
    let decided: u64 = counts.reasons.values().sum();
    if counts.reason("pending") > 0 || decided != counts.generated {
        wrong.push("a domain has no decision".to_owned());
    }
    Ok(wrong)
}

fn reasons(reasons: &std::collections::BTreeMap<String, u64>) -> String {
    let each: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    each.join(", ")
}
