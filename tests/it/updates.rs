//! Changes that name no version change what they name and nothing else.

use serde_json::{Value, json};

use crate::{
    campaigns::shops,
    support::server::{Client, TestApp},
};

/// What is made where, and two changes of it that have no field in common, with what must stay as it is.
struct Case {
    made_at: &'static str,
    id: &'static str,
    body: Value,
    changes: fn(usize) -> [Value; 2],
    stays: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let texts = |n| {
        [
            json!({"name": format!("name {n}")}),
            json!({"description": format!("text {n}")}),
        ]
    };
    let persona = json!({"name": "one", "personaType": "http", "configDetails": {"personaType": "http",
        "userAgent": "x"}});
    vec![
        Case {
            made_at: "/campaigns",
            id: "id",
            body: shops("ab"),
            changes: texts,
            stays: &["configuration", "metadata"],
        },
        Case {
            made_at: "/personas",
            id: "id",
            body: persona,
            changes: texts,
            stays: &["configDetails", "isEnabled"],
        },
        Case {
            made_at: "/keyword-sets",
            id: "id",
            body: json!({"name": "one", "rules": [{"pattern": "x", "ruleType": "string"}]}),
            changes: texts,
            stays: &["rules", "isEnabled"],
        },
        Case {
            made_at: "/scoring-profiles",
            id: "id",
            body: json!({"name": "one", "weights": {"freshness": 1.0}}),
            changes: texts,
            stays: &["weights"],
        },
        Case {
            made_at: "/api/v1/campaigns/dns",
            id: "campaignId",
            body: json!({"campaignName": "one", "domains": ["a.test"], "description": "as it is"}),
            changes: |n| {
                [
                    json!({"notes": format!("note {n}")}),
                    json!({"tags": [format!("tag {n}")]}),
                ]
            },
            stays: &["campaignName", "description"],
        },
    ]
}

async fn shown(client: &Client, path: &str) -> Value {
    client.get(path).send().await.ok(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_changes_at_once_that_name_no_version_and_different_fields_both_hold_and_all_else_stays()
 {
    let app = TestApp::start().await;
    let other = app.another_node().await;
    let ann = app.user("ann").await;
    let there = ann.at(&other);
    for case in cases() {
        let made = ann.post(case.made_at).json(&case.body).send().await.ok(201);
        let path = format!("{}/{}", case.made_at, made[case.id].as_str().unwrap());
        let before = shown(&ann, &path).await;
        for round in 0..10 {
            let [one, two] = (case.changes)(round);
            let (first, second) = tokio::join!(
                ann.put(&path).json(&one).send(),
                there.put(&path).json(&two).send()
            );
            first.ok(200);
            second.ok(200);
            let after = shown(&ann, &path).await;
            for change in [&one, &two] {
                for (field, value) in change.as_object().unwrap() {
                    assert_eq!(&after[field], value, "{path}, round {round}");
                }
            }
            for field in case.stays {
                assert_eq!(after[*field], before[*field], "{path}, round {round}");
            }
        }
    }
    other.stop().await;
    app.stop().await;
}
