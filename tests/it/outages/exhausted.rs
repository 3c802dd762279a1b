//! Others take every connection that PostgreSQL has.

use sqlx::{Connection as _, PgConnection};

use super::{Lived, cluster, directory, is_outage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_a_free_connection_is_answered_503_and_loses_nothing() {
    let directory = directory();
    let database = cluster(directory.path()).await;
    let url = database.url("domainflow");
    let lived = Lived::start(&url).await;
    let path = lived.in_the_middle().await;

    let other = format!("{url}&application_name=others");
    let mut others = vec![PgConnection::connect(&other).await.expect("one more")];
    // The server's own are ended until each is somebody else's.
    let mut refused = 0;
    while refused < 5 {
        let ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND application_name <> 'others'";
        let first = others.first_mut().expect("one");
        sqlx::query(ending)
            .execute(first)
            .await
            .expect("it ends them");
        match PgConnection::connect(&other).await {
            Ok(one_more) => {
                others.push(one_more);
                refused = 0;
            }
            Err(_) => refused += 1,
        }
    }
    is_outage(&lived.user.get(&path).send().await);

    drop(others);
    lived.serves_again(&path).await;
    lived.ends_well(&path).await;
    database.stop().await.expect("the database stops");
}
