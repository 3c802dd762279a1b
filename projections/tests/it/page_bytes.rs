//! What a page reads and keeps, in bytes.

use std::sync::{Arc, Mutex};

use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use projections::{
    domains::Domains,
    runtime::{ApplyError, Projection},
};
use sqlx::PgConnection;

use crate::support::{World, dns_ok, imported, names, new_campaign};

/// What one page came to.
#[derive(Clone, Copy, Debug)]
struct Taken {
    events: usize,
    /// The payloads of its events.
    kept: usize,
    /// What PostgreSQL fetched for it of values that it stores out of line.
    read: usize,
}

/// A projection that writes nothing and notes what its pages came to.
struct Noted {
    weight: fn(&Recorded) -> u32,
    pages: Mutex<Vec<Taken>>,
}

/// Pieces of long values that this transaction has fetched; each has not quite two thousand bytes.
const PIECES: &str = "SELECT coalesce(sum(t.idx_tup_fetch), 0)::bigint FROM pg_class c \
    JOIN pg_stat_xact_all_tables t ON t.relid = c.reltoastrelid WHERE c.oid = 'public.events'::regclass";
const PIECE: usize = 1_996;
/// Makes the next transaction of this session count from nothing.
const FLUSH: &str = "SELECT pg_stat_force_next_flush()";

impl Projection for Noted {
    fn name(&self) -> &'static str {
        "noted"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn reads(&self) -> &'static [&'static str] {
        Domains.reads()
    }

    fn weight(&self, event: &Recorded) -> u32 {
        (self.weight)(event)
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let pieces: i64 = sqlx::query_scalar(PIECES)
                .fetch_one(&mut *connection)
                .await?;
            sqlx::query(FLUSH).execute(connection).await?;
            self.pages.lock().unwrap().push(Taken {
                events: events.len(),
                kept: events.iter().map(|event| event.payload.len()).sum(),
                read: usize::try_from(pieces).unwrap() * PIECE,
            });
            Ok(())
        }
        .boxed()
    }
}

async fn pages(world: &World, weight: fn(&Recorded) -> u32) -> Vec<Taken> {
    let noted = Arc::new(Noted {
        weight,
        pages: Mutex::default(),
    });
    world.catch_up(noted.clone()).await;
    noted.pages.lock().unwrap().clone()
}

/// Appends imports of a commit each; their names are of random letters, which do not compress.
async fn import(world: &World, imports: usize) {
    let mut state = 1_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    for _ in 0..imports {
        let names: Vec<String> = (0..3_000)
            .map(|_| (0..57).map(|_| letter()).collect::<String>() + ".test")
            .collect();
        let event = imported(0, &names);
        world
            .append(vec![("campaign", new_campaign().to_string(), 0, event)])
            .await;
    }
}

const MEGABYTE: usize = 1 << 20;

#[tokio::test]
async fn a_page_that_is_full_with_two_imports_has_not_read_many_more() {
    let world = World::start().await;
    import(&world, 40).await;
    let pages = pages(&world, |event| Domains.weight(event)).await;
    assert_eq!(pages.len(), 20);
    for page in pages {
        assert_eq!(page.events, 2);
        assert!(
            page.read >= page.kept / 2,
            "nothing is seen of it: {page:?}"
        );
        assert!(page.read < page.kept * 3, "{page:?}");
    }
}

#[tokio::test]
async fn events_that_are_little_work_and_many_bytes_fill_a_page_by_their_bytes() {
    let world = World::start().await;
    let (campaign_id, names) = (new_campaign(), names(300));
    // Light events, over which the slices grow.
    for version in 0..9 {
        world.results(campaign_id, &names, version, &dns_ok()).await;
    }
    import(&world, 160).await;
    let pages = pages(&world, |_| 1).await;
    assert!(pages.len() > 1, "{pages:?}");
    for page in &pages {
        assert!(page.kept < 17 * MEGABYTE, "{page:?}");
        assert!(page.read < page.kept + 6 * MEGABYTE, "{page:?}");
    }
    let events: usize = pages.iter().map(|page| page.events).sum();
    assert_eq!(events, 9 * 300 + 160);
}
