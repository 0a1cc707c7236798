//! A pack as it lies on the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `reckon audit` in a folder.
pub fn audit(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
    command.current_dir(folder).arg("audit").args(args).arg("--no-progress");
    for name in ["RUST_LOG", "RECKON_CONFIG", "DATABASE_URL"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

/// Exit code and what was said on stderr.
pub fn ended(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A pack's directory.
#[derive(Debug)]
pub struct Pack(pub PathBuf);

/// A CSV file: header and rows.
#[derive(Debug, Clone)]
pub struct Csv {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Pack {
    pub fn csv(&self, file: &str) -> Csv {
        let mut reader = csv::Reader::from_path(self.0.join(file)).unwrap();
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        Csv { header, rows }
    }

    /// Opening and closing of the whole period.
    pub fn ends(&self) -> (i128, i128) {
        let roll = self.csv("roll_forward.csv");
        let total = roll.rows.last().unwrap().clone();
        assert_eq!((total[0].as_str(), total[1].as_str()), ("period", "total"));
        (roll.number(&total, "opening"), roll.number(&total, "closing"))
    }

    /// One column of the balances, by user as the file names it.
    pub fn balances(&self, column: &str) -> BTreeMap<String, i128> {
        let balances = self.csv("balances.csv");
        balances.rows.iter().map(|row| (row[0].clone(), balances.number(row, column))).collect()
    }
}

impl Csv {
    pub fn at(&self, column: &str) -> usize {
        self.header.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"))
    }

    pub fn cell<'r>(&self, row: &'r [String], column: &str) -> &'r str {
        &row[self.at(column)]
    }

    pub fn number(&self, row: &[String], column: &str) -> i128 {
        self.cell(row, column).parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
    }

    pub fn sum(&self, column: &str) -> i128 {
        self.rows.iter().map(|row| self.cell(row, column).parse::<i128>().unwrap_or(0)).sum()
    }
}
