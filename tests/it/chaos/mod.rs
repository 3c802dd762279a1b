//! Two servers and three processes of workers on one database, any of them killed at random under load.
//!
//! `DOMAINFLOW_CHAOS_SECONDS` says how long they are killed (15 where it says nothing), `DOMAINFLOW_CHAOS_SEED` in which
//! order.

mod fleet;
mod load;
mod watch;

use std::{
    env,
    time::{Duration, Instant},
};

use private_postgres::{Cluster, Options};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sandbox::{Sandbox, World};

use self::{
    fleet::Fleet,
    load::Load,
    watch::{Follower, Standstill},
};
use crate::{command_line::directory, support::eventually};

fn number(variable: &str, standing: u64) -> u64 {
    env::var(variable).map_or(standing, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_process_is_killed_nothing_is_lost_or_doubled_and_clients_go_on_at_the_other() {
    let seed = number("DOMAINFLOW_CHAOS_SEED", 1);
    let length = Duration::from_secs(number("DOMAINFLOW_CHAOS_SECONDS", 15));
    let mut chance = StdRng::seed_from_u64(seed);
    let directory = directory();
    let database = Cluster::start(Options {
        durable: false,
        max_connections: 300,
        ..Options::new(directory.path())
    })
    .await
    .expect("a cluster");
    database
        .create_database("domainflow")
        .await
        .expect("a database");
    let url = database.url("domainflow");
    let sandbox = Sandbox::start(World::generated(5))
        .await
        .expect("the sandbox starts");

    let mut fleet = Fleet::start(directory.path(), &url, &sandbox).await;
    let load = Load::start(fleet.addresses(), &url).await;
    let follower = Follower::start(load.client()).await;
    let standstill = Standstill::watch(&url);

    let begun = Instant::now();
    let mut kills = 0;
    while begun.elapsed() < length {
        let rest = Duration::from_millis(chance.random_range(200..1_500));
        tokio::time::sleep(rest).await;
        if fleet.kill_one(chance.random_range(0..fleet.len())).await {
            kills += 1;
        }
    }
    let done = load.stop().await;
    let longest = standstill.stop().await;
    println!(
        "chaos: seed {seed}, {kills} kills in {length:?}, {} campaigns, {} answers of which {} after another try; \
         read models stood still for {longest:?} at most",
        done.campaigns.len(),
        done.answers,
        done.tried_again
    );
    assert!(kills > 0 && !done.campaigns.is_empty());
    done.ended_well().await;
    let connections = follower.saw_everything(&done).await;
    println!("chaos: a stream was read over {connections} connections");
    // Leadership moves within five seconds; what is beyond is the machine's.
    assert!(longest < Duration::from_secs(20), "{longest:?}");

    let log = event_store::Database::connect(&url, event_store::ConnectOptions::default())
        .await
        .expect("the log");
    let report = eventually("the check is clean", || async {
        event_store::check(&log).await.ok()
    })
    .await;
    assert!(report.findings.is_empty(), "{report:?}");
    let doubled: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM events WHERE aggregate_type = 'domain' \
         GROUP BY aggregate_id, event_type HAVING count(*) > 1) AS doubled",
    )
    .fetch_one(log.pool())
    .await
    .expect("the log answers");
    assert_eq!(
        doubled, 0,
        "each name has one result of each kind: each phase ran once"
    );
    log.close().await;
    drop(fleet);
    database.stop().await.expect("the database stops");
}
