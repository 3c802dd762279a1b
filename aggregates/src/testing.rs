//! Given events, when a command comes, then these events or this refusal.

use cqrs_es::{
    Aggregate,
    test::{AggregateTestExecutor, TestFramework},
};

/// Starts a test with what has happened so far; go on with `when` and `then_expect_events` or `then_expect_error`.
pub(crate) fn given<A: Aggregate<Services = ()>>(
    events: impl IntoIterator<Item = A::Event>,
) -> AggregateTestExecutor<A> {
    TestFramework::<A>::with(()).given(events.into_iter().collect())
}

/// Builds the state that the events lead to.
pub(crate) fn after<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> A {
    events.into_iter().fold(A::default(), |mut state, event| {
        state.apply(event);
        state
    })
}
