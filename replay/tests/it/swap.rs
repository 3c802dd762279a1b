//! Swapping beside readers.

use std::time::Duration;

use projections::{domains, runtime::Rebuild};

use crate::support::{DEADLINE, World, names, projection, record_dns};

#[tokio::test]
async fn a_swap_waits_for_a_reader_whose_snapshot_is_older_and_for_no_idle_writer() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    world.level().await;
    let mut writer = world.database.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()")
        .execute(&mut *writer)
        .await
        .unwrap();
    let mut reader = long_reader(&world).await;
    let database = world.database.clone();
    let rebuild =
        tokio::spawn(
            async move { replay::rebuild(&database, projection("domains"), |_| {}).await },
        );
    swap_waits(&world, &rebuild).await;
    let counts = domains::counts_of(&mut *reader, campaign_id).await.unwrap();
    assert_eq!(
        counts.generated, 10,
        "the reader sees the tables of its own moment"
    );
    assert!(!rebuild.is_finished());
    reader.rollback().await.unwrap();
    let rebuilt = tokio::time::timeout(DEADLINE, rebuild)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(rebuilt.comparison.differing, 0);
    writer.rollback().await.unwrap();
}

#[tokio::test]
async fn the_live_projection_goes_on_while_a_swap_waits_for_a_reader() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    world.level().await;
    let reader = long_reader(&world).await;
    let database = world.database.clone();
    let rebuild =
        tokio::spawn(
            async move { replay::rebuild(&database, projection("domains"), |_| {}).await },
        );
    swap_waits(&world, &rebuild).await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.level().await;
    assert!(!rebuild.is_finished(), "swapped under a reader, or gave up");
    reader.rollback().await.unwrap();
    let rebuilt = tokio::time::timeout(DEADLINE, rebuild)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(rebuilt.comparison.differing, 0);
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!(counts.dns("pending"), 0, "the swap is not behind");
}

#[tokio::test]
async fn a_swap_that_gives_up_leaves_no_tables_behind() {
    let world = World::start().await;
    world.campaign(&names(3)).await;
    world.level().await;
    let mut rebuild = Rebuild::begin(world.database.clone(), projection("domains"))
        .await
        .unwrap();
    rebuild.compare().await.unwrap();
    let reader = long_reader(&world).await;
    let busy = rebuild.swap(Duration::from_millis(20)).await;
    assert!(
        matches!(busy, Err(projections::runtime::Error::Busy("domains"))),
        "{busy:?}"
    );
    assert_eq!(world.shadows().await, 0);
    reader.rollback().await.unwrap();
    let again = replay::rebuild(&world.database, projection("domains"), |_| {}).await;
    assert_eq!(again.unwrap().comparison.differing, 0);
}

/// Such as a dump, which looks at every table that is there when it begins.
#[tokio::test]
async fn nobody_waits_for_the_live_tables_while_a_swap_waits_for_its_shadow() {
    let world = World::start().await;
    let campaign_id = world.campaign(&names(10)).await;
    world.level().await;
    let mut rebuild = Rebuild::begin(world.database.clone(), projection("domains"))
        .await
        .unwrap();
    rebuild.compare().await.unwrap();
    let mut dump = world.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE rebuild_domains.domains IN ACCESS SHARE MODE")
        .execute(&mut *dump)
        .await
        .unwrap();
    let swap = tokio::spawn(rebuild.swap(DEADLINE));
    let waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted \
        AND relation = to_regclass('rebuild_domains.domains'))";
    let mut reader = world.database.pool().acquire().await.unwrap();
    sqlx::query("SET lock_timeout = '20ms'")
        .execute(&mut *reader)
        .await
        .unwrap();
    let mut beside = 0;
    while beside < 20 {
        let waits: bool = sqlx::query_scalar(waiting)
            .fetch_one(world.database.pool())
            .await
            .unwrap();
        domains::counts_of(&mut *reader, campaign_id)
            .await
            .expect("a reader does not wait");
        beside += i32::from(waits);
        assert!(!swap.is_finished(), "swapped beside a dump, or gave up");
    }
    dump.rollback().await.unwrap();
    tokio::time::timeout(DEADLINE, swap)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_server_vacuums_a_shadow_until_it_is_to_be_swapped() {
    let world = World::start().await;
    world.campaign(&names(10)).await;
    world.level().await;
    let mut rebuild = Rebuild::begin(world.database.clone(), projection("domains"))
        .await
        .unwrap();
    rebuild.compare().await.unwrap();
    assert!(is_vacuumed(&world, "rebuild_domains.domains").await);
    let reader = long_reader(&world).await;
    let swap = tokio::spawn(rebuild.swap(DEADLINE));
    swap_waits(&world, &swap).await;
    assert!(!is_vacuumed(&world, "rebuild_domains.domains").await);
    reader.rollback().await.unwrap();
    swap.await.unwrap().unwrap();
    assert!(is_vacuumed(&world, "read.domains").await);
}

#[tokio::test]
async fn a_swap_ends_the_vacuum_that_the_server_runs_by_itself() {
    let world = World::start().await;
    world.campaign(&names(5_000)).await;
    world.level().await;
    let mut rebuild = Rebuild::begin(world.database.clone(), projection("domains"))
        .await
        .unwrap();
    rebuild.compare().await.unwrap();
    // A tenth of a second a page.
    for statement in [
        "ALTER TABLE read.domains SET (autovacuum_vacuum_insert_threshold = 0, \
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, \
            autovacuum_vacuum_cost_limit = 1)",
        "ALTER SYSTEM SET autovacuum_naptime = '1s'",
        "SELECT pg_reload_conf()",
    ] {
        world.execute(statement).await;
    }
    let running = "SELECT EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE relid = 'read.domains'::regclass)";
    let comes = async {
        while !sqlx::query_scalar::<_, bool>(running)
            .fetch_one(world.database.pool())
            .await
            .unwrap()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, comes)
        .await
        .expect("a vacuum comes");
    // It would go on for several times as long.
    rebuild.swap(Duration::from_secs(1)).await.unwrap();
}

/// Tells whether the server may vacuum a table by itself.
async fn is_vacuumed(world: &World, table: &str) -> bool {
    let storage = "SELECT coalesce('autovacuum_enabled=false' <> ALL (reloptions), true) \
        FROM pg_class WHERE oid = $1::regclass";
    sqlx::query_scalar(storage)
        .bind(table)
        .fetch_one(world.database.pool())
        .await
        .unwrap()
}

/// A transaction with a snapshot that it took just now.
async fn long_reader(world: &World) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let isolation = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    let pool = world.database.pool();
    let mut reader = pool.begin_with(isolation).await.unwrap();
    sqlx::query("SELECT txid_current_snapshot()")
        .execute(&mut *reader)
        .await
        .unwrap();
    reader
}

/// Waits until a rebuild looks for older readers.
async fn swap_waits<T>(world: &World, rebuild: &tokio::task::JoinHandle<T>) {
    let query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
        AND datname = current_database() AND query LIKE $1)";
    // A parameter, so that this query does not find itself.
    let waiting = || sqlx::query_scalar::<_, bool>(query).bind("%backend_xmin IS NOT NULL%");
    let waits = async {
        while !waiting().fetch_one(world.database.pool()).await.unwrap() {
            assert!(!rebuild.is_finished(), "swapped under a reader");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waits)
        .await
        .expect("the swap waits");
}
