//! Every operation of the document, asked by everybody who might ask: one table of rules says what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use aggregates::user::Role;
use reqwest::Method;
use sandbox::World;
use serde_json::Value;

use crate::{
    access::{filled, operations},
    api_keys::key_of,
    bodies::{body_of, with_body},
    campaigns::shops,
    support::server::{Client, TestApp},
};

/// Which rule holds for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// It needs no user.
    Open,
    /// It asks how one oneself comes in.
    OwnQuery,
    /// It changes how one oneself comes in, which no API key does.
    OwnCommand,
    /// It asks for nothing that somebody owns, or for whatever one reaches.
    Query,
    /// It makes something of one's own, changes what its body names, or has the engines try something.
    Command,
    /// It asks what anybody did.
    EverybodysQuery,
    /// It changes what holds for everybody.
    EverybodysCommand,
    /// It erases somebody, which no API key does.
    Erasure,
    /// It asks for what somebody owns.
    ObjectQuery,
    /// It changes what somebody owns.
    ObjectCommand,
}

/// The rule of every operation.
const RULES: &str = include_str!("../contract/access.txt");

/// Who asks; objects belong to the owner, and so do the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nobody,
    ExpiredSession,
    RevokedKey,
    Owner,
    Other,
    Auditor,
    Admin,
    ReadKey,
    WriteKey,
    AuditorsKey,
    AdminsKey,
}

const EVERYBODY: [Who; 11] = [
    Who::Nobody,
    Who::ExpiredSession,
    Who::RevokedKey,
    Who::Owner,
    Who::Other,
    Who::Auditor,
    Who::Admin,
    Who::ReadKey,
    Who::WriteKey,
    Who::AuditorsKey,
    Who::AdminsKey,
];

impl Who {
    const fn is_a_key(self) -> bool {
        matches!(
            self,
            Self::ReadKey | Self::WriteKey | Self::AuditorsKey | Self::AdminsKey
        )
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// It is carried out; a command may be refused for what it says, or be about nothing.
    LetIn,
    /// 401.
    Unknown,
    /// 403.
    Forbidden,
    /// 404 that names the object.
    Hidden,
    /// Anything else, which none of them is to be.
    Other,
}

impl Rule {
    fn class(self, who: Who) -> Class {
        use Class::{Forbidden, Hidden, LetIn, Unknown};
        match (self, who) {
            (Self::Open, _) => LetIn,
            (_, Who::Nobody | Who::ExpiredSession | Who::RevokedKey) => Unknown,
            (Self::OwnCommand, who) if who.is_a_key() => Forbidden,
            (
                Self::Command | Self::ObjectCommand,
                Who::Auditor | Who::ReadKey | Who::AuditorsKey,
            ) => Forbidden,
            (
                Self::EverybodysQuery,
                Who::Admin | Who::Auditor | Who::AdminsKey | Who::AuditorsKey,
            )
            | (Self::EverybodysCommand, Who::Admin | Who::AdminsKey)
            | (Self::Erasure, Who::Admin) => LetIn,
            (Self::EverybodysQuery | Self::EverybodysCommand | Self::Erasure, _) => Forbidden,
            (Self::ObjectQuery | Self::ObjectCommand, Who::Other) => Hidden,
            _ => LetIn,
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "open" => Self::Open,
            "own-query" => Self::OwnQuery,
            "own-command" => Self::OwnCommand,
            "query" => Self::Query,
            "command" => Self::Command,
            "everybodys-query" => Self::EverybodysQuery,
            "everybodys-command" => Self::EverybodysCommand,
            "erasure" => Self::Erasure,
            "object-query" => Self::ObjectQuery,
            "object-command" => Self::ObjectCommand,
            other => panic!("no rule is called {other}"),
        }
    }

