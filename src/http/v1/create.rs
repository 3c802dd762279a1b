//! Creating a typed campaign.

use aggregates::{
    campaign::{CampaignType, Command, Create, CreateWithNames, Event, Mode},
    ids::CampaignId,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    settings::{self, DnsSettings, GenerationSettings, HttpSettings, LeadSettings, Planned},
    view::TypedCampaign,
};
use crate::{
    commands::Done,
    http::{
        Answer, Caller, Error, Json, Path, State,
        body::blame,
        campaigns::{check_pinned, execute, import},
        owned::check_description,
    },
};

/// A typed campaign to be made, as it is sent: what all types have, and beside it the settings of its type.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body for the OpenAPI document; it is read in two parts"
)]
pub(super) struct TypedCampaignRequest {
    #[schema(inline)]
    #[serde(flatten)]
    details: Details,
    #[serde(flatten)]
    settings: SettingsOfType,
}

/// What campaigns of all types have.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Details {
    /// Its name, 1 to 255 characters; needed to create it.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) campaign_name: Option<String>,
    /// What it is for, at most 10,000 characters.
    pub(super) description: Option<String>,
    /// What its users want to remember of it, at most 10,000 characters.
    pub(super) notes: Option<String>,
    /// Words that its users find it by: at most 50 different ones of 1 to 64 characters.
    pub(super) tags: Option<Vec<String>>,
}

impl Details {
    /// Takes the details out of a body, and leaves the settings.
    ///
    /// # Errors
    /// 400 naming the field that is of another type, 422 naming the one that is too long.
    pub(super) fn taken_out_of(body: &mut Map<String, Value>) -> Result<Self, Error> {
        let fields = ["campaignName", "description", "notes", "tags"];
        let found = fields.into_iter().filter_map(|field| {
            let value = body.remove(field)?;
            Some((field.to_owned(), value))
        });
        let found = Value::Object(found.collect());
        let details: Self = serde_path_to_error::deserialize(found)
            .map_err(|error| blame(&error.path().to_string(), &error.inner().to_string()))?;
        check_description(details.description.as_deref())?;
        Ok(details)
    }
}

/// The settings of one of the types.
#[derive(ToSchema)]
#[schema(as = TypedCampaignSettings)]
#[expect(
    dead_code,
    reason = "describes the settings for the OpenAPI document; they are read by the type in the path"
)]
#[serde(untagged)]
enum SettingsOfType {
    Generation(GenerationSettings),
    Dns(DnsSettings),
    Http(HttpSettings),
    Lead(LeadSettings),
}

/// Creates a campaign of a type. A setting that cannot be honoured is refused, and nothing is created.
#[utoipa::path(
    post, path = "/campaigns/{type}", tag = "typed campaigns", request_body = TypedCampaignRequest,
    params(("type" = inline(crate::http::vocabulary::TypeInPath), Path)),
    responses((status = 201, body = TypedCampaign))
)]
pub(super) async fn create(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(campaign_type): Path<String>,
    Json(body): Json<Map<String, Value>>,
) -> Result<Answer<TypedCampaign>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    let repeated = state
        .app
        .repeated::<aggregates::campaign::Campaign>(&caller.metadata);
    let done = match repeated.await? {
        Some(done) => done,
        None => make(&state, &caller, campaign_type, body).await?,
    };
    access::answer(&state, &done, true).await
}

async fn make(
    state: &State,
    caller: &Caller,
    campaign_type: CampaignType,
    mut body: Map<String, Value>,
) -> Result<Done<Event>, Error> {
    let details = Details::taken_out_of(&mut body)?;
    let name = details
        .campaign_name
        .ok_or_else(|| Error::bad("campaignName", "missing field `campaignName`"))?;
    let planned = settings::plan(campaign_type, body)?;
    if planned.kept.get("sourceMode") == Some(&Value::from("direct")) && planned.names.is_none() {
        return Err(Error::unprocessable(
            "domains",
            "sourceMode is direct, and no names are given",
        ));
    }
    let checked = check_pinned(state, caller.user_id, campaign_type, &planned.phases).await;
    checked.map_err(in_own_words)?;
    let Planned {
        phases,
        names,
        kept,
    } = planned;
    let create = Create {
        campaign_type,
        description: details.description,
        notes: details.notes,
        tags: details.tags.unwrap_or_default(),
        mode: Mode::FullSequence,
        configuration: Value::Object(kept),
        phases,
        ..Create::new(caller.user_id, name)
    };
    let command = match names {
        Some(names) => Command::CreateWithNames(CreateWithNames {
            create,
            import: import(names),
        }),
        None => Command::Create(create),
    };
    let id = CampaignId(Uuid::now_v7());
    let made = execute(state, caller, id, command, None).await;
    made.map_err(in_own_words)
}

/// Names the fields that typed campaigns call otherwise.
pub(super) fn in_own_words(error: Error) -> Error {
    let Error::Unprocessable(mut details) = error else {
        return error;
    };
    for detail in &mut details {
        match detail.field.as_str() {
            "name" => "campaignName".clone_into(&mut detail.field),
            "proxyPoolId" => settings::ASSIGNMENT.clone_into(&mut detail.field),
            _ => {}
        }
    }
    Error::Unprocessable(details)
}
