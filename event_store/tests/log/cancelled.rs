//! Tasks are cancelled anywhere, also while a transaction begins; nobody may inherit what they left open.

use std::task::{Context, Waker};

use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;

/// How many transactions are broken off at each depth.
const ROUNDS: usize = 40;

#[tokio::test]
async fn a_transaction_that_is_dropped_while_it_begins_is_nobodys_later() {
    let server = TestDatabase::empty().await.unwrap();
    let options = ConnectOptions {
        max_connections: 2,
        ..ConnectOptions::default()
    };
    let database = Database::connect(server.url(), options).await.unwrap();
    sqlx::query("CREATE TABLE kept (n bigint)")
        .execute(database.pool())
        .await
        .unwrap();
    for polls in 1..4 {
        for n in 0..ROUNDS {
            let mut begun = Box::pin(database.pool().begin());
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if begun.as_mut().poll(&mut context).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(begun);
            let n = i64::try_from(polls * ROUNDS + n).unwrap();
            sqlx::query("INSERT INTO kept VALUES ($1)")
                .bind(n)
                .execute(database.pool())
                .await
                .unwrap();
        }
    }
    database.close().await;
    let again = Database::connect(server.url(), ConnectOptions::default())
        .await
        .unwrap();
    let (kept,): (i64,) = sqlx::query_as("SELECT count(*) FROM kept")
        .fetch_one(again.pool())
        .await
        .unwrap();
    assert_eq!(
        kept,
        i64::try_from(3 * ROUNDS).unwrap(),
        "writes went into a transaction that nobody commits"
    );
}
