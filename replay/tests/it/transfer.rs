//! The log is taken out of one database and into another, and everything goes on there.

use event_store::{Database, Sequencer, TreeKeeper};
use projections::runtime::Runtime;
use replay::{CheckpointFile, Error, Transferred, Witnesses, export, import, verify_log};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use transparency::{Checkpoint, SigningKey};

use crate::support::{World, fresh, names, record_dns};

async fn exported(database: &Database) -> (String, Transferred) {
    let mut text = Vec::new();
    let mut told = Vec::new();
    let exported = export(database, &mut text, |written, of| told.push((written, of))).await;
    let exported = exported.unwrap();
    let end = (exported.events, exported.events);
    assert_eq!(told.last(), Some(&end));
    (String::from_utf8(text).unwrap(), exported)
}

async fn imported(database: &Database, text: &str) -> Result<Transferred, Error> {
    import(database, &mut text.as_bytes(), |_, _| {}).await
}

/// A checkpoint of a log as it is.
async fn signed(database: &Database) -> Witnesses {
    let key = SigningKey::from_seed("log.test", &[7; 32]).unwrap();
    let tree = database.tree();
    let size = tree.catch_up().await.unwrap();
    let checkpoint = Checkpoint {
        origin: key.public().name().to_owned(),
        size,
        root: tree.root(size).await.unwrap(),
        time: chrono::DateTime::UNIX_EPOCH,
        log: tree.first_leaf().await.unwrap(),
    };
    Witnesses {
        checkpoints: vec![CheckpointFile {
            name: "one".to_owned(),
            text: checkpoint.sign(&key).unwrap().to_string(),
        }],
        keys: vec![key.public().clone()],
        are_named: true,
    }
}

/// Starts what a process keeps on a database.
async fn world_on(database: Database, test: private_postgres::testing::TestDatabase) -> World {
    let runtime = Runtime::new(database.clone(), projections::all());
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    tracker.spawn(Sequencer::new(database.clone()).run(cancel.clone()));
    tracker.spawn(TreeKeeper::new(database.clone()).run(cancel.clone()));
    runtime.spawn(&tracker, &cancel);
    World::on(database, runtime, (tracker, cancel), test)
}

#[tokio::test]
async fn a_log_that_was_exported_and_imported_is_the_one_that_was_signed_and_everything_goes_on() {
    let from = World::start().await;
    let found = names(6_000);
    let campaign_id = from.campaign(&found).await;
    from.validation(campaign_id, found.len()).await;
    from.level().await;
    record_dns(&from.database, campaign_id, &found, 0).await;
    from.level().await;
    let witnesses = signed(&from.database).await;
    // Nobody has given the last events positions when the export begins.
    from.stop().await;
    let before = from.database.feed().head().await.unwrap().get();
    record_dns(&from.database, campaign_id, &found[100..105], 1).await;
    let (text, written) = exported(&from.database).await;
    let head = from.database.feed().head().await.unwrap();
    assert_eq!((written.events, head.get()), (before + 5, before + 5));
    assert!(text.ends_with("\"}}\n"), "it ends with its root");

    let (database, test) = fresh().await;
    let taken = imported(&database, &text).await.unwrap();
    assert_eq!(taken, written);
    let (again, _) = exported(&database).await;
    assert!(again == text, "the same to the byte");
    for projection in projections::all() {
        replay::rebuild(&database, projection, |_| {})
            .await
            .unwrap();
    }
    let verified = verify_log(&database, &witnesses, |_, _| {}).await.unwrap();
    assert!(verified.is_clean(), "{:?}", verified.findings);
    assert_eq!((verified.covered, verified.agreeing), (head.get(), 1));

    let world = world_on(database, test).await;
    world.level().await;
    let more = names(40);
    let another = world.campaign(&more).await;
    world.validation(another, more.len()).await;
    world.level().await;
    record_dns(&world.database, another, &more, 0).await;
    record_dns(&world.database, campaign_id, &found[..40], 1).await;
    world.level().await;
    let checked = replay::check(&world.database).await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.findings());
    for projection in projections::all() {
        let verified = replay::verify(&world.database, projection, |_| {}).await;
        let verified = verified.unwrap();
        assert!(verified.is_equal(), "{verified:?}");
    }
    world.stop().await;
    let verified = verify_log(&world.database, &witnesses, |_, _| {}).await;
    let verified = verified.unwrap();
    assert!(verified.is_clean(), "{:?}", verified.findings);
    assert!(verified.covered > head.get(), "the tree has grown on");
}

