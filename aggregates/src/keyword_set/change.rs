//! Changes a keyword set, or switches it on or off.

use std::collections::HashMap;

use super::{Error, Event, KeywordSet, Rule, check_rules, create::check_name};

/// Changes a keyword set; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// All rules that the set shall have, with new ids; those that stay keep the ids that they have.
    pub rules: Option<Vec<Rule>>,
    /// Whether phases may use it.
    pub enabled: Option<bool>,
}

impl Change {
    pub(super) fn decide(self, set: &KeywordSet) -> Result<Vec<Event>, Error> {
        let owner = set.owner().ok_or(Error::NotFound)?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let rules = match self.rules {
            Some(rules) => {
                let rules = with_kept_ids(rules, set.rules());
                check_rules(&rules)?;
                Some(rules).filter(|rules| rules != set.rules())
            }
            None => None,
        };
        let name = self.name.filter(|name| *name != set.name);
        let description = self
            .description
            .filter(|text| set.description() != Some(text));

        let mut events = Vec::new();
        if name.is_some() || description.is_some() {
            events.push(Event::Changed {
                owner,
                name,
                description,
            });
        }
        if let Some(rules) = rules {
            events.push(Event::RulesReplaced { owner, rules });
        }
        match self.enabled {
            Some(true) if !set.enabled => events.push(Event::Enabled { owner }),
            Some(false) if set.enabled => events.push(Event::Disabled { owner }),
            _ => {}
        }
        Ok(events)
    }
}

/// Gives each rule the id of the rule that looked for the same thing so far, each id at most once.
fn with_kept_ids(mut rules: Vec<Rule>, known: &[Rule]) -> Vec<Rule> {
    let mut by_pattern: HashMap<&str, Vec<&Rule>> = HashMap::new();
    for rule in known.iter().rev() {
        by_pattern
            .entry(rule.pattern.as_str())
            .or_default()
            .push(rule);
    }
    for rule in &mut rules {
        let Some(candidates) = by_pattern.get_mut(rule.pattern.as_str()) else {
            continue;
        };
        // From the back, where the earliest of several equal rules is.
        if let Some(at) = candidates
            .iter()
            .rposition(|known| known.finds_the_same(rule))
        {
            rule.id = candidates.remove(at).id;
        }
    }
    rules
}
