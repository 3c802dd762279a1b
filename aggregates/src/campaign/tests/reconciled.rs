//! What is noted of counters that were put right.

use super::*;

fn reconcile(
    campaign: &mut Campaign,
    drift_count: u64,
    corrections: u64,
) -> Result<Vec<Event>, Error> {
    let command = ReconcileCounters {
        drift_count,
        corrections,
    };
    when(campaign, Command::ReconcileCounters(command))
}

#[test]
fn counters_that_were_put_right_are_noted_and_where_none_was_nothing_is() {
    let mut campaign = given([created(Mode::StepByStep)]);
    let noted = Event::CountersReconciled {
        drift_count: 3,
        corrections: 2,
    };
    assert_eq!(reconcile(&mut campaign, 3, 2), Ok(vec![noted]));
    assert_eq!(reconcile(&mut campaign, 3, 0), Ok(Vec::new()));
}

#[test]
fn nothing_is_noted_of_a_campaign_that_is_gone() {
    let mut campaign = given([created(Mode::StepByStep), Event::Deleted {}]);
    assert_eq!(reconcile(&mut campaign, 1, 1), Err(Error::NotFound));
}
