//! `replay export` and `replay import`: the log as a file.

use std::{
    io::ErrorKind,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use clap::Args;
use event_store::Database;
use tokio::{fs::File, io::BufReader};

use super::{Shown, witness::LOG};
use crate::{
    cli::{Error, say},
    config::StoreArgs,
};

/// What stands for standard input.
const STDIN: &str = "-";

/// The arguments of `replay export`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ExportArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The file, which is not to be there yet; standard output where none is named
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The arguments of `replay import`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ImportArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// The file that `replay export` has written, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl ImportArgs {
    fn is_stdin(&self) -> bool {
        self.file == Path::new(STDIN)
    }

    /// Refuses a file that is not there.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.is_stdin() || self.file.is_file() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "FILE: there is no file {}",
            self.file.display()
        )))
    }

    async fn open(&self) -> Result<File, Error> {
        if self.is_stdin() {
            return standard(&std::io::stdin(), "read from standard input");
        }
        let opened = File::open(&self.file).await;
        opened.map_err(|error| cannot("read", &self.file, &error))
    }
}

/// Makes a file of standard input or output: what waits there does not keep a signal from ending the command.
fn standard(stream: &impl AsFd, action: &'static str) -> Result<File, Error> {
    let own = stream.as_fd().try_clone_to_owned();
    let own = own.map_err(Error::step(action))?;
    Ok(File::from_std(std::fs::File::from(own)))
}

fn cannot(verb: &str, file: &Path, error: &std::io::Error) -> Error {
    Error::Failed(format!("cannot {verb} {}: {error}", file.display()))
}

/// Writes the log. A file that is cut off for whatever reason is removed again; elsewhere its missing last line tells.
pub(super) async fn export(database: &Database, args: &ExportArgs) -> Result<(), Error> {
    let mut shown = Shown::new(LOG);
    let report = |written, of| shown.at(written, of);
    let Some(path) = &args.file else {
        let mut out = standard(&std::io::stdout(), "write to standard output")?;
        ::replay::export(database, &mut out, report).await?;
        shown.finish();
        return Ok(());
    };
    // It names people.
    let made = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .await;
    let mut file = made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Error::Usage(format!("FILE: {} is there already", path.display()))
        }
        _ => cannot("write", path, &error),
    })?;
    let exported = match ::replay::export(database, &mut file, report).await {
        Ok(exported) => file
            .sync_all()
            .await
            .map(|()| exported)
            .map_err(|error| cannot("write", path, &error)),
        Err(error) => Err(error.into()),
    };
    shown.finish();
    let exported = match exported {
        Ok(exported) => exported,
        Err(error) => {
            // What cannot be removed lacks its last line.
            let _ = tokio::fs::remove_file(path).await;
            return Err(error);
        }
    };
    say(format_args!(
        "{} events, root {}",
        exported.events, exported.root
    ))
}

/// Takes a log in.
pub(super) async fn import(database: &Database, args: &ImportArgs) -> Result<(), Error> {
    let mut file = BufReader::new(args.open().await?);
    let mut shown = Shown::new(LOG);
    let imported = ::replay::import(database, &mut file, |read, of| shown.at(read, of)).await;
    shown.finish();
    let imported = imported?;
    say(format_args!(
        "{} events, root {}: the read models follow by themselves, or by replay rebuild",
        imported.events, imported.root
    ))
}
