//! Tables of text, compared without regard to the order of rows.

use std::path::Path;

/// A CSV file with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    cells: Vec<Vec<String>>,
}

/// One row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [String],
}

impl Table {
    /// Reads a file.
    pub fn read(path: &Path) -> Table {
        Table::parse(&std::fs::read(path).unwrap(), &path.display().to_string())
    }

    /// Reads the text of a file called `name`.
    pub fn parse(bytes: &[u8], name: &str) -> Table {
        let mut reader = csv::Reader::from_reader(bytes);
        let columns = reader.headers().unwrap_or_else(|cause| panic!("{name}: {cause}"));
        let columns = columns.iter().map(str::to_owned).collect();
        let cells = reader
            .records()
            .map(|record| record.unwrap_or_else(|cause| panic!("{name}: {cause}")))
            .map(|record| record.iter().map(str::to_owned).collect())
            .collect();
        Table { columns, cells }
    }

    /// Names of the columns in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    /// Only these columns, in this order.
    pub fn project(&self, columns: &[String], name: &str) -> Table {
        let places: Vec<usize> = columns
            .iter()
            .map(|column| {
                let found = self.columns.iter().position(|own| own == column);
                found.unwrap_or_else(|| panic!("{name} has no column {column}"))
            })
            .collect();
        let cells = self.cells.iter().map(|row| places.iter().map(|at| row[*at].clone()).collect());
        Table { columns: columns.to_vec(), cells: cells.collect() }
    }

    /// What the `actual` table has too little and too much, in the columns of this one.
    pub fn differences_to(&self, actual: &Table, name: &str) -> Vec<String> {
        let actual = actual.project(&self.columns, name);
        let mut left: Vec<&Vec<String>> = actual.cells.iter().collect();
        let mut missing: Vec<&Vec<String>> = Vec::new();
        // Rows without a wildcard choose first, so that a wildcard takes only what is left.
        let (loose, strict): (Vec<_>, Vec<_>) =
            self.cells.iter().partition(|row| row.iter().any(|c| c == "*"));
        for expected in strict.into_iter().chain(loose) {
            match left.iter().position(|actual| matches(expected, actual)) {
                Some(at) => drop(left.remove(at)),
                None => missing.push(expected),
            }
        }
        if missing.is_empty() && left.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![format!("{name}:      {}", self.columns.join(" | "))];
        lines.extend(missing.iter().map(|row| format!("  expected  {}", row.join(" | "))));
        lines.extend(left.iter().map(|row| format!("  got       {}", row.join(" | "))));
        lines
    }
}

fn matches(expected: &[String], actual: &[String]) -> bool {
    expected.iter().zip(actual).all(|(expected, actual)| expected == "*" || expected == actual)
}

impl<'a> Row<'a> {
    /// The cell of a column, if the table has that column.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|own| own == column)?;
        Some(&self.cells[at])
    }

    /// The cell of a column that the table must have.
    pub fn text(&self, column: &str) -> &'a str {
        self.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// Compares the columns `rows` and `tokens` with a `{rows, tokens}` of `summary.json`.
    pub fn differences_to_total(&self, total: &serde_json::Value) -> Vec<String> {
        let mut lines = Vec::new();
        for key in ["rows", "tokens"] {
            let actual = total[key].to_string();
            if let Some(expected) = self.get(key).filter(|expected| *expected != actual) {
                lines.push(format!("{}: {key} {actual}, expected {expected}", self.cells.join(" ")));
            }
        }
        lines
    }
}

#[test]
fn a_difference_is_seen_on_either_side_whatever_the_order() {
    let table = |text: &str| Table::parse(text.as_bytes(), "test");
    let expected = table("class,id\na,1\na,*\nb,3\n");
    let cases = [
        ("id,class,more\n1,a,x\n2,a,x\n3,b,x\n", vec![]),
        ("id,class,more\n3,b,x\n2,a,x\n1,a,x\n", vec![]),
        ("id,class,more\n3,b,x\n1,a,x\n", vec!["  expected  a | *"]),
        ("id,class,more\n3,b,x\n2,a,x\n1,a,x\n1,a,x\n", vec!["  got       a | 1"]),
    ];
    for (text, lines) in cases {
        let found = expected.differences_to(&table(text), "test");
        assert_eq!(found.iter().skip(1).map(String::as_str).collect::<Vec<_>>(), lines, "{text}");
    }
}
