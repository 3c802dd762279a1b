//! What the connections are like, whatever the server's own settings are.

use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;

#[tokio::test]
async fn statements_are_not_compiled_on_a_server_that_compiles_them() {
    let server = TestDatabase::empty().await.unwrap();
    let connect = || Database::connect(server.url(), ConnectOptions::default());
    let database = connect().await.unwrap();
    let switch =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = on', current_database()); END $$";
    sqlx::query(switch).execute(database.pool()).await.unwrap();
    database.close().await;
    let database = connect().await.unwrap();
    let jit: String = sqlx::query_scalar("SHOW jit")
        .fetch_one(database.pool())
        .await
        .unwrap();
    assert_eq!(jit, "off");
    database.close().await;
}
