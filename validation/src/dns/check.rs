//! One domain, from its name to its report.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::{
    Outcome, Reason, Record, RecordType, Report,
    ask::{Trouble, Verdict},
    engine::Inner,
    message::{self, Answer, Question},
    name::WireName,
    name_servers::NameServers,
};
use crate::{
    Waits,
    suppression::{Held, SUPPRESSED},
};

/// Draws a pause within its bounds, both of them possible.
fn pause(least: Duration, most: Duration) -> Duration {
    rand::random_range(least..=most)
}

/// Checks a domain, and counts it where nobody may ask about it.
pub(super) async fn check(inner: &Inner, name: &str, waits: &Waits) -> Report {
    let report = checked(inner, name, waits).await;
    if report.suppressed {
        inner.config.suppression.count();
    }
    report
}

/// Asks for each record type: the first alone, for NXDOMAIN there is final, then the others.
async fn checked(inner: &Inner, name: &str, waits: &Waits) -> Report {
    if let Some(held) = WireName::encode(name)
        .ok()
        .and_then(|wire| inner.held(&wire))
    {
        // It takes nobody's turn.
        return Findings::new(name).held(held);
    }
    if let Some(pacer) = &inner.domains {
        waits.on(pacer.wait(&inner.stop)).await;
    }
    if let Some((least, most)) = inner.config.delay {
        let pause = sleep(pause(least, most));
        waits.on(inner.stop.run_until_cancelled(pause)).await;
    }
    let started = Instant::now();
    let mut findings = Findings::new(name);
    let wire = match WireName::encode(name) {
        Ok(wire) => wire,
        Err(error) => {
            findings.report.detail = Some(error.to_string());
            return findings.report;
        }
    };
    let zone = inner.zone_pacer(&wire);
    let zone = zone.as_deref();
    let mut types = inner.config.record_types.iter().copied();
    let mut goes_on = true;
    if let Some(first) = types.next() {
        let verdict = inner
            .ask(&Arc::new(Question::new(&wire, first)), zone, waits)
            .await;
        goes_on = !findings.is_final(&verdict);
        findings.add(inner, first, verdict);
        goes_on &= findings.held.is_none();
    }
    if goes_on {
        let rest: Vec<Arc<Question>> = types
            .map(|each| Arc::new(Question::new(&wire, each)))
            .collect();
        if let [only] = rest.as_slice() {
            let verdict = inner.ask(only, zone, waits).await;
            findings.add(inner, only.record_type(), verdict);
        } else {
            // In the order of the configuration, so that equal answers make equal reports.
            let mut verdicts = stream::iter(rest)
                .map(|question| async move {
                    (
                        question.record_type(),
                        inner.ask(&question, zone, waits).await,
                    )
                })
                .buffered(inner.config.concurrent_queries_per_domain);
            while let Some((asked, verdict)) = verdicts.next().await {
                findings.add(inner, asked, verdict);
                if findings.held.is_some() {
                    break;
                }
            }
        }
    }
    // Whatever has an address may be asked for pages.
    if findings.held.is_none()
        && !findings.report.addresses.is_empty()
        && (inner.config.suppression.list()).is_ok_and(|list| list.names_servers())
    {
        findings.guard(inner, name, waits).await;
    }
    if inner.config.check_wildcards
        && findings.held.is_none()
        && let Some(found) = findings.report.addresses.first()
    {
        let asked = if found.is_ipv4() {
            RecordType::A
        } else {
            RecordType::Aaaa
        };
        let (wildcard, packets) = inner.wildcard_above(&wire, asked, zone, waits).await;
        findings.report.wildcard = wildcard;
        findings.report.attempts += packets;
    }
    findings.conclude(started)
}

/// What was found so far.
struct Findings {
    report: Report,
    /// The first failure of an address type, if any: without an address it is the outcome.
    trouble: Option<(Trouble, Option<String>)>,
    /// The name does not exist.
    missing: bool,
    /// Some question was answered conclusively.
    answered: bool,
    /// Why nothing more is asked, and what was found is not used.
    held: Option<Held>,
    /// What else is to be said of that.
    held_why: Option<String>,
    notes: Vec<String>,
    name_servers: NameServers,
}

impl Findings {
    fn new(name: &str) -> Self {
        Self {
            report: Report {
                name: name.to_owned(),
                outcome: Outcome::Error(Reason::Error),
                detail: None,
                records: Vec::new(),
                addresses: Vec::new(),
                resolver: None,
                attempts: 0,
                elapsed: std::time::Duration::ZERO,
                authoritative: false,
                truncated: false,
                validated: false,
                wildcard: None,
                name_servers: Vec::new(),
                parking: false,
                suppressed: false,
            },
            trouble: None,
            missing: false,
            answered: false,
            held: None,
            held_why: None,
            notes: Vec::new(),
            name_servers: NameServers::default(),
        }
    }

