//! Cutting a file that is too long into parts, each whole in itself: hosted editors stop a statement
//! within a minute and refuse long texts.

use std::collections::BTreeSet;

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
    /// The line of its legacy row.
    pub legacy: Option<String>,
    /// Lines that several changes share, by number: written once a part.
    pub shared: Vec<usize>,
    /// Effect in tokens.
    pub tokens: i128,
}

/// What one part holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Lines of rows by list.
    pub rows: [Vec<String>; 4],
    /// Lines of legacy rows.
    pub legacy: Vec<String>,
    /// Numbers of shared lines.
    pub shared: BTreeSet<usize>,
    /// Lines of comment.
    pub comments: Vec<String>,
    /// Effect in tokens.
    pub tokens: i128,
    bytes: usize,
}

impl Part {
    /// Changes in this part.
    pub fn len(&self) -> u64 {
        self.rows.iter().map(|rows| rows.len() as u64).sum()
    }
}

/// Packs pieces and comments, in order, into as few parts as they need; at least one.
pub(super) fn pack(pieces: Vec<Piece>, shared: &[String], comments: Vec<String>) -> Vec<Part> {
    let room = PART_BYTES - FRAME_BYTES;
    let mut parts = vec![Part::default()];
    for piece in pieces {
        let last = parts.last().map_or(0, |part| part.bytes);
        if last > 0 && last + weight(&piece, parts.last(), shared) > room {
            parts.push(Part::default());
        }
        if let Some(part) = parts.last_mut() {
            part.bytes += weight(&piece, Some(part), shared);
            part.rows[piece.list].push(piece.row);
            part.legacy.extend(piece.legacy);
            part.shared.extend(piece.shared);
            part.tokens += piece.tokens;
        }
    }
    for comment in comments {
        let last = parts.last().map_or(0, |part| part.bytes);
        if last > 0 && last + comment.len() + 1 > room {
            parts.push(Part::default());
        }
        if let Some(part) = parts.last_mut() {
            part.bytes += comment.len() + 1;
            part.comments.push(comment);
        }
    }
    parts
}

/// Bytes that a piece adds to a part; each line has a comma and an end.
fn weight(piece: &Piece, part: Option<&Part>, shared: &[String]) -> usize {
    let new = |number: &&usize| part.is_none_or(|part| !part.shared.contains(number));
    let shared: usize = piece.shared.iter().filter(new).map(|number| shared[*number].len() + 2).sum();
    piece.row.len() + 2 + piece.legacy.as_ref().map_or(0, |line| line.len() + 2) + shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: usize, shared: Vec<usize>) -> Piece {
        Piece { row: "x".repeat(bytes), shared, tokens: 1, ..Piece::default() }
    }

    #[test]
    fn nothing_makes_one_empty_part() {
        let parts = pack(Vec::new(), &[], Vec::new());
        assert_eq!((parts.len(), parts[0].len()), (1, 0));
    }

    #[test]
    fn no_part_is_longer_than_the_limit_and_nothing_is_lost() {
        let shared = ["s".repeat(300)];
        let pieces = vec![piece(1_000, vec![0]); 3_000];
        let parts = pack(pieces, &shared, vec!["c".repeat(500); 2_000]);
        assert_eq!(parts.iter().map(Part::len).sum::<u64>(), 3_000);
        assert_eq!(parts.iter().map(|part| part.tokens).sum::<i128>(), 3_000);
        assert_eq!(parts.iter().map(|part| part.comments.len()).sum::<usize>(), 2_000);
        assert_eq!(parts.len(), 5, "3 MB of rows and 1 MB of comments");
        for part in &parts {
            let rows: usize = part.rows.iter().flatten().map(|row| row.len() + 2).sum();
            let comments: usize = part.comments.iter().map(|line| line.len() + 1).sum();
            assert!(rows + comments + 302 * part.shared.len() <= PART_BYTES - FRAME_BYTES);
            assert!(part.shared.len() <= 1, "a shared line is written once");
        }
    }
}
