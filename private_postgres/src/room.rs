//! Room on the disk, without which a server ends and does not start again.

use std::{path::Path, time::Duration};

/// What a start may need before it can free anything: write-ahead log of its own is written in files of 16 MiB.
const LEAST_ROOM: u64 = 64 << 20;

/// How often a full disk is looked at again.
const TURN: Duration = Duration::from_secs(1);

/// Says whether a server has room to start; a disk that does not tell is taken to have it.
pub(crate) fn is_there(directory: &Path) -> bool {
    rustix::fs::statvfs(directory).map_or(true, |disk| {
        disk.f_bavail.saturating_mul(disk.f_frsize) >= LEAST_ROOM
    })
}

/// Waits until there is room.
pub(crate) async fn wait_for(directory: &Path) {
    if is_there(directory) {
        return;
    }
    tracing::error!(directory = %directory.display(), "the disk of the private PostgreSQL is full; it starts again once there is room");
    while !is_there(directory) {
        tokio::time::sleep(TURN).await;
    }
}
