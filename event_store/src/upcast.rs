//! Old versions of events, read as new ones.
//!
//! One list serves both ways out of the log: `cqrs-es` applies it when it loads an aggregate, the feed and the stream
//! reader apply it to what they hand out. An upcaster sees an event type and version and returns the next version.

use std::{fmt, sync::Arc};

use cqrs_es::persist::{EventUpcaster, SerializedEvent};

use crate::{Error, StoredEvent};

/// Upcasters in the order in which they are applied.
#[derive(Clone, Default)]
pub struct Upcasters(Vec<Arc<dyn EventUpcaster>>);

impl Upcasters {
    /// Adds an upcaster, applied after those before it.
    #[must_use]
    pub fn with(mut self, upcaster: impl EventUpcaster + 'static) -> Self {
        self.0.push(Arc::new(upcaster));
        self
    }

    pub(crate) fn boxed(&self) -> Vec<Box<dyn EventUpcaster>> {
        self.0
            .iter()
            .map(|upcaster| Box::new(Shared(Arc::clone(upcaster))) as Box<dyn EventUpcaster>)
            .collect()
    }

    /// Applies the list; an event that none of them wants is not parsed.
    pub(crate) fn apply(&self, mut event: StoredEvent) -> Result<StoredEvent, Error> {
        for upcaster in &self.0 {
            if upcaster.can_upcast(&event.event_type, &event.event_version) {
                let serialized = SerializedEvent {
                    aggregate_id: event.aggregate_id.clone(),
                    sequence: usize::try_from(event.sequence).unwrap_or(usize::MAX),
                    aggregate_type: event.aggregate_type.clone(),
                    event_type: event.event_type.clone(),
                    event_version: event.event_version.clone(),
                    payload: event.decode()?,
                    metadata: serde_json::from_str(&event.metadata)
                        .map_err(|source| event.undecodable(source))?,
                };
                let upcast = upcaster.upcast(serialized);
                // Identity and time stay: an upcaster changes what an event says, not which event it is.
                event.event_type = upcast.event_type;
                event.event_version = upcast.event_version;
                event.payload = upcast.payload.to_string();
                event.metadata = upcast.metadata.to_string();
            }
        }
        Ok(event)
    }
}

impl fmt::Debug for Upcasters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upcasters({})", self.0.len())
    }
}

struct Shared(Arc<dyn EventUpcaster>);

impl EventUpcaster for Shared {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        self.0.can_upcast(event_type, event_version)
    }

    fn upcast(&self, event: SerializedEvent) -> SerializedEvent {
        self.0.upcast(event)
    }
}