#[tokio::test]
async fn a_log_of_nothing_is_exported_and_imported_too() {
    let (from, _from) = fresh().await;
    let mut text = Vec::new();
    export(&from, &mut text, |_, _| {}).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    let taken = imported(&from, &text).await.unwrap();
    assert_eq!(taken.events, 0);
}

#[tokio::test]
async fn an_export_that_was_cut_off_or_changed_is_refused_by_its_line_and_nothing_of_it_is_taken() {
    let world = World::start().await;
    world.campaign(&names(3)).await;
    world.level().await;
    let (text, _) = exported(&world.database).await;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].contains("\"sequence\":1"), "{}", lines[2]);
    let without = |place: usize| {
        let mut left = lines.clone();
        left.remove(place);
        left.join("\n") + "\n"
    };
    let replaced = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        changed
    };
    let last = lines.len() - 1;
    let line = |number: usize, what: &str| format!("line {number} of the export: {what}");
    let end = "its last line, with their number, is missing";
    let cases = [
        (String::new(), "cut off after line 0, 0 events".to_owned()),
        (lines[0].to_owned(), "cut off after line 0".to_owned()),
        (without(last), end.to_owned()),
        (text[..text.len() - 1].to_owned(), end.to_owned()),
        (text[..text.len() / 2].to_owned(), end.to_owned()),
        (without(0), line(1, "a log should begin here, not commit")),
        (without(1), line(2, "a commit should begin here, not event")),
        (
            without(2),
            line(
                4,
                "the commit at position 1 should have 2 events, here is commit after 1",
            ),
        ),
        (
            text.clone() + "\n",
            line(last + 2, "nothing should follow the end"),
        ),
        (
            text.clone() + &text,
            line(last + 2, "nothing should follow the end"),
        ),
        (
            replaced("log/v1", "log/v2"),
            line(1, "the form is domainflow/log/v2"),
        ),
        (
            replaced("{\"commit\"", "{\"comet\""),
            line(2, "unknown variant `comet`"),
        ),
        (
            replaced("\"sequence\":1", "\"sequel\":1"),
            line(3, "unknown field `sequel`"),
        ),
        (
            replaced("\"sequence\":1", "\"sequence\":0"),
            line(3, "sequence is 0"),
        ),
        (
            replaced("\"position\":1", "\"position\":2"),
            line(4, "the log goes on at position 2 where 1 should be"),
        ),
        (
            replaced("\"base\":1", "\"base\":2"),
            line(4, "the log goes on at position 2 where 1 should be"),
        ),
        (
            replaced("\"payload\":\"{", "\"payload\":\"["),
            line(3, "payload is no JSON"),
        ),
        (
            replaced("\"eventType\":\"C", "\"eventType\":\"\\u0000"),
            line(3, "eventType has a character"),
        ),
        (
            replaced("imported", "exported"),
            "the export was changed: its".to_owned(),
        ),
        (
            replaced("\"end\":{\"events\":", "\"end\":{\"events\":1"),
            "the export was changed: its".to_owned(),
        ),
        (
            replaced("\"sequence\":1", "\"sequence\":7"),
            "the export was changed: its".to_owned(),
        ),
    ];
    let (database, _test) = fresh().await;
    for (changed, expected) in cases {
        let refused = imported(&database, &changed).await.unwrap_err();
        let told = event_store::describe(&refused);
        assert!(told.contains(&expected), "{told}, not {expected}");
        assert_eq!(database.feed().head().await.unwrap().get(), 0);
        assert_eq!(database.tree().size().await.unwrap(), 0);
    }
    imported(&database, &text).await.unwrap();
    let again = imported(&database, &text).await.unwrap_err().to_string();
    assert!(again.contains("the log is not empty"), "{again}");
}

#[tokio::test]
async fn a_log_that_could_not_be_imported_is_not_exported() {
    for (damage, told) in [
        (
            "DELETE FROM events WHERE sequence = 2",
            "begins a commit that has not the events",
        ),
        (
            "DELETE FROM event_log WHERE base = 1",
            "position 1 is missing",
        ),
        (
            "UPDATE events SET recorded_at = 'infinity' WHERE sequence = 2",
            "was recorded at no moment",
        ),
        (
            "UPDATE event_log SET committed_at = '-infinity'",
            "was given at no moment",
        ),
    ] {
        let world = World::start().await;
        world.campaign(&names(3)).await;
        world.level().await;
        world.stop().await;
        let mut connection = world.database.pool().acquire().await.unwrap();
        for statement in ["SET session_replication_role = replica", damage] {
            sqlx::query(statement)
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        let mut text = Vec::new();
        let refused = export(&world.database, &mut text, |_, _| {}).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(told), "{damage}: {refused}");
    }
}
