//! Cutting a file that is too long into parts, each whole in itself: hosted editors stop a statement
//! within a minute and refuse long texts.
//!
//! The lines of a million changes are never in memory together. They are made once to be weighed, which
//! tells where the parts begin, and again for each part when its text is asked for.

use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes that a part may have at most.
pub(super) const PART_BYTES: usize = 1_000_000;

/// Bytes left for header and statements, which the rows do not count.
const FRAME_BYTES: usize = 60_000;

/// The lines that one change needs, and where they belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    /// The change's own line.
    pub row: String,
    /// Which of the part's lists it belongs to; only `verify.sql` has several.
    pub list: usize,
    /// The line of its legacy row; empty without one.
    pub legacy: String,
    /// Lines that several changes share, by number: written once a part.
    pub shared: Vec<usize>,
    /// Effect in tokens.
    pub tokens: i128,
}

impl Piece {
    fn clear(&mut self) {
        self.row.clear();
        self.legacy.clear();
        self.shared.clear();
        (self.list, self.tokens) = (0, 0);
    }
}

/// What a file is made of, in order: its pieces, then its comments. Asked twice it says the same.
pub(super) trait Lines: Sync {
    /// Number of pieces.
    fn pieces(&self) -> usize;

    /// Fills in the piece of a number, which is empty.
    fn piece(&self, at: usize, piece: &mut Piece);

    /// Adds the shared line of a number.
    fn shared(&self, number: usize, line: &mut String);

    /// Number of comments.
    fn comments(&self) -> usize;

    /// Adds the comment of a number.
    fn comment(&self, at: usize, line: &mut String);
}

/// Which pieces and comments a part holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub pieces: Range<usize>,
    pub comments: Range<usize>,
    /// Effect in tokens.
    pub tokens: i128,
}

/// Cuts pieces and comments, in order, into as few parts as they need; at least one.
pub(super) fn cut(lines: &impl Lines) -> Vec<Cut> {
    let room = PART_BYTES - FRAME_BYTES;
    let mut cuts = Vec::new();
    let (mut cut, mut bytes, mut shared) = (Cut::default(), 0, BTreeSet::new());
    let (mut piece, mut line) = (Piece::default(), String::new());
    for at in 0..lines.pieces() {
        piece.clear();
        lines.piece(at, &mut piece);
        let own = piece.row.len() + 2 + if piece.legacy.is_empty() { 0 } else { piece.legacy.len() + 2 };
        let mut weight_of = |number: &usize| {
            line.clear();
            lines.shared(*number, &mut line);
            line.len() + 2
        };
        let new = piece.shared.iter().filter(|number| !shared.contains(*number));
        let mut weight = own + new.map(&mut weight_of).sum::<usize>();
        if bytes > 0 && bytes + weight > room {
            cuts.push(std::mem::replace(&mut cut, Cut { pieces: at..at, ..Cut::default() }));
            shared.clear();
            bytes = 0;
            weight = own + piece.shared.iter().map(&mut weight_of).sum::<usize>();
        }
        bytes += weight;
        shared.extend(piece.shared.iter().copied());
        cut.pieces.end = at + 1;
        cut.tokens += piece.tokens;
    }
    for at in 0..lines.comments() {
        line.clear();
        lines.comment(at, &mut line);
        if bytes > 0 && bytes + line.len() + 1 > room {
            let end = lines.pieces();
            let next = Cut { pieces: end..end, comments: at..at, tokens: 0 };
            cuts.push(std::mem::replace(&mut cut, next));
            bytes = 0;
        }
        bytes += line.len() + 1;
        cut.comments.end = at + 1;
    }
    cuts.push(cut);
    cuts
}

/// Lines of `insert … values`, comma between.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub count: u64,
    pub text: String,
}

impl Rows {
    pub fn push(&mut self, line: &str) {
        if self.count > 0 {
            self.text.push_str(",\n");
        }
        self.text.push_str("  ");
        self.text.push_str(line);
        self.count += 1;
    }
}

/// What one part holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Lines of rows by list.
    pub rows: [Rows; 4],
    /// Lines of legacy rows.
    pub legacy: Rows,
    /// Numbers of shared lines.
    pub shared: BTreeSet<usize>,
    /// Lines of comment, each with its end.
    pub comments: String,
    /// How many they are.
    pub comment_count: u64,
    /// Effect in tokens.
    pub tokens: i128,
}

impl Part {
    /// Makes the lines of a part.
    pub fn of(lines: &impl Lines, cut: &Cut) -> Part {
        let mut part = Part { tokens: cut.tokens, ..Part::default() };
        let mut piece = Piece::default();
        for at in cut.pieces.clone() {
            piece.clear();
            lines.piece(at, &mut piece);
            part.rows[piece.list].push(&piece.row);
            if !piece.legacy.is_empty() {
                part.legacy.push(&piece.legacy);
            }
            part.shared.extend(piece.shared.iter().copied());
        }
        for at in cut.comments.clone() {
            lines.comment(at, &mut part.comments);
            part.comments.push('\n');
        }
        part.comment_count = cut.comments.len() as u64;
        part
    }

    /// Changes in this part.
    pub fn len(&self) -> u64 {
        self.rows.iter().map(|rows| rows.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal pieces of 1,000 bytes that share a line of 300, and comments of 500.
    struct Equal {
        pieces: usize,
        comments: usize,
    }

    impl Lines for Equal {
        fn pieces(&self) -> usize {
            self.pieces
        }

        fn piece(&self, _: usize, piece: &mut Piece) {
            piece.row.push_str(&"x".repeat(1_000));
            piece.shared.push(0);
            piece.tokens = 1;
        }

        fn shared(&self, _: usize, line: &mut String) {
            line.push_str(&"s".repeat(300));
        }

        fn comments(&self) -> usize {
            self.comments
        }

        fn comment(&self, _: usize, line: &mut String) {
            line.push_str(&"c".repeat(500));
        }
    }

    #[test]
    fn nothing_makes_one_empty_part() {
        let nothing = Equal { pieces: 0, comments: 0 };
        let cuts = cut(&nothing);
        assert_eq!((cuts.len(), Part::of(&nothing, &cuts[0]).len()), (1, 0));
    }

    #[test]
    fn no_part_is_longer_than_the_limit_and_nothing_is_lost() {
        let lines = Equal { pieces: 3_000, comments: 2_000 };
        let parts: Vec<Part> = cut(&lines).iter().map(|cut| Part::of(&lines, cut)).collect();
        assert_eq!(parts.iter().map(Part::len).sum::<u64>(), 3_000);
        assert_eq!(parts.iter().map(|part| part.tokens).sum::<i128>(), 3_000);
        assert_eq!(parts.iter().map(|part| part.comment_count).sum::<u64>(), 2_000);
        assert_eq!(parts.len(), 5, "3 MB of rows and 1 MB of comments");
        for part in &parts {
            let rows = part.rows[0].count as usize * 1_002;
            assert!(rows + part.comments.len() + 302 * part.shared.len() <= PART_BYTES - FRAME_BYTES);
            assert!(part.shared.len() <= 1, "a shared line is written once");
        }
    }
}
