//! A campaign that follows its events in memory is the row that its events make.

use std::{collections::BTreeMap, fs, sync::Arc};

use aggregates::{
    campaign::{Event, Phase, PhaseState},
    ids::CampaignId,
};
use projections::campaigns::{self, Campaign, Campaigns};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, new_campaign};

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../aggregates/tests/golden/campaign"
);
/// Campaigns that go their own ways at the same time.
const WALKS: u64 = 48;
/// Events of each.
const STEPS: u64 = 40;

/// A golden event with its type.
type Golden = (String, Value);

/// Reads the golden events by the names of their files.
fn golden() -> BTreeMap<String, Golden> {
    let files = fs::read_dir(GOLDEN).unwrap().map(|file| {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let event_type = event.as_object().unwrap().keys().next().unwrap().clone();
        (file.file_name().into_string().unwrap(), (event_type, event))
    });
    files.collect()
}

/// Whether an event that names a phase can happen to one in this state.
fn can_happen(event_type: &str, state: PhaseState) -> bool {
    let waits = matches!(state, PhaseState::NotStarted | PhaseState::Configured);
    match event_type {
        "PhaseStarted" => !state.is_active(),
        "PhasePaused" => state == PhaseState::Running,
        "PhaseResumed" => state == PhaseState::Paused,
        "PhaseCompleted" | "PhaseFailed" => state.is_active(),
        "PhaseStartRefused" => waits,
        _ => true,
    }
}

/// A campaign on its way through events, each of which can happen to it.
struct Walk {
    id: CampaignId,
    /// What it was led to in memory.
    followed: Campaign,
    random: u64,
}

impl Walk {
    /// Returns the next number below a bound, of a sequence that is the same in every run of the test.
    fn below(&mut self, bound: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).unwrap() % bound
    }

    /// Makes the next event of a golden one, about a phase to which it can happen; with the name of the golden one.
    fn next(&mut self, golden: &BTreeMap<String, Golden>) -> (String, Value) {
        loop {
            let at = self.below(golden.len());
            let (name, (event_type, event)) = golden.iter().nth(at).unwrap();
            if ["Created", "Deleted"].contains(&event_type.as_str()) {
                continue;
            }
            let own = self.followed.campaign_type.phases().iter().copied();
            let fitting: Vec<Phase> = own
                .filter(|phase| can_happen(event_type, self.followed.phase(*phase).state))
                .collect();
            if fitting.is_empty() {
                continue;
            }
            let phase = fitting[self.below(fitting.len())];
            let event = self.about(phase, event_type, event.clone());
            return (name.clone(), event);
        }
    }

    fn about(&mut self, phase: Phase, event_type: &str, mut event: Value) -> Value {
        let run_number = self.followed.phase(phase).run_number + 1;
        let fields = event[event_type].as_object_mut().unwrap();
        match event_type {
            // Each field may be absent.
            "DetailsChanged" => {
                let all = ["name", "description", "configuration", "notes", "tags"];
                let absent = all[self.below(all.len())];
                fields.remove(absent);
            }
            "ModeChanged" => {
                let mode = ["full_sequence", "step_by_step"][self.below(2)];
                fields["mode"] = json!(mode);
            }
            "ScoringProfileAssigned" => {}
            "PhaseConfigured" if phase == Phase::Discovery => {
                fields["config"] = json!({"phase": "discovery", "source": {"from": "import"}});
            }
            "PhaseConfigured" if phase != Phase::Extraction => {
                fields["config"] = json!({"phase": phase.name()});
            }
            "PhaseStarted" => {
                fields["phase"] = json!(phase.name());
                fields["run_id"] = json!(Uuid::now_v7());
                fields["run_number"] = json!(run_number);
            }
            _ if fields.contains_key("phase") => fields["phase"] = json!(phase.name()),
            _ => {}
        }
        event
    }

    /// Follows the events that were appended, with the times at which the log recorded them.
    async fn follow(&mut self, world: &World) {
        let stream = world
            .database
            .log()
            .stream("campaign", &self.id.to_string());
        let after = u64::try_from(self.followed.version).unwrap();
        for stored in stream.page(after, 10).await.unwrap() {
            let event: Event = stored.event.decode().unwrap();
            let (version, at) = (stored.event.sequence, stored.event.recorded_at);
            self.followed.follow(event, version, at).unwrap();
        }
    }

    async fn begin(world: &World, seed: u64, created: &Value) -> Self {
        let id = new_campaign();
        world
            .append(vec![("campaign", id.to_string(), 0, created.clone())])
            .await;
        let stream = world.database.log().stream("campaign", &id.to_string());
        let first = stream.page(0, 1).await.unwrap().remove(0);
        let event: Event = first.event.decode().unwrap();
        let followed = Campaign::begun(id, event, first.event.recorded_at).unwrap();
        Self {
            id,
            followed,
            random: seed,
        }
    }
}

#[tokio::test]
async fn whatever_happens_to_a_campaign_it_is_followed_in_memory_to_the_row_that_is_written() {
    let world = World::start().await;
    let golden = golden();
    let mut walks = Vec::new();
    for seed in 0..WALKS {
        let created = ["Created.v1.json", "Created.v1.typed.json"][usize::from(seed % 3 == 0)];
        walks.push(Walk::begin(&world, seed, &golden[created].1).await);
    }
    let mut happened = BTreeMap::<String, u32>::new();
    for _ in 0..STEPS {
        let mut events = Vec::new();
        for walk in &mut walks {
            let (name, event) = walk.next(&golden);
            *happened.entry(name).or_default() += 1;
            let version = u64::try_from(walk.followed.version).unwrap();
            events.push(("campaign", walk.id.to_string(), version, event));
        }
        world.append(events.clone()).await;
        world.catch_up(Arc::new(Campaigns)).await;
        for (walk, (.., event)) in walks.iter_mut().zip(events) {
            walk.follow(&world).await;
            let written = campaigns::by_id(world.database.pool(), walk.id)
                .await
                .unwrap();
            assert_eq!(Some(&walk.followed), written.as_ref(), "after {event}");
        }
    }
    let expected = golden
        .keys()
        .filter(|name| !name.starts_with("Created.") && !name.starts_with("Deleted."));
    assert!(expected.eq(happened.keys()), "{happened:?}");
    assert!(happened.values().all(|times| *times > 10), "{happened:?}");
}
