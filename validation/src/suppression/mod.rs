//! Whom the engines leave alone, whatever they are asked to do.
//!
//! A [`Suppression`] is shared by all engines of a process and holds one [`List`] at a time, which is replaced as a whole
//! while engines are at work: each looks again before every packet and every connection, so that a new list is in force with the
//! next one. A list that was never given is not an empty one: without it nothing is sent.

mod blocks;
mod list;
mod names;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::watch;
use uuid::Uuid;

pub use self::list::{BadEntry, Entry, Kind, List};

/// The code with which a verdict begins that is no word on the site: nothing was sent, because of the list.
pub const SUPPRESSED: &str = "SUPPRESSED";

/// Why something is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Held {
    /// By this entry.
    By(Uuid, Kind),
    /// The list names name servers, and nobody could tell which ones the domain has.
    ServersUnknown,
    /// Nobody knows what is on the list.
    Unread,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(id, kind) => {
                write!(
                    f,
                    "the suppression list names it by its {kind} (entry {id})"
                )
            }
            Self::ServersUnknown => f.write_str(
                "the suppression list names name servers, and which ones this name has could not be found out",
            ),
            Self::Unread => f.write_str("the suppression list has not been read yet"),
        }
    }
}

/// The list in force. Clones share it.
#[derive(Clone, Debug)]
pub struct Suppression(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    list: watch::Sender<Option<Arc<List>>>,
    held: AtomicU64,
}

impl Default for Suppression {
    /// Leaves nobody alone: for whoever uses an engine without a list.
    fn default() -> Self {
        Self::with(Some(Arc::default()))
    }
}

impl PartialEq for Suppression {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Suppression {
    /// Starts without a list: until [`set`](Self::set) gives one, everything is held.
    #[must_use]
    pub fn unread() -> Self {
        Self::with(None)
    }

    fn with(list: Option<Arc<List>>) -> Self {
        Self(Arc::new(Shared {
            list: watch::Sender::new(list),
            held: AtomicU64::new(0),
        }))
    }

    /// Puts a list in force.
    pub fn set(&self, list: List) {
        self.0.list.send_replace(Some(Arc::new(list)));
    }

    /// Takes the list out of force: everything is held until [`set`](Self::set) gives another.
    pub fn withdraw(&self) {
        self.0.list.send_replace(None);
    }

    /// Gives the list in force, or why there is none.
    ///
    /// # Errors
    /// [`Held::Unread`].
    pub fn list(&self) -> Result<Arc<List>, Held> {
        self.0.list.borrow().clone().ok_or(Held::Unread)
    }

    /// Counts a domain or a page that was left alone.
    pub fn count(&self) {
        self.0.held.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells how many domains and pages were left alone since the start.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.0.held.load(Ordering::Relaxed)
    }

    /// Waits until a list was given.
    pub async fn read(&self) {
        // The sender lives as long as this does.
        let _ = self.0.list.subscribe().wait_for(Option::is_some).await;
    }
}

/// Asks the list in force for what is known of a target; each answers what holds it, if anything does.
macro_rules! ask {
    ($($(#[$doc:meta])* $name:ident($argument:ident: $type:ty);)*) => {
        impl Suppression {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self, $argument: $type) -> Option<Held> {
                match self.list() {
                    Ok(list) => list.$name($argument),
                    Err(unread) => Some(unread),
                }
            }
        )*}
    };
}

ask! {
    /// Tells what holds a name, as [`List::name`].
    name(name: &str);
    /// Tells what holds an address, as [`List::address`].
    address(address: std::net::IpAddr);
    /// Tells what holds domains with these name servers, as [`List::name_servers`].
    name_servers(servers: &[String]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_list_everything_is_held_and_a_list_holds_at_once_for_all_clones() {
        let shared = Suppression::unread();
        let clone = shared.clone();
        assert_eq!(clone.name("example.com"), Some(Held::Unread));
        assert_eq!(
            clone.address("192.0.2.1".parse().unwrap()),
            Some(Held::Unread)
        );
        shared.set(List::default());
        assert_eq!(clone.name("example.com"), None);
        let id = Uuid::from_u128(7);
        let entry = Entry {
            id,
            kind: Kind::Domain,
            value: "example.com".to_owned(),
        };
        shared.set(List::new([entry]).unwrap());
        let held = clone.name("www.example.com").unwrap();
        assert_eq!(held, Held::By(id, Kind::Domain));
        assert!(held.to_string().contains(&id.to_string()));
        assert_eq!(Suppression::default().name("example.com"), None);
    }
}