    const fn is_about_an_object(self) -> bool {
        matches!(self, Self::ObjectQuery | Self::ObjectCommand)
    }
}

/// Reads the table: operation and rule.
fn rules() -> BTreeMap<String, Rule> {
    let mut rules = BTreeMap::new();
    for line in RULES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (rule, operation) = line.split_once(' ').expect("a rule and an operation");
        let before = rules.insert(operation.trim().to_owned(), Rule::parse(rule));
        assert!(before.is_none(), "{operation} is there twice");
    }
    rules
}

#[test]
fn every_operation_has_a_rule_and_every_rule_an_operation() {
    let operations = operations().into_iter();
    let there: BTreeSet<String> = operations
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let ruled: BTreeSet<String> = rules().into_keys().collect();
    let without: Vec<_> = there.difference(&ruled).collect();
    let gone: Vec<_> = ruled.difference(&there).collect();
    assert!(
        without.is_empty() && gone.is_empty(),
        "no rule: {without:#?}\nno operation: {gone:#?}"
    );
}

/// Everybody who might ask.
struct Cast {
    app: TestApp,
    standing: BTreeMap<Who, Client>,
}

impl Cast {
    async fn start() -> Self {
        let app = TestApp::in_sandbox(World::scripted()).await;
        let mut standing = BTreeMap::new();
        for who in EVERYBODY {
            let owner = standing.get(&Who::Owner).cloned();
            standing.insert(who, newcomer(&app, who, owner.as_ref()).await);
        }
        Self { app, standing }
    }

    /// Who asks for something that leaves nobody else's way in as it was.
    async fn asking(&self, who: Who, rule: Rule) -> Client {
        match rule == Rule::OwnCommand && rule.class(who) == Class::LetIn {
            true => newcomer(&self.app, who, None).await,
            false => self.standing[&who].clone(),
        }
    }

    /// Makes what somebody owns and a path is about, and fills the path with it.
    async fn with_object(&self, path: &str, rule: Rule) -> String {
        let owner = &self.standing[&Who::Owner];
        let Some((before, rest)) = path.split_once('{').filter(|_| rule.is_about_an_object())
        else {
            return filled(path);
        };
        let typed = path.starts_with("/api/v1/");
        let (list, rest) = match typed {
            true => {
                let kind = if path.ends_with("/leads") {
                    "lead"
                } else {
                    "dns"
                };
                let (_, rest) = rest.split_once("/{").unwrap_or_default();
                (format!("{before}{kind}"), rest)
            }
            // Personas are asked for by their kind too, and campaigns have streams.
            false => {
                let list = before.trim_end_matches("http/").trim_end_matches("dns/");
                (list.trim_end_matches('/').replace("/sse/", "/"), rest)
            }
        };
        let Some((_, after)) = rest.split_once('}') else {
            return filled(path);
        };
        let template = if typed {
            "/api/v1/campaigns/{type}"
        } else {
            &list
        };
        let mut body = match list.ends_with("/api/v2/campaigns") {
            // One without a pattern has no lineage.
            true => shops("ab"),
            false => body_of(&format!("POST {template}")),
        };
        if before.ends_with("http/") {
            body["personaType"] = "http".into();
            body["configDetails"] = serde_json::json!({"userAgent": "x"});
        }
        if list.ends_with("/lead") {
            let checked = body_of("POST /api/v1/campaigns/{type}");
            let checked = owner.post("/api/v1/campaigns/dns").json(&checked).send();
            body["inputCampaignIds"] = [checked.await.ok(201)["campaignId"].clone()]
                .as_slice()
                .into();
        }
        let made = owner.post(&list).json(&body).send().await.ok(201);
        let id = made
            .get("id")
            .or_else(|| made.get("campaignId"))
            .and_then(Value::as_str);
        let before = match typed {
            true => format!("{list}/"),
            false => before.to_owned(),
        };
        filled(&format!("{before}{}{after}", id.expect("an id")))
    }
}

