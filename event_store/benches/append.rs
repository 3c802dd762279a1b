//! How fast the log is written: the bulk lane against `COPY` into the same table and against one command at a time,
//! how fast it is read, and what the tree over it costs. One server with fsync on, all in one run, medians; the ratios travel, the figures do not.
//!
//! `cargo bench -p event_store`

use std::time::{Duration, Instant};

use aggregates::{Actor, Metadata};
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use event_store::{
    BulkAppend, ConnectOptions, Database, MAX_PAGE, NewEvent, Position, Sequencer, TreeKeeper,
    check,
};
use private_postgres::{Cluster, Options};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Events of one measured run of the bulk lane and of `COPY`.
const EVENTS: usize = 60_000;
/// Streams of one append.
const BATCH: usize = 2_000;
/// Commands of one measured run of the interactive lane.
const COMMANDS: usize = 1_000;
/// Runs of which the median counts.
const RUNS: usize = 5;

/// A payload of some 300 bytes, as a DNS result has.
fn payload(run: &str, number: usize) -> String {
    format!(
        r#"{{"DnsChecked":{{"run_id":"{run}","outcome":"ok","elapsed_ms":{},"resolver":"192.0.2.53","attempts":1,"records":[{{"type":"A","ttl":300,"data":"192.0.2.{}"}},{{"type":"AAAA","ttl":300,"data":"2001:db8::{number:x}"}},{{"type":"NS","ttl":86400,"data":"ns1.example.net"}}],"authoritative":false,"truncated":false,"wildcard":false}}}}"#,
        number % 900,
        number % 250,
    )
}

fn metadata() -> Metadata {
    Metadata::new(
        Actor::Worker("bench".to_owned()),
        "0193f8a2-7c3e-7a10-8000-000000000001",
    )
}

/// The smallest aggregate that takes a command and records it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Noted {
    text: String,
}

