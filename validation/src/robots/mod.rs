//! robots.txt: what a site asks crawlers to leave alone (RFC 9309).
//!
//! Whoever fetches pages reads the file of a host first, with [`Rules::parse`], and asks [`Rules::allow`] before each page.
//! What a file that is not there, or not to be had, means is decided where it is fetched. The file is data of a stranger: no
//! more than [`MAX_BYTES`] of it are read, and a rule is compared in time linear in its length and the path's.

mod path;
#[cfg(test)]
mod tests;

use self::path::Pattern;

/// Bytes of a file that are read; RFC 9309 §2.5 asks for at least 500 KiB.
pub const MAX_BYTES: usize = 500 << 10;
/// Where the file is on every host; it may always be read.
pub const PATH: &str = "/robots.txt";

/// The rules of one file for one crawler.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    allows: bool,
    pattern: Pattern,
}

/// What a line of a file says.
enum Line<'t> {
    Agent(&'t str),
    Rule {
        allows: bool,
        path: &'t str,
    },
    /// Records of other kinds, such as `Sitemap`, belong to no group.
    Other,
}

/// Whom the group of lines that is open speaks to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Own,
    Everybody,
    Other,
}

impl Rules {
    /// Reads the rules for a crawler, which is known by the product token of its user agent (§2.2.1): those of all groups
    /// that name it, in any case, else those of the groups for everybody.
    pub fn parse(text: &str, user_agent: &str) -> Self {
        let own = product_token(user_agent);
        let (mut rules, mut general) = (Vec::new(), Vec::new());
        let (mut named, mut in_agents) = (false, false);
        let mut groups: Vec<Group> = Vec::new();
        for line in head(text).split(['\n', '\r']) {
            match read(line) {
                Some(Line::Agent(agent)) => {
                    if !in_agents {
                        groups.clear();
                    }
                    in_agents = true;
                    let group = group_of(agent, own);
                    named |= group == Group::Own;
                    if !groups.contains(&group) {
                        groups.push(group);
                    }
                }
                Some(Line::Rule { allows, path }) => {
                    in_agents = false;
                    let Some(pattern) = Pattern::parse(path) else {
                        continue;
                    };
                    let rule = Rule { allows, pattern };
                    if groups.contains(&Group::Own) {
                        rules.push(rule);
                    } else if groups.contains(&Group::Everybody) {
                        general.push(rule);
                    }
                }
                Some(Line::Other) | None => {}
            }
        }
        Self {
            rules: if named { rules } else { general },
        }
    }

    /// The rules of a host that keeps everybody out of everything.
    pub fn nothing() -> Self {
        Self::parse("User-agent: *\nDisallow: /", "")
    }

    /// Tells whether a path, with its query where it has one, may be fetched: by the rule that matches with the most
    /// octets, by one that allows where two are equal, and where none matches (§2.2.2).
    pub fn allow(&self, path: &str) -> bool {
        let path = path::normalized(path);
        if path == PATH {
            return true;
        }
        let matching = self.rules.iter().filter(|rule| rule.pattern.matches(&path));
        matching
            .map(|rule| (rule.pattern.octets(), rule.allows))
            .max()
            .is_none_or(|(_, allows)| allows)
    }
}

/// Gives the name by which a crawler is addressed: the letters, hyphens and underscores that its user agent begins with.
pub fn product_token(user_agent: &str) -> &str {
    let agent = user_agent.trim_start();
    let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_')));
    agent.get(..end.unwrap_or(agent.len())).unwrap_or_default()
}

/// Cuts the part that is read, at the end of a line.
fn head(text: &str) -> &str {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let most = (0..=MAX_BYTES).rev().find(|at| text.is_char_boundary(*at));
    let head = text.get(..most.unwrap_or(0)).unwrap_or_default();
    // A path that is cut would be another path.
    let end = head.rfind(['\n', '\r']).unwrap_or(0);
    head.get(..end).unwrap_or_default()
}

fn read(line: &str) -> Option<Line<'_>> {
    let line = line.trim_start_matches('\u{feff}');
    let line = line.split('#').next().unwrap_or_default();
    let (field, value) = line.split_once(':')?;
    let (field, value) = (field.trim(), value.trim());
    Some(match field {
        field if field.eq_ignore_ascii_case("user-agent") => Line::Agent(value),
        field if field.eq_ignore_ascii_case("allow") => Line::Rule {
            allows: true,
            path: value,
        },
        field if field.eq_ignore_ascii_case("disallow") => Line::Rule {
            allows: false,
            path: value,
        },
        _ => Line::Other,
    })
}

fn group_of(agent: &str, own: &str) -> Group {
    match product_token(agent) {
        "" if agent.starts_with('*') => Group::Everybody,
        token if !token.is_empty() && token.eq_ignore_ascii_case(own) => Group::Own,
        _ => Group::Other,
    }
}
