//! Who answers for a name, for a suppression list that names name servers.
//!
//! The zone in which a name stands may be cut anywhere between the name and its public suffix, and an alias leads to a zone of
//! somebody else's. A list that names name servers means all of them, so each name on the way is asked about, and one
//! question without an answer leaves open what the list says: the name is left alone then.

use std::{collections::HashSet, sync::Arc};

use super::{
    RecordType,
    ask::Trouble,
    engine::Inner,
    message::{Answer, Question},
    name::WireName,
    zone,
};
use crate::{Waits, suppression::Held};

/// Most names that are asked about for one name.
const MOST: usize = 16;

/// What was found out about who answers for a name.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// Those of the name itself and of the zones that it stands in.
    pub(super) own: Vec<String>,
    /// Those, and those of whatever the name is an alias of.
    pub(super) all: Vec<String>,
    /// Packets sent.
    pub(super) packets: u32,
    /// Why these may not be all.
    pub(super) unknown: Option<Unknown>,
}

/// Why nobody knows who answers for a name.
#[derive(Debug)]
pub(super) struct Unknown {
    /// What to make of it.
    pub(super) held: Held,
    /// Which question had no answer, and why.
    pub(super) text: String,
}

/// Names to be asked about, each once.
#[derive(Default)]
struct Way {
    known: HashSet<String>,
    /// Each with whether it is on the name's own way up.
    left: Vec<(String, bool)>,
}

impl Way {
    fn add(&mut self, name: &str, own: bool) {
        for above in zone::up_to_suffix(name) {
            if self.known.insert(above.to_owned()) {
                self.left.push((above.to_owned(), own));
            }
        }
    }
}

impl Inner {
    /// Finds who answers for a name; ends as soon as the list in force names one of them.
    pub(super) async fn servers_of(&self, name: &str, waits: &Waits) -> Servers {
        let mut servers = Servers::default();
        let mut way = Way::default();
        let lower = name.trim_end_matches('.').to_ascii_lowercase();
        way.add(&lower, true);
        // The nearest first: that is where most have theirs.
        way.left.reverse();
        while let Some((name, own)) = way.left.pop() {
            let verdict = match (way.known.len() > MOST, WireName::encode(&name)) {
                (true, _) => Err("it leads through too many names".to_owned()),
                (false, Err(error)) => Err(error.to_string()),
                (false, Ok(wire)) => {
                    let question = Arc::new(Question::new(&wire, RecordType::Ns));
                    let zone = self.zone_pacer(&wire);
                    let verdict = self.ask(&question, zone.as_deref(), waits).await;
                    servers.packets += verdict.packets;
                    verdict.result.map_err(|trouble| match trouble {
                        Trouble::Suppressed(held) => held.to_string(),
                        other => other.text().into_owned(),
                    })
                }
            };
            match verdict {
                Ok(answer) => servers.add(&answer, own, &mut way),
                Err(why) => {
                    servers.unknown = Some(Unknown {
                        held: Held::ServersUnknown,
                        text: format!("{name}: {why}"),
                    });
                    break;
                }
            }
            if self.config.suppression.name_servers(&servers.all).is_some() {
                break;
            }
        }
        servers
    }
}

impl Servers {
    fn add(&mut self, answer: &Answer, own: bool, way: &mut Way) {
        let of_type = |wanted: RecordType| {
            let records = answer.records.iter();
            records.filter(move |record| record.record_type == wanted)
        };
        let mut is_alias = false;
        for alias in of_type(RecordType::Cname) {
            is_alias = true;
            let target = alias.value.trim_end_matches('.').to_ascii_lowercase();
            way.add(&target, false);
        }
        let answered = of_type(RecordType::Ns).map(|record| &record.value);
        let beside = answer.authority.iter().map(|server| &server.name);
        for server in answered.chain(beside) {
            if !self.all.contains(server) {
                self.all.push(server.clone());
            }
            // Behind an alias they are those of its target.
            if own && !is_alias && !self.own.contains(server) {
                self.own.push(server.clone());
            }
        }
    }
}
