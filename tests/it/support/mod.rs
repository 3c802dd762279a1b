//! What the tests stand on: real PostgreSQL, real sockets, the sandbox, and waits for conditions with a deadline.

pub mod answers;
pub mod pipeline;
pub mod server;

use std::{future::Future, time::Duration};

/// How long a condition may take to come true; tests that pass need a fraction of it.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until a condition answers something.
pub async fn eventually<T, F, Fut>(what: &str, mut condition: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let asked = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Some(answer) = condition().await {
                return answer;
            }
        }
    };
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(answer) => answer,
        Err(_) => panic!("not within {DEADLINE:?}: {what}"),
    }
}
