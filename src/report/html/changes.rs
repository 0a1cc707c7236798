//! What changed since the run before.

use super::super::figures::minute;
use super::super::model::Model;
use super::rows::{self, Row};
use super::view::{Figure, change, number};
use crate::history::lifecycle::Life;

/// The section on changes.
pub struct Changes {
    /// Name of the run before; empty without one.
    pub previous: String,
    pub figures: Vec<Figure>,
    /// The first new findings.
    pub rows: Vec<Row>,
    /// How many new ones there are, where not all are drawn.
    pub more: String,
    /// The first findings that are gone.
    pub resolved: Vec<LifeRow>,
    /// How many there are, where not all are drawn.
    pub more_resolved: String,
    /// The first findings that are there again.
    pub reopened: Vec<LifeRow>,
    /// How many there are, where not all are drawn.
    pub more_reopened: String,
    /// Rows and users that are gone, a sentence each.
    pub gone: Vec<String>,
}

/// So many of the resolved and of the re-opened findings are drawn.
const DRAWN: usize = 50;

/// A finding through the runs, as a line.
pub struct LifeRow {
    pub id: String,
    pub title: &'static str,
    pub severity: &'static str,
    pub user: String,
    pub effect: String,
    pub first_seen: String,
    pub last_seen: String,
    pub times_reopened: String,
}

impl LifeRow {
    fn of(life: &Life) -> LifeRow {
        LifeRow {
            id: life.id.clone(),
            title: life.class.title(),
            severity: life.severity.name(),
            user: life.user.clone().unwrap_or_default(),
            effect: life.tokens_effect.map(change).unwrap_or_default(),
            first_seen: minute(life.first_seen),
            last_seen: minute(life.last_seen),
            times_reopened: number(life.times_reopened.into()),
        }
    }
}

/// Builds the section.
pub fn view(model: &Model<'_>) -> Changes {
    let history = &model.history;
    let Some(previous) = history.previous.clone() else {
        return Changes {
            previous: String::new(),
            figures: Vec::new(),
            rows: Vec::new(),
            more: String::new(),
            resolved: Vec::new(),
            more_resolved: String::new(),
            reopened: Vec::new(),
            more_reopened: String::new(),
            gone: Vec::new(),
        };
    };
    let figure = |caption, count: u64, note: &str, tone| Figure {
        caption,
        value: number(count),
        note: note.to_owned(),
        tone,
    };
    let rows = rows::drawn_new(model);
    let resolved = drawn(model.lifecycle.iter().flat_map(|lives| lives.resolved_now()));
    let reopened = drawn(model.lifecycle.iter().flat_map(|lives| lives.reopened()));
    let more = |drawn: usize, all: u64| if (drawn as u64) < all { number(all) } else { String::new() };
    let gone = history.shrunk.sentences(&previous);
    Changes {
        previous,
        figures: vec![
            figure("New", history.new, "the run before did not have them", bad_if(history.new > 0)),
            figure("Still open", history.open, "the run before had them too", ""),
            figure("Resolved", history.resolved, "gone since the run before", good_if(history.resolved > 0)),
            figure(
                "Re-opened",
                history.reopened,
                "of the new ones: resolved once, and back again",
                if history.reopened > 0 { "bad" } else { "" },
            ),
        ],
        more: more(rows.len(), history.new),
        more_resolved: more(resolved.len(), history.resolved),
        more_reopened: more(reopened.len(), history.reopened),
        resolved,
        reopened,
        gone,
        rows,
    }
}

/// The first of them: the gravest, then by class and id.
fn drawn<'a>(lives: impl Iterator<Item = &'a Life>) -> Vec<LifeRow> {
    let mut lives: Vec<&Life> = lives.collect();
    lives.sort_by(|a, b| (a.severity, a.class, &a.id).cmp(&(b.severity, b.class, &b.id)));
    lives.into_iter().take(DRAWN).map(LifeRow::of).collect()
}

fn bad_if(is_bad: bool) -> &'static str {
    if is_bad { "bad" } else { "good" }
}

fn good_if(is_good: bool) -> &'static str {
    if is_good { "good" } else { "" }
}
