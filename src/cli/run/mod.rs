//! `run`: one campaign from the command line.
//!
//! The campaign's id is made of what was asked for, so that the same command finds its campaign again: one that is
//! complete answers once more, one that was broken off (by a signal, a crash, a kill) goes on where it ended.

mod follow;
mod names;
pub mod plan;
mod result;
mod summary;
mod unanswered;

use std::path::PathBuf;

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Command, ResumePhase, Status},
    ids::FileId,
};
use clap::{Args, ValueEnum};
use projections::domains::counts_of;
use uuid::Uuid;

pub use self::{
    follow::{Follow, follow},
    plan::Plan,
    summary::Summary,
};
use self::{names::NameArgs, plan::Names, result::Sink, unanswered::Unanswered};
use super::{Error, Node, Parts, Shutdown, Store, keys::keys, say};
use crate::{
    app::App,
    commands::{import::List, start},
    config::{NetworkArgs, StoreArgs},
    work,
};

/// The arguments of `run`.
#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    names: NameArgs,
    /// A keyword to look for on the pages; may be repeated
    #[arg(long = "keyword", value_name = "TEXT")]
    keywords: Vec<String>,
    /// The campaign's name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The file that the result is written to; standard output where absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the result is written; by the file's ending where absent, else csv
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write every domain, not only the leads
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A heading and a line a domain.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

pub(super) async fn run(args: RunArgs, shutdown: &Shutdown) -> Result<(), Error> {
    let plan = Plan::of(&args)?;
    let network = args.network.network(keys(&args.store)?)?;
    let sink = Sink::open(args.out.clone(), args.format)?;
    let store = Store::open(&args.store).await?;
    let done = run_on(&args, &plan, network, sink, &store, shutdown).await;
    store.close().await?;
    done
}

async fn run_on(
    args: &RunArgs,
    plan: &Plan,
    network: work::Network,
    sink: Sink,
    store: &Store,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let node = Node::open(store.url(), network).await?;
    node.start(Parts {
        read_side: true,
        coordinator: true,
        workers: Some(work::Settings::default()),
    });
    let done = tokio::select! {
        done = campaign(args, plan, &node.app, sink) => done,
        () = shutdown.requested() => Err(Error::Interrupted),
        error = store.lost() => Err(error),
    };
    node.end(&done).await;
    done
}

async fn campaign(args: &RunArgs, plan: &Plan, app: &App, sink: Sink) -> Result<(), Error> {
    let found = begin(app, plan).await?;
    let quiet = found == Status::Completed;
    if quiet {
        eprintln!("the campaign is complete: this is what it found, nothing is looked up anew");
    }
    follow(app, plan.campaign_id, &Follow { quiet }).await?;
    let counts = counts_of(app.database.pool(), plan.campaign_id)
        .await
        .map_err(Error::step("read the counts"))?;
    let summary = Summary::of(app, plan.campaign_id, &counts).await?;
    if summary.names == 0 {
        return Err(Error::Failed(
            "the campaign has no names: earlier campaigns in this data directory were given every name of the pattern; \
             --data-dir of another directory begins anew"
                .to_owned(),
        ));
    }
    let written = sink.write(app, plan.campaign_id, args.all).await?;
    let what = if args.all { "domains" } else { "leads" };
    match &args.out {
        Some(path) => {
            eprintln!("{written} {what} written to {}", path.display());
            say(summary.to_string().trim_end())?;
        }
        // The result is what goes on down the pipe.
        None => eprint!("{summary}"),
    }
    if let Some(unanswered) = Unanswered::of(&counts) {
        eprintln!("{unanswered}");
    }
    let id = plan.campaign_id;
    eprintln!("the campaign is {id}; domainflow replay show {id} --version 1 shows how it began");
    Ok(())
}

/// Brings the campaign to where it runs by itself, whatever an earlier command has left of it; answers how that was.
pub(crate) async fn begin(app: &App, plan: &Plan) -> Result<Status, Error> {
    let metadata = Metadata::new(Actor::Operator, Uuid::now_v7().to_string());
    let stream = plan.campaign_id.to_string();
    let load = async || app.database.log().load::<Campaign>(&stream).await;
    if load().await?.1 == 0 {
        app.execute::<Campaign>(&stream, Command::Create(plan.create()), &metadata, None)
            .await
            .map_err(Error::step("make the campaign"))?;
    }
    let (state, _) = load().await?;
    if state.status() == Status::Draft
        && let Names::Listed {
            names,
            lines,
            sha256,
        } = &plan.names
    {
        let list = List {
            file_id: FileId(Uuid::now_v7()),
            sha256: sha256.clone(),
            filename: None,
            names: names.clone(),
            lines: lines.clone(),
        };
        app.import_domains(plan.campaign_id, list, &metadata, None)
            .await
            .map_err(Error::step("import the names"))?;
    }
    match state.status() {
        Status::Draft | Status::Failed | Status::Cancelled => {
            match app
                .start_phase(plan.campaign_id, None, &metadata, None)
                .await
            {
                Ok(_) | Err(start::Error::NothingDue) => {}
                Err(error) => return Err(Error::step("start the campaign")(error)),
            }
        }
        Status::Paused => {
            if let Some(phase) = state.active_phase() {
                let resume = Command::ResumePhase(ResumePhase {
                    phase,
                    expected: None,
                });
                app.execute::<Campaign>(&stream, resume, &metadata, None)
                    .await
                    .map_err(Error::step("resume the campaign"))?;
            }
        }
        Status::Running | Status::Completed => {}
    }
    Ok(state.status())
}
