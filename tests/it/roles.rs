//! What the roles may do, and that a change of a role is in force at once.

use std::{collections::BTreeSet, time::Duration};

use aggregates::user::{ChangeRole, Command, Deactivate, Reactivate, Role};
use domainflow::auth;
use serde_json::json;

use crate::{
    bodies::body_of,
    campaigns::{create, shops},
    sse::client::Stream,
    support::{
        DEADLINE,
        server::{Client, PASSWORD, TestApp, email},
    },
};

/// The lists of what users own.
const LISTS: [&str; 6] = [
    "/personas",
    "/proxies",
    "/proxy-pools",
    "/keyword-sets",
    "/scoring-profiles",
    "/campaigns",
];

/// Makes one object of each kind.
async fn one_of_each(owner: &Client) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for path in LISTS {
        let body = body_of(&format!("POST /api/v2{path}"));
        let made = owner.post(path).json(&body).send().await.ok(201);
        ids.insert(made["id"].as_str().expect("an id").to_owned());
    }
    ids
}

/// The objects that somebody's lists have.
async fn listed(client: &Client) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for path in LISTS {
        let list = client.get(path).send().await.ok(200);
        let items = list.get("items").unwrap_or(&list);
        for item in items.as_array().expect("a list") {
            ids.insert(item["id"].as_str().expect("an id").to_owned());
        }
    }
    ids
}

