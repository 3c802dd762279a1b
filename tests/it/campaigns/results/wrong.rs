//! Parameters that cannot be.

use crate::support::server::Client;

pub async fn wrong_parameters_are_named(ann: &Client, path: &str) {
    for (query, field) in [
        ("dnsStatus=up", "dnsStatus"),
        ("httpStatus=200", "httpStatus"),
        ("dnsReason=nxdomain", "dnsReason"),
        ("httpReason=X", "httpReason"),
        ("minScore=101", "minScore"),
        ("minScore=NaN", "minScore"),
        ("minScore=high", "minScore"),
        ("notParked=1", "notParked"),
        ("keyword=", "keyword"),
        ("sort=name", "sort"),
        ("dir=up", "dir"),
        ("sort=richness_score&dir=up", "dir"),
        ("warnings=yes", "warnings"),
        ("rejectionReason=qualified,other", "rejectionReason"),
        ("dnsstatus=ok", "dnsstatus"),
    ] {
        ann.get(&format!("{path}/domains?{query}"))
            .send()
            .await
            .blames(400, field);
        ann.get(&format!("{path}/export?{query}"))
            .send()
            .await
            .blames(400, field);
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("first=0", "first"),
        ("first=5&limit=6", "first"),
        ("offset=-1", "offset"),
        ("after=x", "after"),
        ("format=csv", "format"),
    ] {
        ann.get(&format!("{path}/domains?{query}"))
            .send()
            .await
            .blames(400, field);
    }
    let page = ann
        .get(&format!("{path}/domains?first=1"))
        .send()
        .await
        .ok(200);
    let cursor = page["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    ann.get(&format!(
        "{path}/domains?first=1&sort=richness_score&after={cursor}"
    ))
    .send()
    .await
    .blames(400, "after");
    ann.get(&format!("{path}/domains?offset=1&after={cursor}"))
        .send()
        .await
        .blames(400, "offset");
    ann.get(&format!("{path}/export?format=xml"))
        .send()
        .await
        .blames(400, "format");
    ann.get(&format!("{path}/history?limit=0"))
        .send()
        .await
        .blames(400, "limit");
    ann.get(&format!("{path}?asOf=now"))
        .send()
        .await
        .blames(400, "asOf");
}
