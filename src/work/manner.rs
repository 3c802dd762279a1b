//! In which order, and at which rhythm, the names of an order are sent for.

use std::time::Duration;

use rand::{RngExt as _, seq::SliceRandom as _};

use crate::installation::Installation;

/// The longest that a name waits, in stealth, before it is sent for.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// In which order, and at which rhythm, the names of an order are sent for: within every limit, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// One after the other, as the limits let them.
    Plain,
    /// In no order, each after a pause of any length up to a second.
    Stealthy,
}

impl Manner {
    /// Returns the manner of the moment.
    pub(super) fn of(installation: &Installation) -> Self {
        match installation.stealth() {
            true => Self::Stealthy,
            false => Self::Plain,
        }
    }

    /// Puts what is to be sent for into its order.
    pub(super) fn arranged<T>(self, mut names: Vec<T>) -> Vec<T> {
        if self == Self::Stealthy {
            names.shuffle(&mut rand::rng());
        }
        names
    }

    /// Waits before a name is sent for.
    pub(super) async fn pause(self) {
        if let Some(pause) = self.next_pause() {
            tokio::time::sleep(pause).await;
        }
    }

    fn next_pause(self) -> Option<Duration> {
        (self == Self::Stealthy).then(|| LONGEST_PAUSE.mul_f64(rand::rng().random_range(0.0..1.0)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_plain_order_stays_and_a_stealthy_one_has_the_same_names_in_another() {
        let names: Vec<u32> = (0..1_000).collect();
        assert_eq!(Manner::Plain.arranged(names.clone()), names);
        let mut arranged = Manner::Stealthy.arranged(names.clone());
        assert_ne!(arranged, names);
        arranged.sort_unstable();
        assert_eq!(arranged, names);
    }

    #[test]
    fn pauses_differ_and_none_is_longer_than_the_longest() {
        assert_eq!(Manner::Plain.next_pause(), None);
        let pauses: BTreeSet<Duration> = (0..20)
            .map(|_| Manner::Stealthy.next_pause().expect("a pause"))
            .collect();
        assert!(pauses.len() > 10, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause < LONGEST_PAUSE));
    }
}