#[tokio::test]
async fn lists_and_streams_show_everybodys_to_an_administrator_and_an_auditor_and_to_a_user_his_own()
 {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let admin = app.user_with_role("root", Role::Admin).await;
    let auditor = app.user_with_role("eve", Role::Auditor).await;
    let mut streams = [
        Stream::open(&admin, "/sse/events", None).await,
        Stream::open(&auditor, "/sse/events", None).await,
    ];
    let (anns, bobs) = (one_of_each(&ann).await, one_of_each(&bob).await);
    assert_eq!(
        (listed(&ann).await, listed(&bob).await),
        (anns.clone(), bobs.clone())
    );
    let all: BTreeSet<String> = anns.union(&bobs).cloned().collect();
    assert_eq!(listed(&admin).await, all);
    assert_eq!(listed(&auditor).await, all);
    for stream in &mut streams {
        for _ in ["ann's", "bob's"] {
            let told = tokio::time::timeout(DEADLINE, stream.next()).await;
            let message = told.expect("in time").expect("a message");
            assert_eq!(message.kind, "keyword_set_created");
        }
    }
    let rules = json!({"name": "r", "rules": [{"pattern": "x", "ruleType": "string"}]});
    ann.post("/keyword-sets").json(&rules).send().await.ok(201);
    let of_others = bob.get("/keyword-rules").send().await.ok(200);
    assert_eq!(of_others, json!([]));
    let of_all = auditor.get("/keyword-rules").send().await.ok(200);
    assert_eq!(of_all.as_array().map(Vec::len), Some(1));

    let typed = "/api/v1/campaigns/dns";
    let body = body_of("POST /api/v1/campaigns/{type}");
    ann.post(typed).json(&body).send().await.ok(201);
    for (client, query, shown) in [
        (&ann, String::new(), 1),
        (&bob, String::new(), 0),
        (&admin, String::new(), 1),
        (&auditor, format!("?ownerId={}", ann.user_id.unwrap()), 1),
        (&auditor, format!("?ownerId={}", bob.user_id.unwrap()), 0),
        (&bob, format!("?ownerId={}", ann.user_id.unwrap()), 0),
    ] {
        let list = client.get(&format!("{typed}{query}")).send().await;
        let total: i64 = list.header("x-total-count").unwrap().parse().unwrap();
        assert_eq!(total, shown, "{query}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_an_administrator_changes_stays_its_owners_and_names_who_changed_it() {
    let app = TestApp::start().await;
    let (ann, admin) = (
        app.user("ann").await,
        app.user_with_role("root", Role::Admin).await,
    );
    let path = create(&ann, &shops("ab")).await;
    let renamed = json!({"name": "renamed"});
    admin.put(&path).json(&renamed).send().await.ok(200);
    assert_eq!(ann.get(&path).send().await.ok(200)["name"], "renamed");
    let copy = admin
        .post(&format!("{path}/duplicate"))
        .send()
        .await
        .ok(201);
    ann.get(&format!("/campaigns/{}", copy["id"].as_str().unwrap()))
        .send()
        .await
        .ok(200);
    let actor: String = sqlx::query_scalar(
        "SELECT metadata ->> 'actor' FROM events WHERE event_type = 'DetailsChanged' AND aggregate_type = 'campaign'",
    )
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert_eq!(actor, format!("user:{}", admin.user_id.unwrap()));

    // What belongs to one user does not get into what is another's.
    let profile = body_of("POST /api/v2/scoring-profiles");
    let profile = admin
        .post("/scoring-profiles")
        .json(&profile)
        .send()
        .await
        .ok(201);
    admin
        .post(&format!("{path}/scoring-profile"))
        .json(&json!({"profileId": profile["id"]}))
        .send()
        .await
        .blames(404, "profileId");
    let pool = ann
        .post("/proxy-pools")
        .json(&json!({"name": "anns"}))
        .send()
        .await
        .ok(201);
    let proxy = body_of("POST /api/v2/proxies");
    let proxy = admin.post("/proxies").json(&proxy).send().await.ok(201);
    admin
        .post(&format!(
            "/proxy-pools/{}/proxies",
            pool["id"].as_str().unwrap()
        ))
        .json(&json!({"proxyId": proxy["id"]}))
        .send()
        .await
        .blames(422, "proxyId");
    app.stop().await;
}

#[tokio::test]
async fn an_auditor_gives_no_commands_but_those_about_his_own_way_in() {
    let app = TestApp::start().await;
    let (ann, auditor) = (
        app.user("ann").await,
        app.user_with_role("eve", Role::Auditor).await,
    );
    let path = create(&ann, &shops("ab")).await;
    auditor.get(&path).send().await.ok(200);
    let refused = auditor
        .put(&path)
        .json(&json!({"name": "mine"}))
        .send()
        .await;
    assert_eq!(refused.ok(403)["error"]["code"], "FORBIDDEN");
    auditor.delete(&path).send().await.ok(403);
    for list in LISTS {
        let body = body_of(&format!("POST /api/v2{list}"));
        auditor.post(list).json(&body).send().await.ok(403);
    }
    let typed = auditor
        .post("/api/v1/campaigns/dns")
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(typed.ok(403)["code"], "FORBIDDEN");
    assert_eq!(ann.get(&path).send().await.ok(200)["name"], "shops");

    auditor.post("/auth/refresh").send().await.ok(200);
    let change = json!({"oldPassword": PASSWORD, "newPassword": "another horse"});
    auditor
        .post("/auth/change-password")
        .json(&change)
        .send()
        .await
        .ok(200);
    app.stop().await;
}

/// Gives the operator's command to a user.
async fn administer(app: &TestApp, name: &str, command: Command) {
    auth::administer(&app.app, &email(name), command)
        .await
        .expect("it is done");
}

#[tokio::test]
async fn a_change_of_role_is_in_force_at_once_though_the_read_models_stand_still() {
    let app = TestApp::start().await;
    let (ann, eve) = (
        app.user("ann").await,
        app.user_with_role("eve", Role::Auditor).await,
    );
    let path = create(&ann, &shops("ab")).await;
    eve.get(&path).send().await.ok(200);
    let mut stream = Stream::open(&eve, "/sse/events", None).await;
    stream.any().await.expect("it is open");
    // The read model keeps the role that it has.
    sqlx::query(
        "CREATE FUNCTION keep_role() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN NEW.role := OLD.role; NEW.active := OLD.active; RETURN NEW; END $$",
    )
    .execute(app.app.database.pool())
    .await
    .unwrap();
    sqlx::query("CREATE TRIGGER keep_role BEFORE UPDATE ON read.users FOR EACH ROW EXECUTE FUNCTION keep_role()")
        .execute(app.app.database.pool())
        .await
        .unwrap();
    administer(
        &app,
        "eve",
        Command::ChangeRole(ChangeRole { role: Role::User }),
    )
    .await;
    eve.get(&path).send().await.ok(404);
    let over = tokio::time::timeout(Duration::from_secs(8), async {
        while stream.any().await.is_some() {}
    });
    over.await
        .expect("the stream ended well before the next keep-alive");

    administer(&app, "ann", Command::Deactivate(Deactivate)).await;
    ann.get("/auth/me").send().await.ok(401);
    administer(&app, "ann", Command::Reactivate(Reactivate)).await;
    // Who was shut out logs in anew.
    ann.get("/auth/me").send().await.ok(401);
    app.log_in("ann", PASSWORD).await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn users_of_before_have_the_role_that_their_events_say() {
    let app = TestApp::start().await;
    for name in ["ann", "bob", "eve"] {
        app.user(name).await;
    }
    administer(
        &app,
        "bob",
        Command::ChangeRole(ChangeRole { role: Role::Admin }),
    )
    .await;
    administer(
        &app,
        "bob",
        Command::ChangeRole(ChangeRole {
            role: Role::Auditor,
        }),
    )
    .await;
    administer(&app, "eve", Command::Deactivate(Deactivate)).await;
    let kept = "SELECT e.email, a.role, a.active FROM user_access a JOIN user_emails e USING (user_id) ORDER BY 1";
    let pool = app.app.database.pool();
    let live: Vec<(String, String, bool)> = sqlx::query_as(kept).fetch_all(pool).await.unwrap();
    let migration = include_str!("../../migrations/0019_access.sql");
    let (_, rest) = migration
        .split_once("INSERT INTO user_access")
        .expect("it fills the table");
    let (fill, _) = rest.split_once(';').expect("a statement");
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM user_access")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let fill = format!("INSERT INTO user_access{fill}");
    sqlx::query(&fill).execute(&mut *transaction).await.unwrap();
    let filled: Vec<(String, String, bool)> = sqlx::query_as(kept)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(filled, live);
    let expected = [
        ("ann", "user", true),
        ("bob", "auditor", true),
        ("eve", "user", false),
    ];
    assert_eq!(
        live,
        expected.map(|(name, role, active)| (email(name), role.to_owned(), active))
    );
    app.stop().await;
}
