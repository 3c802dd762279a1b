//! The wire against the contract that existing clients know: `tests/contract/v2.txt` states its facts, and the OpenAPI
//! document of the interface must say the same. That the answers are as the document says is held for every answer
//! that a test's client sees, by `support/answers.rs`.

mod compare;
mod described;
mod notation;

use std::collections::BTreeSet;

use self::{compare::Comparison, notation::Contract};

/// Operations of the contract that are not built.
const UNBUILT: &str = "
";

/// What the document has beyond the contract.
const ADDED: &str = "
    BatchKeywordExtractionResponse.results[].contextsLeftOut
    BatchKeywordExtractionResponse.results[].incomplete
    BatchKeywordExtractionResponse.results[].matchesLeftOut
    BatchKeywordExtractionResponse.results[].truncated
    CampaignResponse.mode
    ControlConflict.success
    CreateCampaignRequest.mode
    DELETE /auth/api-keys/{keyId}
    DELETE /auth/sessions
    DELETE /auth/sessions/{sessionId}
    DELETE /me
    DELETE /users/{userId}
    DiscoveryPreviewResponse.data.sampleDomains
    GET /audit
    GET /audit/{position}/proof
    GET /auth/api-keys
    GET /auth/sessions
    GET /campaigns query limit
    GET /campaigns query offset
    GET /campaigns/{campaignId} query asOf
    GET /campaigns/{campaignId}/domains query asOf
    GET /campaigns/{campaignId}/domains/{domain}/history
    GET /campaigns/{campaignId}/export
    GET /campaigns/{campaignId}/funnel query asOf
    GET /campaigns/{campaignId}/history
    GET /campaigns/{campaignId}/status query asOf
    GET /config/politeness
    GET /config/reconciliation
    GET /config/requests
    GET /me
    GET /me/export
    GET /metrics
    GET /monitoring/performance/metrics
    HealthResponse.checks
    HealthResponse.condition
    GET /politeness
    GET /proxies/status query limit
    GET /proxies/status query offset
    GET /proxies/{proxyId}
    GET /proxy-pools query limit
    GET /proxy-pools query offset
    GET /proxy-pools/{poolId}
    GET /sse/campaigns/{campaignId}/events query after
    GET /sse/campaigns/{campaignId}/events query domains
    GET /sse/events query after
    GET /sse/events query domains
    GET /users/{userId}/export
    KeywordRuleDTO.weight
    KeywordRuleRequest.weight
    POST /auth/api-keys
    POST /auth/setup
    POST /campaigns/{campaignId}/rescore query dryRun
    POST /campaigns/{campaignId}/retry
    POST /campaigns/{campaignId}/start
    POST /campaigns/{campaignId}/upload
    DELETE /suppression/{id}
    GET /suppression
    GET /suppression/check
    GET /suppression/{id}
    POST /change-password
    POST /suppression
    POST /suppression/upload
    PUT /config/politeness
    PUT /config/reconciliation
    PUT /config/requests
    PersonaConfigDns.attempts
    PersonaConfigDns.checkWildcards
    PersonaConfigDns.resolverRateLimit
    PersonaConfigDns.zoneRateLimit
    PersonaConfigDns.tcpOnTruncation
    PersonaConfigHttp.cookieHandling.cookies
    PersonaConfigHttp.robots
    UserPublicResponse.role
    header If-Match
    header X-Idempotency-Key
    header X-Read-After
";

/// Where the document says something else than the contract on purpose, and why.
const DIFFERENT: [(&str, &str); 10] = [
    (
        "POST /campaigns/{campaignId}/rescore answers 200, not 204",
        "200 answers a dry run, which the contract does not have; without it the answer is 204",
    ),
    (
        "FlexibleValue may be anything",
        "the contract's own create request nests deeper than the values it gives here",
    ),
    (
        "CreateCampaignRequest.configuration.patternConfig.type may be left out",
        "a configuration that only lists names has no pattern",
    ),
    (
        "CreateCampaignRequest.configuration.patternConfig.type has the values {\"both_variable\", \"constant\", \
         \"prefix_variable\", \"suffix_variable\", \"variable\"}, not {\"constant\", \"variable\"}",
        "the words of the discovery preview are taken here as well",
    ),
    (
        "CreateScoringProfileRequest.version has minimum Some(\"0\"), not None",
        "there is no version below 0",
    ),
    (
        "UpdateScoringProfileRequest.version has minimum Some(\"0\"), not None",
        "there is no version below 0",
    ),
    (
        "KeywordRuleRequest.contextChars has minimum Some(\"0\"), not None",
        "there is no context of less than nothing",
    ),
    (
        "POST /campaigns/domain-generation/pattern-offset does not say that it answers 404",
        "a pattern that nobody used begins at 0, so there is nothing to be missing",
    ),
    (
        "POST /personas/{id}/test body has a schema",
        "a target may be named; without a body it is the operator's",
    ),
    (
        "SessionResponse.refreshToken is missing",
        "the session itself is prolonged, by its own token",
    ),
];

fn lines(list: &str) -> BTreeSet<String> {
    list.lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn check(found: &BTreeSet<String>, known: &BTreeSet<String>, what: &str) -> Vec<String> {
    let unknown = found
        .difference(known)
        .map(|one| format!("{what}, not listed: {one}"));
    let gone = known
        .difference(found)
        .map(|one| format!("{what}, listed and not so: {one}"));
    unknown.chain(gone).collect()
}

#[test]
fn the_document_says_what_existing_clients_know() {
    let contract = Contract::parse(include_str!("../../contract/v2.txt"));
    assert_eq!(contract.operations.len(), 94);
    let document = serde_json::to_value(domainflow::http::openapi()).unwrap();
    let comparison = Comparison::of(&contract, &document);
    let different = DIFFERENT.map(|(what, _)| what.to_owned()).into();
    let mut faults = check(&comparison.differences, &different, "differs");
    faults.extend(check(&comparison.additions, &lines(ADDED), "added"));
    faults.extend(check(&comparison.missing, &lines(UNBUILT), "not built"));
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}
