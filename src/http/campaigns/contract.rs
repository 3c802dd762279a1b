//! The shapes of campaigns as existing clients know them: no field that they read or send may go missing.

use serde_json::Value;

/// Each schema with its fields; those with a star are always there.
const SHAPES: [(&str, &str); 28] = [
    (
        "CampaignDomainsListResponse",
        "campaignId* items* total* aggregates pageInfo",
    ),
    (
        "CampaignFunnelResponse",
        "generated* dnsValid* httpValid* keywordHits* analyzed* highPotential* leads*",
    ),
    (
        "CampaignMetricsResponse",
        "highPotential* leads* keywordCoveragePct* avgRichness* warningRatePct* medianGain* stuffing* \
         repetition* anchor* totalAnalyzed*",
    ),
    ("CampaignModeUpdateResponse", "mode* campaignId* updatedAt*"),
    (
        "CampaignPhasesStatusResponse",
        "campaignId* overallProgressPercentage* controlPhase lastSequence* errorMessage phases*",
    ),
    (
        "CampaignProgressResponse",
        "campaignId* overall* phases* timeline*",
    ),
    (
        "CampaignResponse",
        "id* name* description status* configuration* currentPhase progress* createdAt* updatedAt* \
         startedAt completedAt",
    ),
    (
        "CampaignState",
        "campaignId* currentState* mode* configuration version* createdAt* updatedAt*",
    ),
    (
        "CampaignStateWithExecutions",
        "campaignState* phaseExecutions*",
    ),
    (
        "CampaignStopResponse",
        "campaignId* stoppedPhase* phaseStatus* message* timestamp",
    ),
    ("CreateCampaignRequest", "name* description configuration"),
    (
        "DiscoveryLineageCampaign",
        "id* name* createdAt* offsetRange stats*",
    ),
    ("DiscoveryPreviewResponse", "success* requestId data*"),
    ("DomainAnalysisFeatures", "keywords richness microcrawl"),
    (
        "DomainListItem",
        "id domain offset createdAt dnsStatus httpStatus leadStatus rejectionReason dnsReason httpReason \
         domainScore leadScore features",
    ),
    (
        "DomainScoreBreakdownResponse",
        "campaignId* domain* state* reason overallScore components* evidence weights",
    ),
    (
        "EnrichedCampaignResponse",
        "campaign* state phaseExecutions",
    ),
    (
        "PatternOffsetRequest",
        "patternType* prefixVariableLength suffixVariableLength variableLength characterSet* \
         constantString tld",
    ),
    ("PatternOffsetResponse", "currentOffset"),
    (
        "PhaseConfigurationRequest",
        "configuration* personaIds proxyPoolId keywordSetIds",
    ),
    (
        "PhaseExecution",
        "id* campaignId* phaseType* status* startedAt completedAt pausedAt failedAt progressPercentage \
         totalItems processedItems successfulItems failedItems configuration errorDetails metrics \
         createdAt* updatedAt*",
    ),
    (
        "PhaseProgressSummary",
        "status* percentComplete* itemsProcessed* itemsTotal* startedAt completedAt duration",
    ),
    (
        "PhaseRuntimeControls",
        "canPause* canResume* canStop* canRestart*",
    ),
    (
        "PhaseStatusResponse",
        "phase* status* configuration runtimeControls startedAt completedAt progress* errors",
    ),
    (
        "RejectionSummaryResponse",
        "campaignId* counts* totals* balanced* auditNote",
    ),
    ("ScoreComponent", "value state* reason"),
    (
        "TimelineEvent",
        "timestamp* phase type* description status metadata",
    ),
    ("UpdateCampaignRequest", "name description configuration"),
];

#[test]
fn every_field_that_existing_clients_know_is_in_the_document() {
    let document: Value = serde_json::to_value(crate::http::openapi()).unwrap();
    for (schema, fields) in SHAPES {
        let described = &document["components"]["schemas"][schema];
        let required: Vec<&str> = described["required"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        for field in fields.split_whitespace() {
            let name = field.trim_end_matches('*');
            assert!(
                described["properties"][name].is_object(),
                "{schema} lacks {name}"
            );
            assert!(
                !field.ends_with('*') || required.contains(&name),
                "{schema}.{name} is always there"
            );
        }
    }
}
