//! One domain's history: the events of its stream.

use aggregates::{domain, ids::CampaignId};
use projections::domains::{self, Filter, Page};

use crate::{
    app::App,
    cli::{Error, say},
};

/// Events of one domain that are shown.
const SHOWN: u32 = 20;

/// The longest payload that is shown, characters.
const LONGEST: usize = 110;

/// Shows the history of a lead and answers what is wrong with it.
pub(super) async fn show(app: &App, campaign_id: CampaignId) -> Result<Vec<String>, Error> {
    let leads = Filter {
        rejection_reasons: Some(vec!["qualified".to_owned()]),
        ..Filter::default()
    };
    let first = Page {
        limit: 1,
        ..Page::default()
    };
    let found = domains::page(app.database.pool(), campaign_id, &leads, &first)
        .await
        .map_err(Error::step("read the leads"))?;
    let Some(lead) = found.first() else {
        say(format_args!(
            "\nno name of these is a lead; more names would have one"
        ))?;
        return Ok(Vec::new());
    };
    say(format_args!("\nthe history of {}:", lead.name))?;
    let stream = app
        .database
        .log()
        .stream("domain", &domain::stream_id(campaign_id, &lead.name));
    let events = stream.page(0, SHOWN).await?;
    for recorded in &events {
        let position = recorded
            .position
            .map(|position| position.to_string())
            .unwrap_or_default();
        let actor = recorded
            .event
            .metadata()
            .map(|metadata| metadata.actor.to_string())
            .unwrap_or_default();
        let short: String = recorded.event.payload.chars().take(LONGEST).collect();
        say(format_args!(
            "  {} at position {position}, {} by {actor}\n      {short}…",
            recorded.event.event_type,
            recorded.event.recorded_at.format("%H:%M:%S%.3f")
        ))?;
    }
    let is_whole = i64::try_from(events.len()) == Ok(lead.version);
    Ok(if is_whole {
        Vec::new()
    } else {
        vec![format!("the history of {} has holes", lead.name)]
    })
}
