//! Makes ledgers with the program, and reads what it left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::Ledger;
use crate::cases::table::Table;

/// `reckon simulate … --out folder`.
pub(super) fn simulate(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reckon"))
        .arg("simulate")
        .args(args)
        .arg("--out")
        .arg(folder)
        .output()
        .unwrap()
}

impl Ledger {
    /// The flags that make it.
    pub(super) fn flags(&self) -> Vec<String> {
        let words = [
            ("--users", self.users.to_string()),
            ("--seed", self.seed.to_string()),
            ("--months", self.months.to_string()),
            ("--shape", self.shape.to_owned()),
            ("--rate", self.rate.to_owned()),
            ("--per-user", self.per_user.to_string()),
            ("--usage", "3".to_owned()),
            ("--defects", self.defects.to_owned()),
        ];
        words.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }

    /// Makes it; its configuration.
    pub(super) fn make(&self, place: &Path, format: &str) -> PathBuf {
        let flags = self.flags();
        let mut flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        flags.extend(["--format", format]);
        let output = simulate(place, &flags);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        place.join("reckon.toml")
    }
}

/// All rows but their evidence: `n/a` in a CSV file is an empty cell in a Parquet file.
pub(super) fn without_evidence(table: &Table) -> Vec<Vec<String>> {
    let columns: Vec<&String> = table.columns().iter().filter(|column| *column != "evidence").collect();
    table.rows().map(|row| columns.iter().map(|column| row.text(column).to_owned()).collect()).collect()
}

/// What became of a row: its disposition, and the other row of its pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Became {
    pub(super) disposition: String,
    pub(super) partner: String,
}

/// Every row of `dispositions.parquet` by side and id.
pub(super) fn dispositions(file: &Path) -> BTreeMap<(String, String), Became> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{Field, RowAccessor};
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    let mut all: BTreeMap<(String, String), Became> = BTreeMap::new();
    let mut pairs: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let text = |column| row.get_string(column).unwrap().clone();
        let key = (text(0), text(1));
        let Some((_, Field::Str(pair))) = row.get_column_iter().nth(3) else {
            let twice = all.insert(key, Became { disposition: text(2), partner: String::new() });
            assert!(twice.is_none(), "a row stands twice");
            continue;
        };
        pairs.entry(pair.clone()).or_default().push(key.clone());
        let twice = all.insert(key, Became { disposition: text(2), partner: String::new() });
        assert!(twice.is_none(), "a row stands twice");
    }
    for rows in pairs.into_values() {
        let [a, b] = &rows[..] else { panic!("a pair of {} rows", rows.len()) };
        for (one, other) in [(a, b), (b, a)] {
            all.get_mut(one).unwrap().partner.clone_from(&other.1);
        }
    }
    all
}
