//! The first user, by the token that a server tells where it is started.

use futures::future::join_all;
use serde_json::json;

use crate::support::server::{PASSWORD, TestApp};

fn first(token: &str, email: &str) -> serde_json::Value {
    json!({"token": token, "email": email, "username": "root", "password": PASSWORD})
}

#[tokio::test]
async fn the_set_up_token_makes_one_administrator_and_ends_with_him() {
    let app = TestApp::start().await;
    let former = app
        .auth
        .offer_setup(&app.app)
        .await
        .unwrap()
        .expect("no users");
    let token = app
        .auth
        .offer_setup(&app.app)
        .await
        .unwrap()
        .expect("no users");
    let set_up = async |body| app.anonymous().post("/auth/setup").json(&body).send().await;
    for wrong in [former.expose(), "", "0"] {
        set_up(first(wrong, "root@example.com")).await.ok(401);
    }
    set_up(first(token.expose(), "nobody"))
        .await
        .blames(422, "email");
    let mut short = first(token.expose(), "root@example.com");
    short["password"] = json!("short");
    set_up(short).await.blames(400, "password");
    // What was refused left the token as it was; of many at once one is taken.
    let emails: Vec<String> = (0..6).map(|n| format!("root{n}@example.com")).collect();
    let at_once = emails
        .iter()
        .map(|email| set_up(first(token.expose(), email)));
    let mut statuses: Vec<u16> = join_all(at_once)
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..]
            .iter()
            .all(|status| [401, 409].contains(status)),
        "{statuses:?}"
    );

    let refused = set_up(first(token.expose(), "other@example.com"))
        .await
        .ok(409);
    assert_eq!(refused["error"]["code"], "ALREADY_SET_UP");
    assert!(app.auth.offer_setup(&app.app).await.unwrap().is_none());
    let users: Vec<(String, bool)> = sqlx::query_as("SELECT role, active FROM user_access")
        .fetch_all(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(users, [("admin".to_owned(), true)]);
    let told: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM events WHERE payload::text || metadata::text LIKE '%' || $1 || '%')",
    )
    .bind(token.expose())
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert!(!told);
    app.stop().await;
}

#[tokio::test]
async fn a_set_up_token_is_good_for_a_day_and_no_longer_than_there_are_no_users() {
    let app = TestApp::start().await;
    let token = app
        .auth
        .offer_setup(&app.app)
        .await
        .unwrap()
        .expect("no users");
    let set_up = async || {
        let body = first(token.expose(), "root@example.com");
        app.anonymous().post("/auth/setup").json(&body).send().await
    };
    let pool = app.app.database.pool();
    let lasts: bool = sqlx::query_scalar(
        "SELECT expires_at BETWEEN now() + interval '23 hours' AND now() + interval '25 hours' FROM setup_token",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(lasts);
    sqlx::query("UPDATE setup_token SET expires_at = now()")
        .execute(pool)
        .await
        .unwrap();
    set_up().await.ok(401);
    app.auth
        .offer_setup(&app.app)
        .await
        .unwrap()
        .expect("no users");
    app.user("ann").await;
    set_up().await.ok(409);
    app.stop().await;
}
