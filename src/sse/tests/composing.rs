use std::time::Duration;

use event_store::Position;
use tokio::time::Instant;

use super::{super::*, *};
use crate::sse::{
    composer::{Composer, PATIENCE, Taken},
    cursor::Cursor,
};

fn composer() -> Composer {
    Composer::new(Cursor::at(Position::START), false)
}

/// Feeds facts as a connection does: waits when told to, on a clock of its own; returns what was sent and when.
fn run(
    composer: &mut Composer,
    facts: &[Fact],
    behind: u64,
    start: Instant,
) -> Vec<(Duration, Read)> {
    let (mut now, mut sent) = (start, Vec::new());
    let mut out = Outbox::default();
    for fact in facts {
        while let Taken::NotBefore(then) = composer.take(fact, now, behind, &mut out) {
            assert!(then > now, "a wait leads somewhere");
            now = then;
        }
        sent.extend(
            read(&mut out)
                .into_iter()
                .map(|message| (now - start, message)),
        );
    }
    while let Some(then) = composer.rest(now, &mut out) {
        now = then;
    }
    sent.extend(
        read(&mut out)
            .into_iter()
            .map(|message| (now - start, message)),
    );
    sent
}

fn names_of(messages: &[(Duration, Read)]) -> Vec<String> {
    messages
        .iter()
        .flat_map(|(_, message)| {
            message.payload["items"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .map(|item| item["domain"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn findings_come_in_batches_of_two_hundred_four_a_second_and_none_is_missing() {
    let facts: Vec<Fact> = (1..=1_000)
        .map(|n| found(n, 1, &format!("n{n}.test")))
        .collect();
    let sent = run(&mut composer(), &facts, 0, Instant::now());
    assert_eq!(
        names_of(&sent),
        (1..=1_000)
            .map(|n| format!("n{n}.test"))
            .collect::<Vec<_>>()
    );
    for (_, message) in &sent {
        let items = message.payload["items"].as_array().unwrap().len();
        assert!(items <= MAX_ITEMS && message.payload["count"] == items);
        assert_eq!(message.payload.get("leftOut"), None);
    }
    for pair in sent.windows(2) {
        assert!(
            pair[1].0 - pair[0].0 >= COALESCED,
            "{:?} after {:?}",
            pair[1].0,
            pair[0].0
        );
    }
    assert_eq!(sent.last().unwrap().1.id.as_deref(), Some("1000"));
}

#[test]
fn several_findings_of_a_domain_are_one_item_unless_every_domain_is_wanted() {
    let finding = Finding::Lead(aggregates::lead::Status::Match);
    let facts = [
        found(1, 1, "a.test"),
        fact(
            2,
            1,
            What::Found {
                name: Arc::from("a.test"),
                finding,
            },
        ),
    ];
    let sent = run(&mut composer(), &facts, 0, Instant::now());
    let expected = serde_json::json!([
        {"domain": "a.test", "dns_status": "error", "dns_reason": "NXDOMAIN", "lead_status": "match"}
    ]);
    assert_eq!(sent[0].1.payload["items"], expected);
    assert_eq!(sent[0].1.payload.get("leftOut"), None, "both are listed");
    // Of two findings of one kind the later one is listed, and the other counted.
    let twice = [found(1, 1, "a.test"), found(2, 1, "a.test")];
    let sent = run(&mut composer(), &twice, 0, Instant::now());
    assert_eq!(
        (&sent[0].1.payload["count"], &sent[0].1.payload["leftOut"]),
        (&1.into(), &1.into())
    );
    let mut every = Composer::new(Cursor::at(Position::START), true);
    assert_eq!(
        names_of(&run(&mut every, &facts, 0, Instant::now())),
        ["a.test", "a.test"]
    );
}

#[test]
fn nothing_overtakes_a_batch() {
    let facts = [
        found(1, 1, "a.test"),
        told(2, 1, "phase_paused", Weight::Lifecycle),
        found(3, 1, "b.test"),
        told(4, 1, "phase_resumed", Weight::Lifecycle),
        found(5, 1, "c.test"),
        found(6, 2, "d.test"),
    ];
    let sent: Vec<Read> = run(&mut composer(), &facts, 0, Instant::now())
        .into_iter()
        .map(|(_, read)| read)
        .collect();
    let expected = [
        ("domain_status_delta", "1"),
        ("phase_paused", "2"),
        ("domain_status_delta", "3"),
        ("phase_resumed", "4"),
        ("domain_status_delta", "5"),
        ("domain_status_delta", "6"),
    ];
    assert_eq!(kinds_and_ids(&sent), expected);
}

#[test]
fn a_stream_that_is_far_behind_counts_what_it_does_not_list_and_loses_no_other_message() {
    let (start, many) = (Instant::now(), 5_000);
    let mut facts: Vec<Fact> = (1..=many)
        .map(|n| found(n, 1, &format!("n{n}.test")))
        .collect();
    // Another campaign's findings in between, which would otherwise make a run of each.
    facts.extend((1..=many).map(|n| found(many + n, 1 + u128::from(n % 2), &format!("m{n}.test"))));
    let findings = facts.clone();
    facts.push(told(2 * many + 1, 1, "phase_completed", Weight::Lifecycle));
    facts.push(told(2 * many + 2, 2, "phase_completed", Weight::Lifecycle));
    let left_out = |sent: &[(Duration, Read)]| -> u64 {
        let counts = sent.iter();
        counts
            .filter_map(|(_, message)| message.payload["leftOut"].as_u64())
            .sum()
    };
    let sent = run(&mut composer(), &facts, PATIENCE + 1, start);
    assert!(
        sent.last().unwrap().0 <= 4 * COALESCED,
        "it catches up: {:?}",
        sent.last().unwrap().0
    );
    let completed = sent
        .iter()
        .filter(|(_, message)| message.kind == "phase_completed")
        .count();
    assert_eq!(completed, 2);
    let listed = names_of(&sent).len() as u64;
    assert!(listed < many, "{listed} of {} are listed", 2 * many);
    assert_eq!(listed + left_out(&sent), 2 * many);
    let last = sent
        .iter()
        .rev()
        .take(2)
        .all(|(_, last)| last.kind == "phase_completed");
    assert!(
        !last,
        "what was left out of a campaign is counted before its end is told"
    );
    // The same where nothing comes after them.
    let sent = run(&mut composer(), &findings, PATIENCE + 1, start);
    assert_eq!(names_of(&sent).len() as u64 + left_out(&sent), 2 * many);

    let mut every = Composer::new(Cursor::at(Position::START), true);
    let sent = run(&mut every, &facts, PATIENCE + 1, start);
    assert_eq!(
        names_of(&sent).len() as u64,
        2 * many,
        "with every domain wanted none is left out"
    );
    assert_eq!(
        sent.last().unwrap().0,
        Duration::ZERO,
        "and nothing is coalesced"
    );
}

#[test]
fn whoever_is_cut_off_after_any_message_resumes_without_loss_or_repeat() {
    let mut facts = Vec::new();
    for n in 0..60 {
        let position = 3 * n + 1;
        facts.push(found(position, u128::from(n % 3), &format!("n{n}.test")));
        facts.push(match n % 4 {
            0 => told(position + 1, 1, "phase_paused", Weight::Lifecycle),
            1 => told(position + 1, 2, "domain_scored", Weight::Bulk),
            _ => found(position + 1, 1, &format!("m{n}.test")),
        });
    }
    // An event with two messages.
    let completed = told(200, 1, "phase_completed", Weight::Lifecycle);
    let What::Told(both) = completed.what else {
        panic!()
    };
    let announcement = Some(outbox::body("analysis_completed", DateTime::UNIX_EPOCH, ()).into());
    facts.push(fact(
        200,
        1,
        What::Told(Told {
            announcement,
            ..both
        }),
    ));
    facts.push(found(201, 1, "last.test"));

    let whole: Vec<String> = flat(&run(&mut composer(), &facts, 0, Instant::now()));
    let (mut cursor, mut pieced) = (Cursor::at(Position::START), Vec::new());
    for _ in 0..=whole.len() {
        let rest: Vec<Fact> = facts
            .iter()
            .filter(|fact| fact.position > cursor.position)
            .cloned()
            .collect();
        let sent = run(&mut Composer::new(cursor, false), &rest, 0, Instant::now());
        let Some(first) = sent.first() else { break };
        cursor = first.1.id.as_deref().unwrap().parse().unwrap();
        pieced.extend(flat(std::slice::from_ref(first)));
    }
    assert_eq!(pieced, whole);
    assert_eq!(
        pieced
            .iter()
            .filter(|what| *what == "analysis_completed")
            .count(),
        1
    );
}

/// Names every domain and every other message, in order.
fn flat(sent: &[(Duration, Read)]) -> Vec<String> {
    sent.iter()
        .flat_map(|one| match one.1.kind.as_str() {
            "domain_status_delta" => names_of(std::slice::from_ref(one)),
            other => vec![other.to_owned()],
        })
        .collect()
}

#[test]
fn progress_waits_for_the_batch_and_for_its_pace_and_is_shown_until_everything_was() {
    let (now, mut out) = (Instant::now(), Outbox::default());
    let mut composer = composer();
    composer.take(
        &told(1, 1, "phase_started", Weight::Lifecycle),
        now,
        0,
        &mut out,
    );
    composer.take(&found(2, 1, "a.test"), now, 0, &mut out);
    assert_eq!(composer.progress(now), Err(None), "a batch waits");
    assert_eq!(composer.rest(now, &mut out), None);
    let wanted = composer.progress(now).unwrap();
    assert_eq!(
        (wanted.covered, wanted.settled),
        (Position::new(2), Position::new(1))
    );

    read(&mut out);
    let bodies = ["campaign_progress", "rescore_progress"]
        .map(|kind| outbox::body(kind, DateTime::UNIX_EPOCH, ()));
    composer.show(wanted, &bodies, Position::new(1), now, &mut out);
    assert_eq!(
        kinds_and_ids(&read(&mut out)),
        [("campaign_progress", "2"), ("rescore_progress", "2")]
    );
    assert_eq!(
        composer.progress(now),
        Err(Some(now + COALESCED)),
        "it did not show the last finding yet"
    );
    let later = now + COALESCED;
    let wanted = composer.progress(later).unwrap();
    composer.show(wanted, &bodies, Position::new(2), later, &mut out);
    assert_eq!(
        composer.progress(later + COALESCED),
        Err(None),
        "there is nothing new"
    );
}

#[test]
fn the_stream_of_a_deleted_campaign_ends_after_all_that_came_before() {
    let mut composer = composer();
    let facts = [
        found(1, 1, "a.test"),
        found(2, 2, "b.test"),
        fact(3, 1, What::Ended),
    ];
    let sent = run(&mut composer, &facts, 0, Instant::now());
    assert_eq!(names_of(&sent), ["a.test", "b.test"]);
    assert!(composer.ended());
}
