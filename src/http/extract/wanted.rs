//! What an extraction is to work with: everything that it names is found before anything is fetched.

use std::{collections::HashMap, sync::Arc};

use aggregates::{
    ids::{KeywordSetId, PersonaId},
    keyword_set::Rule,
};
use projections::Whose;
use uuid::Uuid;

use crate::{
    app::App,
    commands::pin::{self, named},
    http::Error,
    work::{
        trials::{Item, Key, Pages, Words, few_enough, page_url},
        usable,
    },
};

/// Rules of all keyword sets of a request together; as many as one campaign may look for.
const MOST_RULES: usize = 10_000;

/// One page, and what it names.
pub(super) struct Wanted {
    pub(super) url: String,
    pub(super) keyword_set_id: Uuid,
    pub(super) http_persona_id: Option<Uuid>,
    pub(super) dns_persona_id: Option<Uuid>,
}

type Pair = (Option<PersonaId>, Option<PersonaId>);

/// Finds what the items of a request name, each thing once.
pub(super) struct Finder<'a> {
    app: &'a App,
    whose: Whose,
    pages: HashMap<Pair, Arc<Pages>>,
    words: HashMap<KeywordSetId, Arc<Words>>,
    rules: usize,
}

impl<'a> Finder<'a> {
    /// Finds what is reached.
    pub(super) fn new(app: &'a App, whose: Whose) -> Self {
        Self {
            app,
            whose,
            pages: HashMap::new(),
            words: HashMap::new(),
            rules: 0,
        }
    }

    /// Finds everything that an item names; refusals name its fields behind `place`.
    ///
    /// # Errors
    /// [`Error::Unprocessable`] for what is not reached, is disabled, or cannot be worked with.
    pub(super) async fn item(&mut self, place: &str, wanted: Wanted) -> Result<Item, Error> {
        let url = page_url(&wanted.url)
            .map_err(|why| Error::unprocessable(format!("{place}url"), why))?;
        let key = Key {
            http_persona: wanted.http_persona_id.map(PersonaId),
            dns_persona: wanted.dns_persona_id.map(PersonaId),
            keyword_set: KeywordSetId(wanted.keyword_set_id),
        };
        let pages = self
            .pages(place, (key.http_persona, key.dns_persona))
            .await?;
        let words = self.words(place, key.keyword_set).await?;
        Ok(Item {
            key,
            asked: wanted.url,
            url,
            pages,
            words,
        })
    }

    async fn pages(&mut self, place: &str, pair: Pair) -> Result<Arc<Pages>, Error> {
        if let Some(known) = self.pages.get(&pair) {
            return Ok(Arc::clone(known));
        }
        let (database, defaults) = (&self.app.database, &self.app.defaults);
        let http = named::http(database, Some(self.whose), pair.0, defaults).await;
        let http = http.map_err(|error| placed(place, error))?;
        let dns = named::dns(database, Some(self.whose), pair.1, defaults).await;
        let dns = dns.map_err(|error| placed(place, error))?;
        let unusable = |field: &'static str| {
            move |why: String| Error::unprocessable(format!("{place}{field}"), why)
        };
        usable::http(&http, &defaults.network).map_err(unusable("httpPersonaId"))?;
        usable::dns(&dns, &[], &defaults.network).map_err(unusable("dnsPersonaId"))?;
        if pair.1.is_some() {
            few_enough(&dns).map_err(unusable("dnsPersonaId"))?;
        }
        let pages = Arc::new(Pages::new(http, dns));
        self.pages.insert(pair, Arc::clone(&pages));
        Ok(pages)
    }

    async fn words(&mut self, place: &str, id: KeywordSetId) -> Result<Arc<Words>, Error> {
        if let Some(known) = self.words.get(&id) {
            return Ok(Arc::clone(known));
        }
        let field = "keywordSetId";
        let rules = named::rules(&self.app.database, Some(self.whose), field, id).await;
        let rules: Arc<[Rule]> = rules.map_err(|error| placed(place, error))?.into();
        self.rules += rules.len();
        if self.rules > MOST_RULES {
            let message = format!("the sets of a request have at most {MOST_RULES} rules together");
            return Err(Error::unprocessable(format!("{place}{field}"), message));
        }
        let words = Arc::new(Words::new(rules));
        self.words.insert(id, Arc::clone(&words));
        Ok(words)
    }
}

/// Names a field by its place in the request.
fn placed(place: &str, error: pin::Error) -> Error {
    match error {
        pin::Error::Reference { field, message } => {
            Error::unprocessable(format!("{place}{field}"), message)
        }
        other => other.into(),
    }
}
