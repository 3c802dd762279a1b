//! Which test sees what each field does.

/// Fields, by body or phase, and the test that fails when one of them does nothing.
pub(super) const EFFECTS: &[(&str, &str)] = &[
    (
        "StealthRequest.enabled",
        "domainflow::settings::names_are_looked_up_in_their_order_and_with_stealth_in_none",
    ),
    (
        "RequestLimitRequest.requestsPerSecond RequestLimitRequest.logInsPerMinute \
         RequestLimitRequest.accountLogInsPerMinute",
        "domainflow::settings::limits_of_requests_and_log_ins_hold_as_they_are_set_and_no_longer",
    ),
    (
        "PolitenessRequest.domainRequestsPerSecond PolitenessRequest.addressRequestsPerSecond \
         PolitenessRequest.requestsPerSecond",
        "domainflow::politeness::sites_are_asked_as_often_as_an_administrator_sets_while_the_node_runs",
    ),
    (
        "ReconciliationRequest.enabled ReconciliationRequest.intervalMinutes",
        "domainflow::reconciliation::counters_are_looked_at_by_one_when_that_is_due_and_switched_on_and_not_before",
    ),
    (
        "ReconciliationRequest.driftThresholdPct",
        "domainflow::reconciliation::a_drift_below_the_threshold_is_left_alone",
    ),
    (
        "ReconciliationRequest.autoCorrect",
        "domainflow::reconciliation::a_drift_is_found_and_put_right_and_told_only_where_that_is_switched_on",
    ),
    (
        "ReconciliationRequest.maxCorrectionsPerRun",
        "domainflow::reconciliation::a_look_puts_right_no_more_counters_than_it_may",
    ),
    // Words to the owner are answered as they were said.
    (
        "CreatePersonaRequest.name CreatePersonaRequest.description UpdatePersonaRequest.name \
         UpdatePersonaRequest.description UpdatePersonaRequest.isEnabled",
        "domainflow::personas::a_persona_lives_from_its_creation_to_its_deletion",
    ),
    (
        "CreatePersonaRequest.isEnabled CreatePersonaRequest.personaType",
        "domainflow::personas::a_list_shows_what_its_filters_let_through_and_counts_all_of_it",
    ),
    (
        "CreatePersonaRequest.configDetails",
        "domainflow::trials::http_personas::what_a_persona_sets_is_on_the_wire_of_its_test",
    ),
    (
        "UpdatePersonaRequest.configDetails",
        "domainflow::pinned::settings_rules_and_personas_that_change_under_a_run_are_not_seen_by_it",
    ),
    (
        "PersonaConfigHttp.personaType PersonaConfigDns.personaType",
        "domainflow::personas::what_an_engine_cannot_honour_is_refused_by_its_field_and_not_stored",
    ),
    (
        "PersonaConfigHttp.userAgent",
        "domainflow::work::extraction::fields::a_site_sees_the_persona_by_its_name",
    ),
    (
        "PersonaConfigHttp.headers PersonaConfigHttp.headerOrder",
        "domainflow::work::extraction::fields::a_site_sees_the_headers_of_the_persona_in_the_order_that_it_names",
    ),
    (
        "PersonaConfigHttp.tlsClientHello PersonaConfigHttp.tlsClientHello.minVersion \
         PersonaConfigHttp.tlsClientHello.maxVersion",
        "domainflow::work::extraction::fields::the_versions_of_tls_that_are_offered_are_those_of_the_persona",
    ),
    (
        "PersonaConfigHttp.tlsClientHello.cipherSuites PersonaConfigHttp.tlsClientHello.curvePreferences",
        "domainflow::work::extraction::fields::what_the_client_chooses_itself_in_tls_is_refused",
    ),
    (
        "PersonaConfigHttp.http2Settings PersonaConfigHttp.http2Settings.enabled",
        "domainflow::work::extraction::fields::a_site_that_speaks_http_2_is_spoken_to_so_unless_the_persona_says_not",
    ),
    (
        "PersonaConfigHttp.cookieHandling PersonaConfigHttp.cookieHandling.mode PersonaConfigHttp.cookieHandling.cookies",
        "domainflow::work::extraction::fields::cookies_are_sent_back_sent_anew_or_left_as_the_persona_says",
    ),
    (
        "PersonaConfigHttp.requestTimeoutSeconds",
        "domainflow::work::extraction::fields::a_fetch_ends_with_the_time_of_the_persona",
    ),
    (
        "PersonaConfigHttp.followRedirects",
        "domainflow::work::extraction::fields::a_redirect_is_followed_unless_the_persona_says_not",
    ),
    (
        "PersonaConfigHttp.allowedStatusCodes",
        "domainflow::work::extraction::fields::a_status_is_fine_that_the_persona_allows_and_no_other",
    ),
    (
        "PersonaConfigHttp.rateLimitDps PersonaConfigHttp.rateLimitBurst",
        "domainflow::work::extraction::fields::pages_are_begun_at_the_rate_of_the_persona_and_as_many_at_once_as_it_says",
    ),
    (
        "PersonaConfigHttp.robots PersonaConfigHttp.robots.ignore",
        "domainflow::campaigns::content::robots_txt_is_followed_unless_a_persona_says_why_not",
    ),
    (
        "PersonaConfigHttp.robots.reason PersonaConfigHttp.notes",
        "domainflow::effects::personas::what_a_persona_says_to_its_owner_is_answered_and_a_reason_is_asked_for",
    ),
    (
        "PersonaConfigDns.resolvers PersonaConfigDns.useSystemResolvers PersonaConfigDns.queryTimeoutSeconds \
         PersonaConfigDns.maxDomainsPerRequest PersonaConfigDns.resolverStrategy PersonaConfigDns.resolversWeighted \
         PersonaConfigDns.resolversPreferredOrder PersonaConfigDns.concurrentQueriesPerDomain \
         PersonaConfigDns.queryDelayMinMs PersonaConfigDns.queryDelayMaxMs PersonaConfigDns.maxConcurrentGoroutines \
         PersonaConfigDns.rateLimitDps PersonaConfigDns.rateLimitBurst PersonaConfigDns.attempts \
         PersonaConfigDns.tcpOnTruncation PersonaConfigDns.checkWildcards PersonaConfigDns.resolverRateLimit \
         PersonaConfigDns.zoneRateLimit",
        "domainflow::work::validation::fields::every_field_of_a_dns_persona_has_a_case",
    ),
    (
        "CreateProxyRequestAPI.name CreateProxyRequestAPI.description CreateProxyRequestAPI.countryCode \
         CreateProxyRequestAPI.notes",
        "domainflow::proxies::a_proxy_lives_from_its_creation_to_its_deletion",
    ),
    (
        "CreateProxyRequestAPI.address CreateProxyRequestAPI.protocol",
        "domainflow::proxies::checks::checks_connect_by_every_protocol_and_say_what_is_wrong",
    ),
    (
        "CreateProxyRequestAPI.username CreateProxyRequestAPI.password",
        "domainflow::proxies::credentials::a_password_is_kept_sealed_and_told_to_nobody_but_the_proxy",
    ),
    (
        "CreateProxyRequestAPI.isEnabled UpdateProxyRequestAPI.isEnabled",
        "domainflow::effects::proxies::a_proxy_that_is_switched_off_is_used_by_no_pool_until_it_is_switched_on",
    ),
    (
        "UpdateProxyRequestAPI.name UpdateProxyRequestAPI.description UpdateProxyRequestAPI.address \
         UpdateProxyRequestAPI.protocol UpdateProxyRequestAPI.username UpdateProxyRequestAPI.password \
         UpdateProxyRequestAPI.countryCode UpdateProxyRequestAPI.notes",
        "domainflow::effects::proxies::a_proxy_is_spoken_to_as_it_was_changed",
    ),
    (
        "ProxyPoolRequest.name ProxyPoolRequest.description",
        "domainflow::effects::pools::what_a_pool_is_called_is_answered",
    ),
    (
        "ProxyPoolRequest.isEnabled",
        "domainflow::pools::campaigns::a_pool_that_cannot_be_used_is_refused_by_its_field_and_a_run_keeps_what_it_began_with",
    ),
    (
        "ProxyPoolRequest.poolStrategy AddProxyRequest.proxyId AddProxyRequest.weight",
        "domainflow::pools::campaigns::the_strategy_of_a_pool_decides_which_proxies_a_campaign_goes_through",
    ),
    (
        "ProxyPoolRequest.healthCheckEnabled ProxyPoolRequest.healthCheckIntervalSeconds",
        "domainflow::pools::the_proxies_of_a_pool_are_checked_again_and_again_by_themselves",
    ),
    (
        "ProxyPoolRequest.maxRetries",
        "domainflow::pools::campaigns::a_page_is_tried_through_as_many_other_proxies_as_the_pool_says",
    ),
    (
        "ProxyPoolRequest.timeoutSeconds",
        "domainflow::effects::pools::a_page_has_the_time_that_the_pool_gives_it",
    ),
    (
        "discovery.source discovery.patternType discovery.type discovery.constantString discovery.constant \
         discovery.prefixVariableLength discovery.suffixVariableLength discovery.variableLength discovery.characterSet \
         discovery.charset discovery.tld discovery.tlds discovery.dictionary discovery.numDomainsToGenerate \
         discovery.numDomains",
        "domainflow::effects::discovery::names_are_made_as_each_setting_of_discovery_says",
    ),
    (
        "PhaseConfigurationRequest.configuration validation.recordTypes",
        "domainflow::effects::phases::the_record_types_of_validation_are_asked_for",
    ),
    (
        "PhaseConfigurationRequest.personaIds PhaseConfigurationRequest.personaIds.dnsPersonaId \
         validation.dnsPersonaId validation.personaIds extraction.dnsPersonaId",
        "domainflow::effects::phases::the_resolver_of_a_phases_dns_persona_is_asked_wherever_the_persona_is_named",
    ),
    (
        "PhaseConfigurationRequest.personaIds.httpPersonaId extraction.httpPersonaId extraction.personaIds",
        "domainflow::effects::phases::pages_are_fetched_as_the_http_persona_says_wherever_it_is_named",
    ),
    (
        "PhaseConfigurationRequest.proxyPoolId extraction.proxyPoolId",
        "domainflow::effects::phases::pages_are_fetched_through_the_proxies_of_the_pool_wherever_it_is_named",
    ),
    (
        "PhaseConfigurationRequest.keywordSetIds extraction.keywordSetIds extraction.keywords extraction.adHocKeywords",
        "domainflow::effects::phases::pages_are_searched_for_keywords_wherever_they_are_named",
    ),
    (
        "analysis.scoringProfileId",
        "domainflow::effects::phases::a_domain_is_scored_by_the_profile_of_the_analysis",
    ),
    (
        "enrichment.thresholds enrichment.thresholds.parkedConfidence enrichment.thresholds.requireStructuralSignals \
         enrichment.thresholds.matchScore enrichment.thresholds.minBytes enrichment.thresholds.borderlineScore \
         enrichment.thresholds.parked_confidence enrichment.thresholds.require_structural_signals \
         enrichment.thresholds.match_score enrichment.thresholds.min_bytes enrichment.thresholds.borderline_score",
        "domainflow::effects::phases::each_threshold_of_the_enrichment_decides_about_a_lead",
    ),
];
