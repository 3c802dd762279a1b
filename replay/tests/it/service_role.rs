//! The role of the service: it does everything that the product does, and cannot change or remove an event.

use std::path::Path;

use event_store::{ConnectOptions, Database, Sequencer, TreeKeeper};
use private_postgres::testing::TestDatabase;
use projections::runtime::Runtime;
use replay::{Witnesses, verify_log};
use sqlx::{Executor as _, migrate::Migrator};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::{DEADLINE, World, fresh, names, record_dns};

/// What operators are told to run.
const GRANTS: &str = include_str!("../../../docs/service-role.sql");

/// The database as such a role has it. Roles are the server's, so each test has one of its own.
async fn as_service(owner: &Database, url: &str, role: &str) -> Database {
    let make = format!("CREATE ROLE {role} LOGIN");
    owner.pool().execute(make.as_str()).await.unwrap();
    let grants = GRANTS.replace("domainflow_service", role);
    for _ in 0..2 {
        sqlx::raw_sql(&grants).execute(owner.pool()).await.unwrap();
    }
    let service = connect(&url_as(url, role)).await;
    let user: String = sqlx::query_scalar("SELECT current_user::text")
        .fetch_one(service.pool())
        .await
        .unwrap();
    assert_eq!(user, role);
    service
}

#[tokio::test]
async fn the_service_does_its_work_as_a_role_that_cannot_change_an_event() {
    let (owner, test) = fresh().await;
    let service = as_service(&owner, test.url(), "service_that_works").await;
    service.migrate().await.unwrap();
    let runtime = Runtime::new(service.clone(), projections::all());
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    tracker.spawn(Sequencer::new(service.clone()).run(cancel.clone()));
    tracker.spawn(TreeKeeper::new(service.clone()).run(cancel.clone()));
    runtime.spawn(&tracker, &cancel);
    let world = World::on(service.clone(), runtime, (tracker, cancel), test);

    // Both lanes, read models, the tree.
    let names = names(20);
    let campaign_id = world.campaign(&names).await;
    world.validation(campaign_id, names.len()).await;
    world.level().await;
    record_dns(&service, campaign_id, &names, 0).await;
    world.level().await;
    for projection in projections::all() {
        replay::rebuild(&service, projection, |_| {}).await.unwrap();
    }
    let head = service.feed().head().await.unwrap().get();
    let deadline = Instant::now() + DEADLINE;
    while service.tree().size().await.unwrap() < head {
        assert!(Instant::now() < deadline, "the tree grows");
        tokio::task::yield_now().await;
    }
    let checked = replay::check(&service).await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.findings());
    let verified = verify_log(&service, &Witnesses::default(), |_, _| {}).await;
    assert!(verified.unwrap().is_clean());

    for table in ["events", "event_log"] {
        for statement in [
            format!("UPDATE {table} SET batch = batch"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table}"),
        ] {
            let refused = service.pool().execute(statement.as_str()).await;
            let code = refused
                .as_ref()
                .err()
                .and_then(|error| error.as_database_error()?.code());
            assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused:?}");
        }
    }
    let guard_off = "SET session_replication_role = replica";
    assert!(service.pool().execute(guard_off).await.is_err());
    world.stop().await;
}

/// The guard that is there for everybody, so that a mistake is refused.
#[tokio::test]
async fn the_owner_of_the_log_is_refused_as_well_as_long_as_the_guard_is_on() {
    let (owner, _test) = fresh().await;
    for table in ["events", "event_log"] {
        for statement in [
            format!("UPDATE {table} SET batch = batch"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let refused = owner.pool().execute(statement.as_str()).await.unwrap_err();
            assert!(
                refused.to_string().contains("append-only"),
                "{statement}: {refused}"
            );
        }
    }
}

/// An owner of the log who is no superuser, as on servers that others run.
async fn owned_by(role: &str) -> (String, TestDatabase) {
    let test = TestDatabase::empty().await.unwrap();
    let admin = connect(test.url()).await;
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(admin.pool())
        .await
        .unwrap();
    let make = format!("CREATE ROLE {role} LOGIN; ALTER DATABASE {name} OWNER TO {role}");
    sqlx::raw_sql(&make).execute(admin.pool()).await.unwrap();
    admin.close().await;
    (test.url().to_owned(), test)
}

async fn connect(url: &str) -> Database {
    Database::connect(url, ConnectOptions::default())
        .await
        .unwrap()
}

fn url_as(url: &str, role: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}user={role}")
}

/// Migrations up to one of a former version, and then all of them, as the documentation says.
#[tokio::test]
async fn the_schema_is_upgraded_by_an_owner_who_is_no_superuser_after_the_read_models_were_given_away()
 {
    let (url, _test) = owned_by("owner_who_upgrades").await;
    let owner = connect(&url_as(&url, "owner_who_upgrades")).await;
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut former = Migrator::new(migrations).await.unwrap();
    former.migrations.to_mut().truncate(5);
    former.run(owner.pool()).await.unwrap();
    let admin = connect(&url).await;
    let service = as_service(&admin, &url, "service_that_is_upgraded").await;
    service.close().await;

    owner.migrate().await.unwrap();
    let grants = GRANTS.replace("domainflow_service", "service_that_is_upgraded");
    sqlx::raw_sql(&grants).execute(admin.pool()).await.unwrap();
    let service = connect(&url_as(&url, "service_that_is_upgraded")).await;
    service.migrate().await.unwrap();
    for projection in projections::all() {
        replay::rebuild(&service, projection, |_| {}).await.unwrap();
    }
    let refused = service.pool().execute("DELETE FROM events").await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn a_service_that_owns_the_log_is_refused() {
    let (url, _test) = owned_by("service_that_owns").await;
    let own = connect(&url_as(&url, "service_that_owns")).await;
    own.migrate().await.unwrap();
    let admin = connect(&url).await;
    let grants = GRANTS.replace("domainflow_service", "service_that_owns");
    let refused = sqlx::raw_sql(&grants).execute(admin.pool()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("owns the log"), "{refused}");
}
