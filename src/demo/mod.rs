//! The demo: the main job on this machine, in a small internet of its own.
//!
//! A sandbox of scripted sites on loopback, a server, one campaign through all phases; then what was found beside what
//! is there, one domain's history, and a rebuild that proves that the read models are what the log says. Every step
//! that shows a result checks it, and the demo succeeds only when all of them held.

mod history;
mod internet;
mod proof;
mod table;

use aggregates::{ids::CampaignId, names, user::Role};
use clap::Args;
use sandbox::Sandbox;
use uuid::Uuid;

use crate::{
    auth,
    cli::{
        Entrance, Error, Node, Parts, Server, Shutdown, Store, keys,
        run::{Follow, Plan, begin, follow, plan::Names},
        say,
    },
    config::{ListenArgs, StoreArgs},
    credentials::Keys,
    http::router::BASE,
    work,
};

/// The user of the demo.
const EMAIL: &str = "demo@example.com";

/// Why a demo that a signal ended does not succeed: nobody knows what it would have shown.
const UNCHECKED: &str = "interrupted before everything was shown and checked";

/// Who may enter the demo's directory: the account that the private server runs as must get through.
const PASSABLE: u32 = 0o711;

/// The arguments of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// How many names the campaign is about
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    names: u64,
    /// End when everything was shown, instead of serving on
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    listen: ListenArgs,
}

/// Shows everything.
///
/// # Errors
/// When a step fails, or what it shows is not what it should be.
pub async fn demo(args: DemoArgs, shutdown: &Shutdown) -> Result<(), Error> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(PASSABLE);
    let directory = tempfile::Builder::new()
        .prefix("domainflow-demo-")
        .permissions(permissions)
        .tempdir()
        .map_err(Error::step("make a directory for the demo"))?;
    let sandbox = Sandbox::start(internet::world())
        .await
        .map_err(Error::step("start the sandbox"))?;
    say(format_args!(
        "a small internet: {} resolvers and the web of its sites on loopback",
        sandbox.resolvers().len()
    ))?;
    let kept = StoreArgs {
        database_url: None,
        data_dir: directory.path().to_owned(),
        credentials_keys: Vec::new(),
    };
    let entrance = Entrance::open(&args.listen, &kept).await?;
    let store = Store::open(&kept).await?;
    let shown = show_on(&args, (&sandbox, keys(&kept)?), &store, entrance, shutdown).await;
    store.close().await?;
    sandbox.shutdown().await;
    shown
}

async fn show_on(
    args: &DemoArgs,
    (sandbox, keys): (&Sandbox, Keys),
    store: &Store,
    entrance: Entrance,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let mut node = Node::open(store.url(), internet::network(sandbox, keys)?).await?;
    // Nothing on loopback is far away: what does not answer at once is scripted not to.
    node.app.defaults.dns.query_timeout_seconds = 1;
    node.app.defaults.dns.attempts = Some(2);
    node.app.defaults.http.request_timeout_seconds = Some(3);
    node.start(Parts {
        read_side: true,
        coordinator: true,
        workers: Some(work::Settings::default()),
    });
    let server = match Server::start(&node, entrance).await {
        Ok(server) => server,
        Err(error) => {
            node.stop().await;
            return Err(error);
        }
    };
    let mut shown = tokio::select! {
        shown = show(args, &node, &server) => shown,
        () = shutdown.requested() => Err(Error::Failed(UNCHECKED.to_owned())),
        error = store.lost() => Err(error),
    };
    if shown.is_ok() && !args.exit && !shutdown.is_requested() {
        shown = serve_on(store, shutdown).await;
    }
    if !matches!(shown, Err(Error::Lost)) {
        server.stop().await;
    }
    node.end(&shown).await;
    shown
}

async fn serve_on(store: &Store, shutdown: &Shutdown) -> Result<(), Error> {
    say("serving on until Ctrl-C")?;
    tokio::select! {
        () = shutdown.requested() => Ok(()),
        error = store.lost() => Err(error),
    }
}

async fn show(args: &DemoArgs, node: &Node, server: &Server) -> Result<(), Error> {
    let app = &node.app;
    let password = auth::hex(&rand::random::<[u8; 8]>());
    let owner = auth::register(app, server.auth(), EMAIL, "demo", &password, Role::User)
        .await
        .map_err(Error::step("make the user"))?;
    let pattern = internet::pattern(args.names).map_err(Error::step("make a pattern"))?;
    let plan = Plan {
        campaign_id: CampaignId(Uuid::now_v7()),
        owner,
        name: "shops of the demo".to_owned(),
        keywords: internet::keywords(),
        names: Names::Generated {
            pattern: pattern.clone(),
            count: Some(args.names),
        },
    };
    say(format_args!(
        "a campaign of {} names, from DNS to leads:",
        args.names
    ))?;
    begin(app, &plan).await?;
    follow(app, plan.campaign_id, &Follow::default()).await?;

    let mut wrong = Vec::new();
    wrong.extend(
        table::compare(
            app,
            plan.campaign_id,
            &expected(&pattern, args.names, &plan.keywords),
        )
        .await?,
    );
    wrong.extend(history::show(app, plan.campaign_id).await?);
    wrong.extend(proof::rebuild(app).await?);
    if !args.exit {
        say(format_args!(
            "\nthe server: http://{0}{BASE}/docs (documentation), http://{0}{BASE}/auth/login as {EMAIL} with the password {password}",
            server.address()
        ))?;
    }
    if wrong.is_empty() {
        say(format_args!("everything that was shown is as it should be"))?;
        return Ok(());
    }
    Err(Error::Failed(wrong.join("; ")))
}

fn expected(pattern: &names::Pattern, count: u64, keywords: &[String]) -> sandbox::Expected {
    let names = pattern.names(0, count);
    let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
    internet::world().expected(
        names.filter_map(|(_, name)| Some(name?.to_string())),
        &keywords,
    )
}
