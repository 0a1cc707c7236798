//! A page of text for a terminal: what every summary and table is drawn with.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How a piece of text is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Warn,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "",
            Paint::Strong => "1",
            Paint::Faint => "2",
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Warn => "33",
        }
    }
}

/// A column of a table: title, and whether numbers stand to the right.
pub(super) type Column = (&'static str, bool);

/// Text that grows line by line.
pub(super) struct Page {
    text: String,
    /// Columns: no line is wider.
    pub(super) width: usize,
    color: bool,
}

impl Page {
    /// An empty page, between 60 and 80 columns wide, with colours only if asked for.
    pub(super) fn new(width: usize, color: bool) -> Page {
        Page { text: String::new(), width: width.clamp(60, 80), color }
    }

    /// What was put.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// A piece of a line.
    pub(super) fn put(&mut self, text: &str, paint: Paint) {
        if self.color && paint != Paint::Plain {
            self.text.push_str(&format!("\x1b[{}m{text}\x1b[0m", paint.code()));
        } else {
            self.text.push_str(text);
        }
    }

    /// Ends a line; nothing blank stays at its end.
    pub(super) fn end(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }

    /// An empty line and a title.
    pub(super) fn heading(&mut self, title: &str, note: &str) {
        self.end();
        self.put(title, Paint::Strong);
        if !note.is_empty() {
            self.put("  ", Paint::Plain);
            self.put(note, Paint::Faint);
        }
        self.end();
    }

    /// Words, broken at the width; `start` stands before the first line, blanks before the others. A word that
    /// is wider than a line is broken too, and shortened where it would take more than a few lines.
    pub(super) fn paragraph(&mut self, start: &str, text: &str, paint: Paint) {
        let mut line = String::new();
        let mut indent = start.to_owned();
        let room = self.width - start.width();
        for word in text.split_whitespace().flat_map(|word| pieces(word, room)) {
            if !line.is_empty() && indent.width() + line.width() + 1 + word.width() > self.width {
                self.put(&indent, Paint::Plain);
                self.put(&line, paint);
                self.end();
                line.clear();
                indent = " ".repeat(start.width());
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        self.put(&indent, Paint::Plain);
        self.put(&line, paint);
        self.end();
    }

    /// A table with two spaces between columns. A cell that is too wide widens its column; the last
    /// column takes what is left and is cut.
    pub(super) fn table(&mut self, columns: &[Column], rows: &[(Vec<String>, Paint)]) {
        let mut widths: Vec<usize> = columns.iter().map(|(title, _)| title.width()).collect();
        for (cells, _) in rows {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.width());
            }
        }
        let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        self.row(columns, &widths, &titles, Paint::Faint);
        for (cells, paint) in rows {
            self.row(columns, &widths, cells, *paint);
        }
    }

    fn row(&mut self, columns: &[Column], widths: &[usize], cells: &[String], paint: Paint) {
        let mut used = 0;
        // The first word of a row bears its colour.
        let first = cells.iter().position(|cell| !cell.is_empty());
        for (at, cell) in cells.iter().enumerate() {
            let room = (self.width.saturating_sub(used + 2)).min(widths[at]);
            let cell = cut(cell, room);
            let gap = " ".repeat(room - cell.width());
            let text = if columns[at].1 { format!("  {gap}{cell}") } else { format!("  {cell}{gap}") };
            used += text.width();
            self.put(&text, if Some(at) == first || paint == Paint::Faint { paint } else { Paint::Plain });
        }
        self.end();
    }
}

/// Lines that one word may take.
const WORD_LINES: usize = 4;

/// A word in pieces of at most `room` columns; nearly always it is one.
fn pieces(word: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for letter in shorten(word, WORD_LINES * (room - 1)).chars() {
        let width = letter.width().unwrap_or(0);
        if used + width > room {
            pieces.push(String::new());
            used = 0;
        }
        pieces.last_mut().expect("there is a piece").push(letter);
        used += width;
    }
    pieces
}

/// The text in at most `room` columns.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if short.width() + letter.to_string().width() + 1 > room {
            break;
        }
        short.push(letter);
    }
    if room > 0 {
        short.push('…');
    }
    short
}

/// The text in at most `room` columns, shortened in the middle: what tells long names and ids apart
/// stands at their ends.
pub(super) fn shorten(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let tail_room = room.saturating_sub(1) / 3;
    let mut tail = String::new();
    for letter in text.chars().rev() {
        if tail.width() + letter.to_string().width() > tail_room {
            break;
        }
        tail.insert(0, letter);
    }
    format!("{}{tail}", cut(text, room - tail.width()))
}

/// Text from outside without what a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_room_with_a_sign() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn no_word_is_wider_than_a_line() {
        let (long, wide) = ("x".repeat(3_000), "漢".repeat(45));
        for (word, lines) in [(long.as_str(), 5), (wide.as_str(), 3), ("short", 1)] {
            let mut page = Page::new(60, false);
            page.paragraph("    ", &format!("one {word} two"), Paint::Plain);
            let text = page.finish();
            assert!(text.lines().all(|line| line.width() <= 60), "{text}");
            assert_eq!(text.lines().count(), lines, "{text}");
        }
    }

    #[test]
    fn names_are_shortened_in_the_middle() {
        let cases = [
            ("627fa0aa-efb5-42aa-8103-658522cfd956", 13, "627fa0aa…d956"),
            ("life_vision_category_summary", 18, "life_vision_…mmary"),
            ("short", 13, "short"),
            ("漢字漢字漢字", 7, "漢字…字"),
            ("abc", 1, "…"),
        ];
        for (text, room, expected) in cases {
            assert_eq!(shorten(text, room), expected);
            assert!(shorten(text, room).width() <= room);
        }
    }

    #[test]
    fn the_first_word_of_a_row_bears_its_colour_and_only_on_a_terminal() {
        let row = |color: bool| {
            let mut page = Page::new(80, color);
            let cells = vec![String::new(), "differs".to_owned(), "+1".to_owned()];
            page.table(&[("", false), ("", false), ("", true)], &[(cells, Paint::Warn)]);
            page.finish().lines().last().map(str::to_owned)
        };
        assert_eq!(row(true).as_deref(), Some("  \u{1b}[33m  differs\u{1b}[0m  +1"));
        assert_eq!(row(false).as_deref(), Some("    differs  +1"));
    }
}
