//! Zones that answer for any label, so that a name in them is no find.
//!
//! The label beside the checked one is made up at random and asked once per zone; what came out is kept for a
//! while. Everybody who wants to know about the same zone at the same time waits for the one query.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};

use super::{
    RecordType,
    engine::Inner,
    message::{self, Question},
    name::WireName,
    pace::Pacer,
};
use crate::Waits;

/// Zones remembered; past that, all are forgotten at once, which costs one query each.
const MAX_ZONES: usize = 16_384;
/// How long a zone's answer is believed.
const KEPT: Duration = Duration::from_secs(600);
/// Length of the made-up label: 24 letters are no one's name.
const LABEL: usize = 24;

#[derive(Debug)]
struct Zone {
    since: Instant,
    answer: Arc<OnceCell<Option<bool>>>,
}

/// A zone's name on the wire, and what it was asked for.
type Key = (Vec<u8>, RecordType);

/// What is known about zones.
#[derive(Debug, Default)]
pub(super) struct Wildcards {
    zones: Mutex<HashMap<Key, Zone>>,
}

impl Wildcards {
    fn cell(&self, zone: &[u8], asked: RecordType) -> Arc<OnceCell<Option<bool>>> {
        let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (zone.to_vec(), asked);
        if let Some(known) = zones.get(&key)
            && known.since.elapsed() < KEPT
        {
            return Arc::clone(&known.answer);
        }
        if zones.len() >= MAX_ZONES {
            zones.clear();
        }
        let answer = Arc::default();
        zones.insert(
            key,
            Zone {
                since: Instant::now(),
                answer: Arc::clone(&answer),
            },
        );
        answer
    }
}

impl Inner {
    /// Says whether the zone above a name has an address of this type for any label, and how many packets it took to find
    /// out.
    pub(super) async fn wildcard_above(
        &self,
        name: &WireName,
        asked: RecordType,
        zone_pacer: Option<&Pacer>,
        waits: &Waits,
    ) -> (Option<bool>, u32) {
        let Some(zone) = name.parent() else {
            return (None, 0);
        };
        let cell = self.wildcards.cell(zone, asked);
        let mut packets = 0;
        let answer = cell
            .get_or_try_init(async || {
                let Some(sibling) = WireName::below(&made_up_label(), zone) else {
                    return Ok(None);
                };
                let question = Arc::new(Question::new(&sibling, asked));
                let verdict = self.ask(&question, zone_pacer, waits).await;
                packets = verdict.packets;
                match verdict.result {
                    Ok(answer) => Ok(Some(
                        answer.rcode == message::NOERROR && !answer.addresses.is_empty(),
                    )),
                    // Not kept, so that the next name in the zone asks again.
                    Err(trouble) => Err(trouble),
                }
            })
            .await;
        (answer.ok().copied().flatten(), packets)
    }
}

fn made_up_label() -> [u8; LABEL] {
    std::array::from_fn(|_| rand::random_range(b'a'..=b'z'))
}
