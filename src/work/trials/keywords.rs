//! Keywords on single pages, found by the matcher of runs.

use std::sync::Arc;

use aggregates::{
    ids::{KeywordSetId, PersonaId},
    keyword_set::Rule,
};
use futures::{StreamExt as _, stream};
use tokio::{sync::OnceCell, task::spawn_blocking};
use url::Url;
use validation::http::Report;

use super::{
    Pages, Target, Tell, Trial, Unfinished,
    findings::{Findings, MOST_BYTES},
};
use crate::work::{
    Network, compilers,
    extraction::{Scanner, compile},
};

/// Pages of one trial that are fetched and searched at once.
const AT_ONCE: usize = 8;

/// What an item works with; items that work with the same are done one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The HTTP persona, where one is named.
    pub http_persona: Option<PersonaId>,
    /// The DNS persona, where one is named.
    pub dns_persona: Option<PersonaId>,
    /// The keyword set.
    pub keyword_set: KeywordSetId,
}

/// A page, and what is looked for on it.
pub struct Item {
    /// What it works with.
    pub key: Key,
    /// The page as it was asked for.
    pub asked: String,
    /// The page.
    pub url: Url,
    /// How it is fetched.
    pub pages: Arc<Pages>,
    /// What is looked for.
    pub words: Arc<Words>,
}

/// The rules of a keyword set, compiled when the first page is there.
pub struct Words {
    rules: Arc<[Rule]>,
    scanner: OnceCell<Scanner>,
}

/// What came of one page.
#[derive(Debug)]
pub struct Extracted {
    /// The fetch, without its page.
    pub report: Report,
    /// What was found on the page; nothing where there is none.
    pub findings: Findings,
}

impl Words {
    /// Looks for these rules.
    #[must_use]
    pub fn new(rules: Arc<[Rule]>) -> Self {
        Self {
            rules,
            scanner: OnceCell::new(),
        }
    }

    async fn scanner(&self) -> Result<&Scanner, Unfinished> {
        let make = || async {
            let rules = Arc::clone(&self.rules);
            let turn = compilers::turn_of_a_trial().await;
            let compile = move || {
                let compiled = compile(&rules);
                drop(turn);
                compiled
            };
            let compiled = spawn_blocking(compile).await;
            let compiled = compiled.map_err(|error| Unfinished::Engine(error.to_string()))?;
            let matcher = compiled.map_err(|error| Unfinished::Engine(error.to_string()))?;
            Ok(Scanner::new(matcher))
        };
        self.scanner.get_or_try_init(make).await
    }
}

impl Trial {
    /// Fetches the pages of several items and looks for their keywords; answers in their order. Of what one answer may
    /// hold each page has the same share, whatever the others hold.
    pub async fn extract_all(
        &self,
        items: Vec<Item>,
        network: &Network,
    ) -> Vec<Result<Extracted, Unfinished>> {
        let nobody: Tell = Arc::new(|_| {});
        let share = MOST_BYTES / items.len().max(1);
        let mut items: Vec<(usize, Item)> = items.into_iter().enumerate().collect();
        // What works with the same stands together, so that its engines can go before the next are made.
        items.sort_by_key(|(_, item)| item.key);
        let done = stream::iter(items).map(|(at, item)| {
            let nobody = &nobody;
            async move {
                let search = Box::pin(self.search(&item, network, share, nobody));
                (at, self.in_time(search).await.flatten())
            }
        });
        let mut done: Vec<_> = done.buffer_unordered(AT_ONCE).collect().await;
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, found)| found).collect()
    }

    /// Fetches the page of one item and looks for its keywords.
    ///
    /// # Errors
    /// Why it was not brought to an end; a page that cannot be had is none.
    pub async fn extract(
        &self,
        item: &Item,
        network: &Network,
        tell: &Tell,
    ) -> Result<Extracted, Unfinished> {
        let search = Box::pin(self.search(item, network, MOST_BYTES, tell));
        self.in_time(search).await?
    }

    async fn search(
        &self,
        item: &Item,
        network: &Network,
        most_bytes: usize,
        tell: &Tell,
    ) -> Result<Extracted, Unfinished> {
        let target = Target::Page(item.url.clone());
        let mut report = item.pages.visit(self, network, &target, tell).await?;
        let findings = match report.page.take() {
            None => Findings::default(),
            Some(page) => {
                let scanner = item.words.scanner().await?;
                let scanned = scanner.scan_within(page, most_bytes).await;
                let (_, hits) = scanned.map_err(|error| Unfinished::Engine(error.to_string()))?;
                Findings::of(hits, most_bytes)
            }
        };
        Ok(Extracted { report, findings })
    }
}