/// Makes somebody who asks.
async fn newcomer(app: &TestApp, who: Who, owner: Option<&Client>) -> Client {
    let name = uuid::Uuid::now_v7().simple().to_string();
    let role = match who {
        Who::Auditor | Who::AuditorsKey => Role::Auditor,
        Who::Admin | Who::AdminsKey => Role::Admin,
        _ => Role::User,
    };
    if who == Who::Nobody {
        return app.anonymous();
    }
    let user = app.user_with_role(&name, role).await;
    let owner = owner.unwrap_or(&user);
    match who {
        Who::ReadKey => key_of(owner, "read").await.1,
        Who::WriteKey => key_of(owner, "write").await.1,
        Who::AuditorsKey | Who::AdminsKey => key_of(&user, "write").await.1,
        Who::RevokedKey => {
            let (id, holder) = key_of(owner, "write").await;
            let path = format!("/auth/api-keys/{id}");
            owner.delete(&path).send().await.ok(204);
            holder
        }
        Who::ExpiredSession => {
            sqlx::query("UPDATE sessions SET expires_at = now() WHERE user_id = $1")
                .bind(user.user_id.unwrap().0)
                .execute(app.app.database.pool())
                .await
                .unwrap();
            user
        }
        _ => user,
    }
}

/// Asks, and tells what became of it. A stream that is opened has no end.
async fn ask(
    client: &Client,
    method: &Method,
    path: &str,
    body: &Value,
    object: Option<&str>,
) -> (u16, Class) {
    let request = client
        .request(method.clone(), path)
        .header("x-requested-with", "XMLHttpRequest");
    let answer = with_body(request, body).0.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    if kind.is_some_and(|kind| kind == "text/event-stream") {
        return (status, Class::LetIn);
    }
    let text = answer.text().await.expect("a body");
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    let blamed = said
        .get("field")
        .unwrap_or_else(|| &said["error"]["details"][0]["field"]);
    let code = said.get("code").unwrap_or_else(|| &said["error"]["code"]);
    let class = match status {
        401 if code == "UNAUTHORIZED" => Class::Unknown,
        403 => Class::Forbidden,
        404 if object.is_some_and(|object| blamed == object) => Class::Hidden,
        200..=299 => Class::LetIn,
        // Said of what is asked, to somebody who may ask it.
        400 | 404 | 409 | 422 => Class::LetIn,
        307 if *method == Method::GET => Class::LetIn,
        _ => Class::Other,
    };
    assert!(status < 500, "{method} {path}: {text}");
    (status, class)
}

async fn events(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events")
        .fetch_one(app.app.database.pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_is_answered_to_everybody_as_the_table_says() {
    let cast = Cast::start().await;
    let mut faults = Vec::new();
    let mut asked = 0;
    for (operation, rule) in rules() {
        let (method, path) = operation.split_once(' ').expect("a method and a path");
        let method: Method = method.parse().expect("a method");
        let parameters = path.split(['{', '}']).skip(1).step_by(2);
        let object = parameters
            .into_iter()
            .find(|name| rule.is_about_an_object() && *name != "type");
        let body = body_of(&operation);
        let (refused, let_in): (Vec<Who>, Vec<Who>) = EVERYBODY
            .into_iter()
            .partition(|who| rule.class(*who) != Class::LetIn);
        let shared = cast.with_object(path, rule).await;
        let before = events(&cast.app).await;
        for who in refused {
            let client = cast.asking(who, rule).await;
            let (status, class) = ask(&client, &method, &shared, &body, object).await;
            if class != rule.class(who) {
                faults.push(format!(
                    "{operation} by {who:?}: {status}, not {:?}",
                    rule.class(who)
                ));
            }
            asked += 1;
        }
        assert_eq!(
            events(&cast.app).await,
            before,
            "{operation}: who was refused changed something"
        );
        for who in let_in {
            let client = cast.asking(who, rule).await;
            let own = match rule {
                Rule::ObjectCommand => cast.with_object(path, rule).await,
                _ => shared.clone(),
            };
            let (status, class) = ask(&client, &method, &own, &body, object).await;
            if class != Class::LetIn {
                faults.push(format!("{operation} by {who:?}: {status}, not let in"));
            }
            asked += 1;
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {asked}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(asked > 1_100, "{asked}");
    cast.app.stop().await;
}
