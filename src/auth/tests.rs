//! What an event says of a password or a session, and the row that it speaks of: both are stored or neither, whichever
//! of the two the database refuses.

use aggregates::{
    Actor,
    ids::{SessionId, UserId},
    user::{Role, Scope, User},
};
use event_store::{ConnectOptions, Database};
use private_postgres::testing::TestDatabase;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::*;
use crate::{app::App, work::Network};

const EMAIL: &str = "ann@example.com";
const OLD: &str = "correct horse";
const NEW: &str = "another horse";

/// Fails the commit: by then everything is written.
const REFUSE_AT_COMMIT: &str = "
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE CONSTRAINT TRIGGER refuse_sessions AFTER INSERT OR DELETE ON sessions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE CONSTRAINT TRIGGER refuse_credentials AFTER INSERT OR UPDATE ON credentials DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE CONSTRAINT TRIGGER refuse_api_keys AFTER INSERT ON api_keys DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()";
const REFUSE_EVENTS: &str = "
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse_events BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()";

/// A user who is logged in.
struct World {
    app: App,
    auth: Auth,
    user_id: UserId,
    session_id: SessionId,
    cancel: CancellationToken,
    tracker: TaskTracker,
    _database: TestDatabase,
}

/// What is stored of the user.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    version: u64,
    password_hash: String,
    /// Sessions and keys.
    sessions: i64,
    users: i64,
}

fn origin() -> Origin {
    Origin {
        request_id: "test".into(),
        ip: None,
        user_agent: None,
    }
}

impl World {
    async fn start() -> Self {
        let database = TestDatabase::from_template("auth", |url| async move {
            let database = Database::connect(&url, ConnectOptions::default()).await?;
            database.migrate().await?;
            database.close().await;
            Ok::<_, event_store::Error>(())
        })
        .await
        .unwrap();
        let app = App::open(database.url(), Network::default()).await.unwrap();
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_read_side(&tracker, &cancel);
        let settings = Settings {
            bcrypt_cost: 4,
            ..Settings::new(Secret::random())
        };
        let auth = Auth::new(settings).await.unwrap();
        let user_id = register(&app, &auth, EMAIL, "ann", OLD, Role::User)
            .await
            .unwrap();
        let token = auth
            .log_in(&app, EMAIL, OLD, &origin())
            .await
            .unwrap()
            .token;
        let admitted = auth.session(&app, &token).await.unwrap().unwrap();
        let Credential::Session(session_id) = admitted.credential else {
            panic!("it was let in by a session");
        };
        Self {
            app,
            auth,
            user_id,
            session_id,
            cancel,
            tracker,
            _database: database,
        }
    }

    async fn refuse(&self, triggers: &'static str) {
        sqlx::raw_sql(triggers)
            .execute(self.app.database.pool())
            .await
            .unwrap();
    }

    async fn stored(&self) -> Stored {
        let log = self.app.database.log();
        let (_, version) = log.load::<User>(&self.user_id.to_string()).await.unwrap();
        let (password_hash, sessions, users) = sqlx::query_as(
            "SELECT password_hash, (SELECT count(*) FROM sessions) + (SELECT count(*) FROM api_keys), (SELECT count(*) FROM credentials)
             FROM credentials WHERE user_id = $1",
        )
        .bind(self.user_id.0)
        .fetch_one(self.app.database.pool())
        .await
        .unwrap();
        Stored {
            version,
            password_hash,
            sessions,
            users,
        }
    }

    async fn change_password(&self) -> Result<(), Error> {
        let metadata = origin().metadata(Actor::User(self.user_id));
        self.auth
            .change_password(
                &self.app,
                (self.user_id, self.session_id),
                (OLD, NEW),
                &metadata,
            )
            .await
            .map(drop)
    }

    async fn log_in(&self) -> Result<(), Error> {
        let logged_in = self.auth.log_in(&self.app, EMAIL, OLD, &origin()).await;
        logged_in.map(drop)
    }

    async fn log_out(&self) -> Result<(), Error> {
        let metadata = origin().metadata(Actor::User(self.user_id));
        self.auth
            .log_out(&self.app, self.user_id, self.session_id, &metadata)
            .await
            .map(drop)
    }

    async fn make_key(&self) -> Result<(), Error> {
        let metadata = origin().metadata(Actor::User(self.user_id));
        let wanted = WantedKey {
            name: "ci".to_owned(),
            scope: Scope::Read,
            expires_at: None,
        };
        let made = self.auth.make_key(
            &self.app,
            (self.user_id, self.session_id),
            wanted,
            &metadata,
        );
        made.await.map(drop)
    }

    async fn register_another(&self) -> Result<(), Error> {
        let registered = register(
            &self.app,
            &self.auth,
            "bob@example.com",
            "bob",
            OLD,
            Role::User,
        );
        registered.await.map(drop)
    }

    /// Every operation is refused and leaves what was there.
    async fn nothing_is_stored(&self) {
        let before = self.stored().await;
        let refused = [
            ("log-in", self.log_in().await),
            ("change of the password", self.change_password().await),
            ("log-out", self.log_out().await),
            ("API key", self.make_key().await),
            ("registration", self.register_another().await),
        ];
        for (what, outcome) in refused {
            let error = outcome.expect_err(what);
            let line = event_store::describe(&error);
            assert!(line.contains("refused"), "{what}: {line}");
        }
        assert_eq!(self.stored().await, before);
        let events: i64 = sqlx::query_scalar("SELECT count(*) FROM events")
            .fetch_one(self.app.database.pool())
            .await
            .unwrap();
        assert_eq!(u64::try_from(events).unwrap(), before.version);
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[tokio::test]
async fn no_event_tells_of_a_row_that_was_not_stored() {
    let world = World::start().await;
    world.refuse(REFUSE_AT_COMMIT).await;
    world.nothing_is_stored().await;
    world.stop().await;
}

#[tokio::test]
async fn no_row_is_stored_whose_event_was_not_recorded() {
    let world = World::start().await;
    world.refuse(REFUSE_EVENTS).await;
    world.nothing_is_stored().await;
    world.stop().await;
}
