//! What changed since the run before.

use super::super::model::Model;
use super::rows::{self, Row};
use super::view::{Figure, number};

/// The section on changes.
pub struct Changes {
    /// Name of the run before; empty without one.
    pub previous: String,
    pub figures: Vec<Figure>,
    /// The first new findings.
    pub rows: Vec<Row>,
    /// How many new ones there are, where not all are drawn.
    pub more: String,
    /// Rows and users that are gone, a sentence each.
    pub gone: Vec<String>,
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
    let gone = history.shrunk.sentences(&previous);
    Changes {
        previous,
        figures: vec![
            figure("New", history.new, "the run before did not have them", bad_if(history.new > 0)),
            figure("Still open", history.open, "the run before had them too", ""),
            figure("Resolved", history.resolved, "gone since the run before", good_if(history.resolved > 0)),
        ],
        more: if (rows.len() as u64) < history.new { number(history.new) } else { String::new() },
        gone,
        rows,
    }
}

fn bad_if(is_bad: bool) -> &'static str {
    if is_bad { "bad" } else { "good" }
}

fn good_if(is_good: bool) -> &'static str {
    if is_good { "good" } else { "" }
}