    /// Tells whether asking for other types could not add anything.
    fn is_final(&self, verdict: &Verdict) -> bool {
        match &verdict.result {
            Ok(answer) => answer.rcode == message::NXDOMAIN,
            Err(trouble) => trouble.is_final(),
        }
    }

    fn add(&mut self, inner: &Inner, asked: RecordType, verdict: Verdict) {
        self.report.attempts += verdict.packets;
        self.report.truncated |= verdict.truncated;
        let resolver = verdict
            .resolver
            .and_then(|index| inner.upstreams.get(index))
            .map(|upstream| upstream.name.clone());
        match verdict.result {
            Ok(answer) => {
                self.add_answer(asked, answer, resolver);
                let servers = self.name_servers.known();
                self.held = inner.config.suppression.name_servers(servers);
            }
            Err(Trouble::Suppressed(held)) => self.held = Some(held),
            Err(trouble) => {
                self.notes.push(format!("{asked}: {}", trouble.text()));
                if asked.is_address() && self.trouble.is_none() {
                    self.trouble = Some((trouble, resolver));
                }
            }
        }
    }

    /// Finds out whether the suppression list names a name server of the domain, or of what it is an alias of.
    async fn guard(&mut self, inner: &Inner, name: &str, waits: &Waits) {
        let found = inner.servers_of(name, waits).await;
        self.report.attempts += found.packets;
        self.name_servers.add_found(&found.own);
        self.held = inner.config.suppression.name_servers(&found.all);
        if self.held.is_none()
            && let Some(unknown) = found.unknown
        {
            self.held = Some(unknown.held);
            self.held_why = Some(unknown.text);
        }
    }

    fn add_answer(&mut self, asked: RecordType, answer: Answer, resolver: Option<String>) {
        let decides = asked.is_address()
            && (self.report.resolver.is_none()
                || (self.report.addresses.is_empty() && !answer.addresses.is_empty()));
        if decides {
            self.report.resolver = resolver;
            self.report.authoritative = answer.authoritative;
            self.report.validated = answer.authentic;
        }
        if asked == RecordType::Ns {
            self.name_servers.add_answered(&answer.records);
        }
        self.name_servers.add_beside(&answer.authority);
        self.answered |= asked.is_address();
        self.missing |= answer.rcode == message::NXDOMAIN;
        self.report.addresses.extend(answer.addresses);
        if self.report.records.is_empty() {
            self.report.records = answer.records;
        } else {
            for record in answer.records {
                // The alias chain comes with every type.
                let is_known = |known: &Record| {
                    known.record_type == record.record_type && known.value == record.value
                };
                if !self.report.records.iter().any(is_known) {
                    self.report.records.push(record);
                }
            }
        }
    }

    /// Ends what was not begun.
    fn held(mut self, held: Held) -> Report {
        self.held = Some(held);
        self.conclude(Instant::now())
    }

    /// Weighs the findings: that nobody may ask outweighs all; else an address outweighs all, no such name comes next, a failure outweighs an empty answer.
    fn conclude(mut self, started: Instant) -> Report {
        if let Some(held) = self.held {
            self.report.addresses.clear();
            self.report.suppressed = true;
            let why = self.held_why.map(|why| format!(" ({why})"));
            self.notes = vec![format!("{SUPPRESSED}: {held}{}", why.unwrap_or_default())];
        }
        self.report.outcome = if self.held.is_some() {
            Outcome::Error(Reason::Error)
        } else if !self.report.addresses.is_empty() {
            Outcome::Ok
        } else if self.missing {
            Outcome::Error(Reason::Nxdomain)
        } else if let Some((trouble, resolver)) = self.trouble {
            self.report.resolver = resolver;
            self.report.authoritative = false;
            self.report.validated = false;
            trouble.outcome()
        } else if self.answered {
            Outcome::Error(Reason::NoAnswer)
        } else {
            self.report.outcome
        };
        if !self.notes.is_empty() {
            self.report.detail = Some(self.notes.join("; "));
        }
        (self.report.name_servers, self.report.parking) = self.name_servers.conclude();
        self.report.elapsed = started.elapsed();
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_drawn_from_all_of_its_bounds_and_nothing_else() {
        let ms = Duration::from_millis;
        let drawn: Vec<Duration> = (0..1_000).map(|_| pause(ms(40), ms(60))).collect();
        assert!(drawn.iter().all(|pause| (ms(40)..=ms(60)).contains(pause)));
        let nearest = |end: Duration| drawn.iter().any(|pause| pause.abs_diff(end) < ms(1));
        assert!(nearest(ms(40)) && nearest(ms(60)));
        assert_eq!(pause(ms(5), ms(5)), ms(5));
    }
}
