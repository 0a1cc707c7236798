//! `lifecycle.csv` and `runs.csv`: the past that a run of a history carries along.

use crate::domain::RowId;
use crate::history::lifecycle::{self, Life, State};
use crate::history::runs::{self, PastRun, verdict_name};

use super::csv::Rows;
use super::error::ReportError;
use super::model::Model;
use super::place::{PlaceError, Staging, WrittenFile};

/// Writes both, where the run belongs to a history.
pub(super) fn write(model: &Model<'_>, staging: &Staging) -> Result<Vec<WrittenFile>, ReportError> {
    let Some(lifecycle) = model.lifecycle else { return Ok(Vec::new()) };
    let mut rows = Rows::new(staging.file(lifecycle::FILE_NAME)?);
    head(&mut rows, &lifecycle::COLUMNS)?;
    for life in &lifecycle.lives {
        write_life(&mut rows, life);
        rows.end()?;
    }
    let lives = rows.finish()?;
    let mut rows = Rows::new(staging.file(runs::FILE_NAME)?);
    head(&mut rows, &runs::COLUMNS)?;
    for run in model.runs {
        write_run(&mut rows, run);
        rows.end()?;
    }
    Ok(vec![lives, rows.finish()?])
}

fn head(rows: &mut Rows, columns: &[&str]) -> Result<(), PlaceError> {
    columns.iter().for_each(|column| rows.text(column));
    rows.end()
}

fn write_life(rows: &mut Rows, life: &Life) {
    rows.text(&life.id);
    rows.text(life.class.name());
    rows.text(life.severity.name());
    let user = life.user.as_deref().map(RowId::parse);
    rows.ids(user.as_slice());
    rows.number(life.tokens_effect);
    for at in [Some(life.first_seen), Some(life.last_seen), life.resolved_at] {
        rows.instant(at);
    }
    rows.number(Some(life.times_reopened.into()));
    rows.text(life.state.name());
    rows.text(life.previous_state.map_or("", State::name));
    rows.text(&life.content);
}

fn write_run(rows: &mut Rows, run: &PastRun) {
    rows.text(&run.name);
    rows.plain(&run.as_of.rfc3339());
    rows.plain(&run.started.rfc3339());
    rows.text(verdict_name(run.verdict));
    rows.number(run.blocking.map(i128::from));
    for count in [run.new, run.open, run.resolved, run.reopened, run.waived] {
        rows.number(Some(count.into()));
    }
    for side in [run.legacy, run.unified] {
        rows.number(Some(side.rows.into()));
        rows.number(Some(side.tokens));
    }
    rows.number(run.users_with_gap.map(i128::from));
    rows.number(run.gap_tokens);
    rows.number(run.unexplained_tokens);
    rows.number(Some(run.gone.legacy_rows.into()));
    rows.number(Some(run.gone.unified_rows.into()));
    rows.number(Some(run.gone.tokens));
    rows.number(Some(run.gone.users.into()));
    rows.number(Some(run.gone.balance_rows.into()));
    rows.plain(&run.manifest_digest);
    rows.plain(run.previous_digest.as_deref().unwrap_or_default());
    rows.text(run.tables.as_deref().unwrap_or_default());
}
