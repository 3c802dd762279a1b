//! What a site's answer, or its silence, says about being asked again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hyper::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use super::lane::{Lane, MOST_STRETCHED, State};
use super::standing::Why;

/// The longest that anybody is left alone, whatever `Retry-After` says.
pub(super) const LONGEST: Duration = Duration::from_secs(600);
/// How long a site is left alone that says it is too much and not for how long, doubled each time in a row.
const FIRST: Duration = Duration::from_secs(10);
/// How long one is left alone that said nothing in time, doubled each time in a row.
const FIRST_AFTER_SILENCE: Duration = Duration::from_secs(2);
/// Most doublings.
const MOST_DOUBLINGS: u32 = 6;

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Observed {
    /// An answer that says nothing against asking again.
    Fine,
    /// 429 or 503, with what `Retry-After` says.
    TooMuch(Why, Option<Duration>),
    /// Nothing in time.
    Silence,
    /// Nothing that the site has said.
    Nothing,
}

impl Observed {
    /// Reads an answer (RFC 9110 §10.2.3, §15.6.4; RFC 6585 §4).
    pub(in crate::http) fn of_answer(status: u16, headers: &HeaderMap) -> Self {
        let why = match status {
            429 => Why::TooManyRequests,
            503 => Why::Unavailable,
            _ => return Self::Fine,
        };
        let text = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        Self::TooMuch(why, text.and_then(|text| retry_after(text, Utc::now())))
    }
}

/// Reads `Retry-After`: seconds, or a date in the form that HTTP prefers (RFC 9110 §5.6.7).
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number holds are more than anybody waits.
        return Some(
            text.parse()
                .map_or(LONGEST, Duration::from_secs)
                .min(LONGEST),
        );
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    // A date that is past asks for nothing.
    let wait = (at.with_timezone(&Utc) - now).to_std().unwrap_or_default();
    Some(wait.min(LONGEST))
}

/// Takes note of what came of a request at its domain. Tells whether the domain is left alone for it.
pub(super) fn at_domain(lane: &Lane, observed: Observed, now: Instant) -> bool {
    let mut state = lane.state();
    let (why, wait) = match observed {
        Observed::Nothing => return false,
        Observed::Fine => {
            state.strikes = 0;
            return false;
        }
        Observed::TooMuch(why, said) => {
            (why, said.unwrap_or_else(|| doubled(FIRST, state.strikes)))
        }
        Observed::Silence => (Why::Silence, doubled(FIRST_AFTER_SILENCE, state.strikes)),
    };
    state.strikes = state.strikes.saturating_add(1);
    rest(&mut state, now + wait, why);
    true
}

/// Takes note of it at its address, where others may be asked on: more slowly, and faster again as they answer.
pub(super) fn at_address(lane: &Lane, observed: Observed) {
    let mut state = lane.state();
    state.stretch = match observed {
        Observed::Nothing => return,
        Observed::Fine => state.stretch.saturating_sub(1).max(1),
        Observed::TooMuch(..) | Observed::Silence => (state.stretch * 2).min(MOST_STRETCHED),
    };
}

/// Leaves somebody alone; never for less long than before.
fn rest(state: &mut State, until: Instant, why: Why) {
    if state.rests.is_none_or(|(known, _)| known < until) {
        state.rests = Some((until, why));
    }
}

fn doubled(first: Duration, strikes: u32) -> Duration {
    (first * 2_u32.pow(strikes.min(MOST_DOUBLINGS))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::super::limits::Bound;
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_is_bounded() {
        let now = "1994-11-06T08:49:37Z".parse().unwrap();
        let seconds = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds(" 7 "), Some(7));
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds("86400"), Some(600));
        assert_eq!(seconds("99999999999999999999999"), Some(600));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:07 GMT"), Some(30));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:07 GMT"), Some(0));
        assert_eq!(
            seconds("Mon, 06 Nov 2094 08:49:07 GMT"),
            None,
            "no such day"
        );
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
    }

    #[test]
    fn without_a_word_on_how_long_it_doubles_up_to_a_bound() {
        let waits = [0, 1, 2, 30].map(|strikes| doubled(FIRST, strikes).as_secs());
        assert_eq!(waits, [10, 20, 40, 600]);
    }

    #[test]
    fn an_address_whose_sites_fail_is_asked_more_slowly_and_faster_again_as_they_answer() {
        let lane = Lane::new(Bound {
            connections: 4,
            per_second: 1.0,
        });
        let now = Instant::now();
        let too_much = Observed::TooMuch(Why::Unavailable, None);
        let fails = [Observed::Silence, too_much, Observed::Silence, too_much];
        let answers = [Observed::Fine; 9];
        let gaps = fails.into_iter().chain([Observed::Nothing]).chain(answers);
        let gaps: Vec<u64> = gaps
            .map(|observed| {
                at_address(&lane, observed);
                let mut state = lane.state();
                Lane::leaves(&mut state, now);
                (state.next - now).as_secs()
            })
            .collect();
        assert_eq!(gaps, [2, 4, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1]);
        assert!(lane.state().rests.is_none(), "others there are asked on");
    }
}
