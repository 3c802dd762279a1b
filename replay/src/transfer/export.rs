//! Taking the log out.

use event_store::{Commit, Database, Walk};
use projections::snapshot;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use transparency::Growth;

use super::{
    TransferError, Transferred,
    error::is_no_moment,
    line::{self, End, FORM, Head, Line},
};
use crate::Error;

/// Events that are read at once, about: what is in memory is a page of these, of some 4 MiB, or one commit.
const PAGE: u32 = 2_000;

/// Writes every event that is committed, in the order of positions, from one snapshot; `report` is told how many events were
/// written of how many. Others write meanwhile as they like.
///
/// # Errors
/// [`Error::Transfer`].
pub async fn export(
    database: &Database,
    out: &mut (impl AsyncWrite + Unpin),
    mut report: impl FnMut(u64, u64),
) -> Result<Transferred, Error> {
    Ok(write(database, out, &mut report).await?)
}

async fn write(
    database: &Database,
    out: &mut (impl AsyncWrite + Unpin),
    report: &mut impl FnMut(u64, u64),
) -> Result<Transferred, TransferError> {
    // What is committed has a position then, also where nobody runs who gives them.
    while database.sequence().await?.is_none() {
        tokio::task::yield_now().await;
    }
    let mut snapshot = snapshot(database.pool()).await?;
    let (_, head) = database.tree().size_and_head_in(&mut snapshot).await?;
    let mut page = Vec::new();
    let form = FORM.to_owned();
    push(&mut page, &Line::Log(Head { form, events: head }))?;
    let (mut walk, mut growth) = (Walk::default(), Growth::default());
    loop {
        let commits = walk.next(&mut snapshot, PAGE).await?;
        let is_last = commits.is_empty();
        for commit in commits {
            push_commit(&mut page, &mut growth, commit)?;
        }
        if is_last {
            break;
        }
        out.write_all(&page)
            .await
            .map_err(TransferError::file("write"))?;
        page.clear();
        report(growth.size(), head);
    }
    snapshot.rollback().await?;
    let written = Transferred {
        events: growth.size(),
        root: growth.root(),
    };
    let Transferred { events, root } = written;
    push(&mut page, &Line::End(End { events, root }))?;
    out.write_all(&page)
        .await
        .map_err(TransferError::file("write"))?;
    out.flush().await.map_err(TransferError::file("write"))?;
    Ok(written)
}

/// Adds a commit and its events; a log that could not be taken in again is refused.
fn push_commit(
    page: &mut Vec<u8>,
    growth: &mut Growth,
    commit: Commit,
) -> Result<(), TransferError> {
    let position = growth.size() + 1;
    let unsound = |position, problem| TransferError::Unsound { position, problem };
    if commit.base != position {
        return Err(unsound(position, "is missing"));
    }
    if u64::try_from(commit.events.len()) != Ok(commit.noted) {
        let problem = "begins a commit that has not the events that it should have";
        return Err(unsound(position, problem));
    }
    if is_no_moment(commit.committed_at) {
        return Err(unsound(position, "was given at no moment that is one"));
    }
    let head = line::Commit {
        base: commit.base,
        events: commit.noted,
        committed_at: commit.committed_at,
    };
    push(page, &Line::Commit(head))?;
    for event in commit.events {
        if is_no_moment(event.recorded_at) {
            let problem = "was recorded at no moment that is one";
            return Err(unsound(event.position, problem));
        }
        growth.push(event.leaf_hash());
        push(page, &Line::Event(event))?;
    }
    Ok(())
}

fn push(page: &mut Vec<u8>, line: &Line) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *page, line)?;
    page.push(b'\n');
    Ok(())
}
