//! Making a campaign like another one.

use aggregates::{
    campaign::{CampaignType, Command, Create, Duplicate, Event, Phase},
    ids::CampaignId,
};
use projections::campaigns;
use uuid::Uuid;

use super::{
    access,
    after::{after, current},
    create::import,
    settings,
    views::CampaignResponse,
};
use crate::{
    commands::Done,
    http::{Answer, Caller, Error, IfMatch, Path, State},
};

/// What is put behind the name of a copy.
const COPY: &str = " (copy)";
/// The longest name of a campaign, characters.
const LONGEST_NAME: usize = 255;

/// Makes a campaign with the phases and configurations of another one, and without its runs. A pattern gives it names of
/// its own; names that the configuration lists are taken in again, lists that were uploaded are not.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/duplicate", tag = "campaigns",
    params(("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 201, body = CampaignResponse), (status = 404), (status = 409))
)]
pub(super) async fn duplicate(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<CampaignResponse>, Error> {
    let done = match access::repeated(&state, &caller).await? {
        Some(done) => done,
        None => make(&state, &caller, CampaignId(id), expected).await?,
    };
    let overview = after(&state, &done).await?;
    let body = CampaignResponse::of(&overview.campaign, &overview.counts);
    Ok(Answer::created(body).version(done.version).after(&done))
}

async fn make(
    state: &State,
    caller: &Caller,
    source: CampaignId,
    expected: Option<u64>,
) -> Result<Done<Event>, Error> {
    let source = current(state, caller, source).await?;
    at_version(&source, expected)?;
    let copy = CampaignId(Uuid::now_v7());
    let command = Command::Duplicate(copy_of(&source));
    access::execute(state, caller, copy, command, None).await
}

/// Refuses a copy of a version that is past; the command goes to another stream, which cannot know.
fn at_version(source: &campaigns::Campaign, expected: Option<u64>) -> Result<(), Error> {
    let actual = u64::try_from(source.version).unwrap_or(0);
    match expected {
        Some(expected) if expected != actual => Err(Error::PreconditionFailed { expected, actual }),
        _ => Ok(()),
    }
}

/// Puts a copy together. Its phases are those of the source as they are configured now; of the configuration object,
/// which may speak of what the phases do without by now, only the listed names are read.
fn copy_of(source: &campaigns::Campaign) -> Duplicate {
    // The settings of a typed campaign list no names.
    let names = match source.campaign_type {
        CampaignType::Full => settings::listed_names(&source.configuration),
        _ => None,
    };
    let known = source.aggregate();
    let phases = Phase::ALL.into_iter();
    let phases = phases.filter_map(|phase| known.phase(phase).config().cloned());
    Duplicate {
        source: source.campaign_id,
        create: Create {
            owner: source.owner,
            campaign_type: source.campaign_type,
            name: name_of_copy(&source.name),
            description: source.description.clone(),
            notes: source.notes.clone(),
            tags: source.tags.clone(),
            mode: source.mode,
            max_domains: known.max_domains(),
            phases: phases.collect(),
            configuration: source.configuration.clone(),
        },
        import: names.map(import),
    }
}

fn name_of_copy(name: &str) -> String {
    let kept = LONGEST_NAME - COPY.len();
    name.chars().take(kept).chain(COPY.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copys_name_says_so_and_is_no_longer_than_a_name_may_be() {
        assert_eq!(name_of_copy("caf\u{e9}s"), "caf\u{e9}s (copy)");
        let long = name_of_copy(&"\u{e9}".repeat(255));
        assert!(long.ends_with(COPY));
        assert_eq!(long.chars().count(), LONGEST_NAME);
    }
}
