//! The proof that the read models are what the log says.

use crate::{
    app::App,
    cli::{Error, replay, say},
};

/// Rebuilds every projection beside the live one, compares row for row, swaps, checks; answers what is wrong.
pub(super) async fn rebuild(app: &App) -> Result<Vec<String>, Error> {
    say(format_args!(
        "\nevery read model, built again from the log beside the live one:"
    ))?;
    let mut wrong = Vec::new();
    for projection in projections::all() {
        let mut shown = replay::Shown::new(projection.name());
        let rebuilt = ::replay::rebuild(&app.database, projection, |progress| {
            shown.at(progress.position.get(), progress.target.get());
        })
        .await?;
        shown.finish();
        say(format_args!(
            "  {:17} {:>7} events, {:>7} rows compared, {} differ, swapped in after {:.1} s",
            rebuilt.projection,
            rebuilt.applied,
            rebuilt.comparison.rows,
            rebuilt.comparison.differing,
            rebuilt.elapsed.as_secs_f64()
        ))?;
        if rebuilt.comparison.differing > 0 {
            wrong.push(format!(
                "{} rows of {} differ",
                rebuilt.comparison.differing, rebuilt.projection
            ));
        }
    }
    let report = ::replay::check(&app.database).await?;
    say(format_args!(
        "  the log: {} events in {} streams, {} findings",
        report.log.events,
        report.log.streams,
        report.findings().len()
    ))?;
    wrong.extend(report.findings());
    Ok(wrong)
}
