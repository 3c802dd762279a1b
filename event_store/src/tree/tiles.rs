//! The tiles of the tree in the database.

use sqlx::{PgExecutor, Row as _, postgres::PgRow};
use transparency::{Hash, Tile, TileId};

use crate::Error;

const SIZE_AND_HEAD: &str = "
SELECT (SELECT size FROM log_tree),
       coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0)";

/// Returns the size of the tree and the end of the log.
pub(crate) async fn size_and_head(connection: impl PgExecutor<'_>) -> Result<(u64, u64), Error> {
    let (size, head): (i64, i64) = sqlx::query_as(SIZE_AND_HEAD)
        .fetch_one(connection)
        .await
        .map_err(Error::database("read the size of the tree"))?;
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok((number(size), number(head)))
}

const READ: &str = "
SELECT t.level, t.index, t.hashes
FROM unnest($1::smallint[], $2::bigint[]) AS wanted (level, index) JOIN log_tree_tiles t USING (level, index)";

/// Reads those of the tiles that are there.
pub(super) async fn read(
    connection: impl PgExecutor<'_>,
    ids: &[TileId],
) -> Result<Vec<Tile>, Error> {
    let (levels, indexes) = columns(ids.iter().copied());
    let rows = sqlx::query(READ)
        .bind(levels)
        .bind(indexes)
        .fetch_all(connection)
        .await
        .map_err(Error::database("read the tree"))?;
    let tiles: Result<Vec<Tile>, sqlx::Error> = rows.iter().map(tile).collect();
    tiles.map_err(Error::database("read the tree"))
}

const READ_RANGE: &str = "
SELECT level, index, hashes FROM log_tree_tiles WHERE level = $1 AND index >= $2 ORDER BY index LIMIT $3";

/// Reads up to `limit` tiles of a level that are there, from an index on, from left to right.
pub(super) async fn read_range(
    connection: impl PgExecutor<'_>,
    from: TileId,
    limit: u32,
) -> Result<Vec<Tile>, Error> {
    let (levels, indexes) = columns([from].into_iter());
    let rows = sqlx::query(READ_RANGE)
        .bind(levels.first().copied())
        .bind(indexes.first().copied())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await
        .map_err(Error::database("read the tree"))?;
    let tiles: Result<Vec<Tile>, sqlx::Error> = rows.iter().map(tile).collect();
    tiles.map_err(Error::database("read the tree"))
}

const WRITE: &str = "
INSERT INTO log_tree_tiles AS stored (level, index, hashes)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
ON CONFLICT (level, index) DO UPDATE SET hashes = EXCLUDED.hashes";

const MOVE: &str = "UPDATE log_tree SET size = $1";

/// Writes tiles, in the place of older states of them, and the size of the tree that they belong to.
pub(crate) async fn write(
    connection: &mut sqlx::PgConnection,
    size: u64,
    tiles: &[Tile],
) -> Result<(), Error> {
    let (levels, indexes) = columns(tiles.iter().map(|tile| tile.id));
    let hashes: Vec<Vec<u8>> = tiles
        .iter()
        .map(|tile| {
            tile.hashes
                .iter()
                .flat_map(|hash| *hash.as_bytes())
                .collect()
        })
        .collect();
    sqlx::query(WRITE)
        .bind(levels)
        .bind(indexes)
        .bind(hashes)
        .execute(&mut *connection)
        .await
        .map_err(Error::database("write the tree"))?;
    sqlx::query(MOVE)
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .execute(connection)
        .await
        .map_err(Error::database("write the size of the tree"))?;
    Ok(())
}

fn columns(ids: impl Iterator<Item = TileId>) -> (Vec<i16>, Vec<i64>) {
    let row = |id: TileId| {
        let level = i16::try_from(id.level).unwrap_or(i16::MAX);
        (level, i64::try_from(id.index).unwrap_or(i64::MAX))
    };
    ids.map(row).unzip()
}

fn tile(row: &PgRow) -> Result<Tile, sqlx::Error> {
    let (level, index): (i16, i64) = (row.try_get(0)?, row.try_get(1)?);
    let bytes: &[u8] = row.try_get(2)?;
    let id = TileId {
        level: u32::try_from(level).unwrap_or(u32::MAX),
        index: u64::try_from(index).unwrap_or(u64::MAX),
    };
    // Bytes that are no whole hash can only be somebody's tampering: what is left is too short and found as that.
    let hashes = bytes.chunks(Hash::BYTES).filter_map(Hash::from_bytes);
    Ok(Tile {
        id,
        hashes: hashes.collect(),
    })
}