impl DomainEvent for Noted {
    fn event_type(&self) -> String {
        "Noted".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Note {
    const TYPE: &'static str = "note";
    type Command = String;
    type Event = Noted;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        text: String,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        sink.write(Noted { text }, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Noted) {
        self.0 += 1;
    }
}

/// Appends through the bulk lane, in transactions of one batch each.
async fn bulk(database: &Database, run: &str) -> Result<Duration, Failure> {
    let mut batches = Vec::new();
    for begin in (0..EVENTS).step_by(BATCH) {
        let mut batch = BulkAppend::new(&metadata());
        for number in begin..(begin + BATCH).min(EVENTS) {
            let event = NewEvent {
                event_type: "DnsChecked".to_owned(),
                event_version: "1".to_owned(),
                payload: payload(run, number),
            };
            batch.raw_stream("domain", &stream_id(run, number), 0, vec![event])?;
        }
        batches.push(batch);
    }
    let begun = Instant::now();
    for batch in &batches {
        batch.append(database).await?;
    }
    Ok(begun.elapsed())
}

fn stream_id(run: &str, number: usize) -> String {
    format!("{run}/domain-{number:07}.example")
}

/// The yardstick: the same rows by `COPY`, in transactions of the same size, with all columns given.
async fn copy(database: &Database, run: &str) -> Result<Duration, Failure> {
    let metadata = serde_json::to_string(&metadata().to_map())?;
    let mut batches = Vec::new();
    for begin in (0..EVENTS).step_by(BATCH) {
        let mut text = String::new();
        for number in begin..(begin + BATCH).min(EVENTS) {
            // Nothing in it needs an escape of the text format.
            text.push_str(&format!(
                "{}\tdomain\t{}\t1\tDnsChecked\t1\t{}\t{metadata}\n",
                1_000_000_000 + begin,
                stream_id(run, number),
                payload(run, number),
            ));
        }
        batches.push(text);
    }
    let mut connection = database.pool().acquire().await?;
    // Without the trigger, which is not what is compared.
    sqlx::query("SET event_store.bulk = 'on'")
        .execute(&mut *connection)
        .await?;
    let begun = Instant::now();
    for batch in &batches {
        let mut copy = connection
            .copy_in_raw(
                "COPY events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) FROM STDIN",
            )
            .await?;
        copy.send(batch.as_bytes()).await?;
        copy.finish().await?;
    }
    let elapsed = begun.elapsed();
    sqlx::query("RESET event_store.bulk")
        .execute(&mut *connection)
        .await?;
    Ok(elapsed)
}

/// Appends beside a sequencer, and beside a keeper of the tree as well; the tree is level before and is made so after.
async fn beside(database: &Database, run: &str, keeps: bool) -> Result<Duration, Failure> {
    database.sequence().await?;
    database.tree().catch_up().await?;
    let cancel = CancellationToken::new();
    let sequencer = tokio::spawn(Sequencer::new(database.clone()).run(cancel.clone()));
    let keeper = TreeKeeper::new(database.clone());
    let keeper = keeps.then(|| tokio::spawn(keeper.run(cancel.clone())));
    let elapsed = bulk(database, run).await?;
    cancel.cancel();
    sequencer.await?;
    if let Some(keeper) = keeper {
        keeper.await?;
    }
    Ok(elapsed)
}

/// Grows a tree of everything, by nobody but this.
async fn tree(database: &Database) -> Result<(u64, Duration), Failure> {
    sqlx::query("TRUNCATE log_tree_tiles")
        .execute(database.pool())
        .await?;
    sqlx::query("UPDATE log_tree SET size = 0")
        .execute(database.pool())
        .await?;
    let begun = Instant::now();
    let size = database.tree().catch_up().await?;
    Ok((size, begun.elapsed()))
}

/// One command after another, each to an aggregate of its own.
async fn commands(database: &Database, run: &str) -> Result<Duration, Failure> {
    let log = database.log();
    let begun = Instant::now();
    for number in 0..COMMANDS {
        log.execute::<Note>(
            &stream_id(run, number),
            payload(run, number),
            &metadata(),
            None,
        )
        .await?;
    }
    Ok(begun.elapsed())
}

/// Reads everything in order, in pages.
async fn read(database: &Database) -> Result<(u64, Duration), Failure> {
    let feed = database.feed();
    let (mut next, mut events) = (Position::START, 0_u64);
    let begun = Instant::now();
    loop {
        let page = feed.after(next, MAX_PAGE.min(5_000), None).await?;
        events += page.events.len() as u64;
        if page.events.is_empty() {
            return Ok((events, begun.elapsed()));
        }
        next = page.next;
    }
}

fn per_second(events: u64, mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
    let events = events as f64;
    events / median.as_secs_f64()
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let directory = tempfile::TempDir::new()?;
    let cluster = Cluster::start(Options::new(directory.path())).await?;
    let (mut bulks, mut copies, mut singles) = (Vec::new(), Vec::new(), Vec::new());
    // COPY leaves events without a place in the log, so it gets a database of its own.
    cluster.create_database("copied").await?;
    let database = Database::connect(&cluster.url("postgres"), ConnectOptions::default()).await?;
    let copied = Database::connect(&cluster.url("copied"), ConnectOptions::default()).await?;
    database.migrate().await?;
    copied.migrate().await?;
    bulk(&database, "warm").await?;
    copy(&copied, "warm").await?;
    for run in 0..RUNS {
        copies.push(copy(&copied, &format!("run{run}")).await?);
        bulks.push(bulk(&database, &format!("run{run}")).await?);
        singles.push(commands(&database, &format!("run{run}")).await?);
    }
    database.sequence().await?;
    let mut reads = Vec::new();
    let mut events = 0;
    for _ in 0..3 {
        let (count, elapsed) = read(&database).await?;
        events = count;
        reads.push(elapsed);
    }
    let (mut alone, mut with_tree) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        alone.push(beside(&database, &format!("alone{run}"), false).await?);
        with_tree.push(beside(&database, &format!("tree{run}"), true).await?);
    }
    database.sequence().await?;
    let mut grown = Vec::new();
    let mut leaves = 0;
    for _ in 0..3 {
        let (size, elapsed) = tree(&database).await?;
        leaves = size;
        grown.push(elapsed);
    }
    let report = check(&database).await?;
    if !report.is_clean() {
        return Err(format!("the log is damaged: {:?}", report.findings).into());
    }
    let count = EVENTS as u64;
    let (bulk, copy) = (per_second(count, bulks), per_second(count, copies));
    let single = per_second(COMMANDS as u64, singles);
    println!("COPY into the same table          {copy:>10.0} events/s");
    println!(
        "bulk lane, {BATCH} streams at once    {bulk:>10.0} events/s   {:.2} of COPY",
        bulk / copy
    );
    println!(
        "postgres-es, one at a time        {single:>10.0} commands/s {:.1} x slower than the bulk lane",
        bulk / single
    );
    println!(
        "reading {events} in order, 5,000 a page {:>8.0} events/s",
        per_second(events, reads)
    );
    let (alone, with_tree) = (per_second(count, alone), per_second(count, with_tree));
    let grown = per_second(leaves, grown);
    println!(
        "growing the tree over {leaves} alone  {grown:>10.0} events/s   {:.2} ms for 1,000",
        1e6 / grown
    );
    println!(
        "bulk lane beside a sequencer      {alone:>10.0} events/s   beside the tree's keeper too {with_tree:.0}, {:.2} of it",
        with_tree / alone
    );
    database.close().await;
    copied.close().await;
    cluster.stop().await?;
    Ok(())
}
