//! Tables with typed cells: what the CSV files and the sheets of the workbook are drawn from. Rows are
//! made as they are drawn, so that a million of them need no memory.

use std::borrow::Cow;

use crate::domain::{Instant, RowId, Span};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Text that is long.
    LongText,
    /// An identifier.
    Id,
    /// Whole numbers.
    Number,
    /// Seconds with six decimals.
    Seconds,
    /// Times, UTC.
    Time,
    /// Left for the auditor's pen.
    Note,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name in the header.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its sum stands below the table.
    pub summed: bool,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing, or not known.
    Empty,
    /// Text. Never a formula.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i128),
    /// A time.
    Time(Instant),
    /// How long something took, in seconds.
    Seconds(Span),
    /// The sum of this column over rows of the table, from the first to the last.
    SumOf {
        /// First row, from 0.
        first: usize,
        /// Last row.
        last: usize,
        /// What it comes to.
        value: i128,
    },
    /// The sum of two columns of this row.
    Plus {
        /// One column, from 0.
        left: usize,
        /// The other.
        right: usize,
        /// What it comes to.
        value: i128,
    },
    /// The sum of a column of another table less that of yet another, or less a number.
    Total {
        /// The file of the other table.
        file: &'static str,
        /// Its column.
        column: &'static str,
        /// What it comes to.
        value: i128,
    },
    /// A cell of another table.
    Other {
        /// The file of the other table.
        file: &'static str,
        /// Its row, from 0.
        row: usize,
        /// Its column.
        column: &'static str,
        /// What stands there.
        value: i128,
    },
    /// What the cell two to the left holds less the one to the left.
    Difference {
        /// What it comes to.
        value: i128,
    },
}

/// Appends the cells of a row.
type Row<'a> = Box<dyn Fn(usize, &mut Vec<Cell<'a>>) + 'a>;

/// A table: one sheet of the workbook, one CSV file.
pub struct Table<'a> {
    /// Title of the sheet.
    pub title: &'static str,
    /// Name of the CSV file.
    pub file: &'static str,
    /// Columns.
    pub columns: Vec<Column>,
    /// Number of rows.
    pub len: usize,
    /// Appends the cells of a row.
    pub row: Row<'a>,
    /// Is a row to be set off from the others?
    pub strong: Box<dyn Fn(usize) -> bool + 'a>,
}

impl Column {
    /// A column without a sum.
    pub const fn new(name: &'static str, kind: Kind) -> Column {
        Column { name, kind, summed: false }
    }

    /// A column of numbers with its sum below.
    pub const fn summed(name: &'static str) -> Column {
        Column { name, kind: Kind::Number, summed: true }
    }
}

impl<'a> Cell<'a> {
    /// A text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
        Cell::Text(text.into())
    }

    /// A number, or nothing where it is not known.
    pub fn number(value: Option<i128>) -> Cell<'a> {
        value.map_or(Cell::Empty, Cell::Number)
    }

    /// A count.
    pub fn count(value: u64) -> Cell<'a> {
        Cell::Number(i128::from(value))
    }

    /// A time, or nothing.
    pub fn time(at: Option<Instant>) -> Cell<'a> {
        at.map_or(Cell::Empty, Cell::Time)
    }

    /// An id.
    pub fn id(id: &RowId) -> Cell<'a> {
        Cell::Text(Cow::Owned(id.to_string()))
    }

    /// Several ids.
    pub fn ids(ids: &[RowId]) -> Cell<'a> {
        Cell::Text(Cow::Owned(ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";")))
    }

    /// The number that the cell shows.
    pub fn value(&self) -> Option<i128> {
        match self {
            Cell::Empty | Cell::Text(_) | Cell::Time(_) | Cell::Seconds(_) => None,
            Cell::Number(value)
            | Cell::SumOf { value, .. }
            | Cell::Plus { value, .. }
            | Cell::Total { value, .. }
            | Cell::Other { value, .. }
            | Cell::Difference { value } => Some(*value),
        }
    }
}

impl<'a> Table<'a> {
    /// A table of rows that are there already.
    pub fn of_rows(
        title: &'static str,
        file: &'static str,
        columns: Vec<Column>,
        rows: Vec<Vec<Cell<'a>>>,
    ) -> Table<'a> {
        Table {
            title,
            file,
            columns,
            len: rows.len(),
            row: Box::new(move |at, cells| cells.extend(rows[at].iter().cloned())),
            strong: Box::new(|_| false),
        }
    }

    /// Position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} rows)", self.title, self.len)
    }
}
