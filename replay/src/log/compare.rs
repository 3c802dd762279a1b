//! The walk along a log beside the tree over it.

use event_store::{Commit, Tree};
use sqlx::PgConnection;
use transparency::{Event, Growth, Hash, TILE_HEIGHT};

use super::{
    LogFinding, LogVerified,
    checkpoints::{Checkpoints, Told},
    explain::explain,
    leaves::Leaves,
};

/// Events that are kept from the first difference on, to tell what was done there.
const AHEAD: usize = 1_000;
/// Recorded leaves among which an event is looked for that is not where it was.
const RECORDED: usize = 10_000;

/// How far a walk has come, and what it has found.
pub(super) struct Comparison {
    tree: Tree,
    /// How many leaves the stored tree has.
    covered: u64,
    leaves: Leaves,
    /// The tree that the log says.
    growth: Growth,
    checkpoints: Checkpoints,
    /// The hash of the first event.
    first: Option<Hash>,
    /// The first position that is not what was recorded and that no checkpoint vouches for, with what stands there and
    /// after it.
    difference: Option<(u64, Vec<Event>)>,
    /// The first position whose recorded leaf differs from a log that a checkpoint vouches for.
    tree_changed: Option<u64>,
    renumbered: Option<LogFinding>,
    nodes: Option<LogFinding>,
}

impl Comparison {
    pub(super) fn new(tree: Tree, covered: u64, checkpoints: Checkpoints) -> Self {
        Self {
            leaves: Leaves::at(tree.clone(), covered, 1),
            tree,
            covered,
            growth: Growth::default(),
            checkpoints,
            first: None,
            difference: None,
            tree_changed: None,
            renumbered: None,
            nodes: None,
        }
    }

    /// Returns how many events were read.
    pub(super) const fn events(&self) -> u64 {
        self.growth.size()
    }

    /// Takes the next commits in.
    pub(super) async fn take(
        &mut self,
        connection: &mut PgConnection,
        commits: &[Commit],
    ) -> Result<(), event_store::Error> {
        let begin = self.growth.size() + 1;
        let count = commits.iter().map(|commit| commit.events.len()).sum();
        // The window moves on while events are taken in.
        let recorded = self.leaves.from(connection, begin, count).await?.to_vec();
        let mut recorded = recorded.into_iter();
        for commit in commits {
            self.number(commit);
            for event in &commit.events {
                self.event(event, recorded.next());
            }
            self.number_of_next(commit);
        }
        self.compare_nodes(connection).await
    }

    /// Looks at the position that the log gives a commit.
    fn number(&mut self, commit: &Commit) {
        self.renumber(self.growth.size() + 1, commit.base);
    }

    /// Looks at how many events the log gives a commit.
    fn number_of_next(&mut self, commit: &Commit) {
        self.renumber(self.growth.size() + 1, commit.end());
    }

    fn renumber(&mut self, expected: u64, found: u64) {
        if expected != found && self.renumbered.is_none() {
            self.renumbered = Some(LogFinding::Renumbered { expected, found });
        }
    }

    /// Takes an event in, beside the leaf that was recorded at its place; beyond the stored tree there is no leaf.
    fn event(&mut self, event: &Event, recorded: Option<Option<Hash>>) {
        let position = self.growth.size() + 1;
        let leaf = event.leaf_hash_at(position);
        match &mut self.difference {
            None if recorded.is_some_and(|recorded| recorded != Some(leaf)) => {
                self.difference = Some((position, vec![event.clone()]));
            }
            Some((_, ahead)) if ahead.len() < AHEAD => ahead.push(event.clone()),
            _ => {}
        }
        self.growth.push(leaf);
        self.first.get_or_insert(leaf);
        if self.checkpoints.note(&self.growth) {
            self.vouched();
        }
    }

    /// The log is what was signed up to here, so that what differs before is the tree's fault. What comes after is held
    /// against the recorded leaves as before: nobody hides a change of it behind a leaf that he damaged.
    fn vouched(&mut self) {
        if let Some((position, _)) = self.difference.take() {
            self.tree_changed.get_or_insert(position);
        }
    }

    /// Holds the stored nodes over the leaves against those of the log, as long as the leaves are alike.
    async fn compare_nodes(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<(), event_store::Error> {
        // Tiles at the edge of a page are not complete and come again.
        let changed = self.growth.take_changed();
        if self.difference.is_some() || self.tree_changed.is_some() || self.nodes.is_some() {
            return Ok(());
        }
        for tile in changed.into_iter().filter(|tile| tile.id.level > 0) {
            let stored = self.tree.tiles_in(connection, tile.id, 1).await?;
            let stored = stored.into_iter().find(|stored| stored.id == tile.id);
            let stored = stored.map(|stored| stored.hashes).unwrap_or_default();
            let due = self.hashes_on(tile.id.level, tile.id.index);
            let due = due.min(tile.hashes.len());
            if stored.get(..due) != tile.hashes.get(..due) {
                self.nodes = Some(LogFinding::NodesDiffer { tile: tile.id });
                break;
            }
        }
        Ok(())
    }

    /// How many hashes the stored tree should have in a tile.
    fn hashes_on(&self, level: u32, index: u64) -> usize {
        let on_level = self.covered.checked_shr(TILE_HEIGHT * level);
        let before = index << TILE_HEIGHT;
        let here = on_level.unwrap_or(0).saturating_sub(before);
        usize::try_from(here).unwrap_or(usize::MAX)
    }

    /// Says what was found, once the log was walked to its end.
    pub(super) async fn finish(
        mut self,
        connection: &mut PgConnection,
    ) -> Result<LogVerified, event_store::Error> {
        let events = self.growth.size();
        if self.difference.is_none() && events < self.covered {
            self.difference = Some((events + 1, Vec::new()));
        }
        let Told {
            agreeing,
            newest,
            findings: of_checkpoints,
        } = self.checkpoints.compare(events, self.first);
        let mut findings = Vec::new();
        if let Some((position, ahead)) = self.difference {
            // The window of the walk has moved on.
            let mut leaves = Leaves::at(self.tree.clone(), self.covered, position);
            let recorded = leaves.from(connection, position, RECORDED).await?;
            let change = explain(position, &ahead, recorded, self.covered);
            findings.push(LogFinding::Changed { position, change });
        }
        findings.extend(of_checkpoints);
        let tree_changed = self.tree_changed;
        findings.extend(tree_changed.map(|position| LogFinding::TreeChanged { position }));
        findings.extend(self.nodes);
        findings.extend(self.renumbered);
        let overdue = self.tree.overdue_in(connection).await?;
        findings.extend(overdue.map(LogFinding::Overdue));
        Ok(LogVerified {
            events,
            covered: self.covered,
            agreeing,
            newest,
            findings,
        })
    }
}
