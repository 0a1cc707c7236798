//! The files of a simulated ledger, written in the order of the users.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;

use super::columns::{Columns, ParquetFile};
use super::configuration;
use super::rows::Fate;
use super::sheet::{Lines, Sheet};
use super::tables::{self, Column, MEMBERS, PROFILES, UNIFIED};
use super::truth::{self, CAUSES};
use super::user::User;
use super::{Format, Made, Settings, SimulateError, text};

/// The four tables, in the order of their files.
pub(super) fn table_list(settings: &Settings) -> [(&'static str, &'static [Column]); 4] {
    [
        ("token_transactions", tables::legacy(settings.shape)),
        ("token_usage", UNIFIED),
        ("user_profiles", PROFILES),
        ("household_members", MEMBERS),
    ]
}

/// The lists of what is true: name and header.
const TRUTHS: [(&str, &str); 3] = [
    ("truth.csv", "side,row_id,user_id,disposition,class,partner_ids,verdict,defect"),
    (
        "truth_findings.csv",
        "class,severity,user_id,legacy_ids,unified_ids,tokens_effect,verdict,repair,defect",
    ),
    ("truth_balances.csv", ""),
];

fn truth_header(name: &str, header: &str) -> String {
    if !header.is_empty() {
        return header.to_owned();
    }
    debug_assert_eq!(name, "truth_balances.csv");
    let causes = CAUSES.map(|cause| format!("cause_{cause}")).join(",");
    format!(
        "user_id,granted,deducted,used,recomputed,corrected,stored,gap,{causes},unexplained,explanation,defects"
    )
}

/// Rows of some users, ready to be written.
pub(super) struct Part {
    tables: [Sheet; 4],
    truths: [Vec<u8>; 3],
    json: String,
    settings_shape: super::Shape,
    pub(super) made: Made,
}

/// The same as it goes to the disk.
pub(super) enum Ready {
    Text(Vec<u8>),
    Rows(RecordBatch),
}

impl Part {
    pub(super) fn new(settings: &Settings) -> Part {
        let sheet = |columns: &[Column]| match settings.format {
            Format::Csv => Sheet::Csv(Lines::default()),
            Format::Sql => Sheet::Copy(Lines::default()),
            Format::Parquet => Sheet::Columns(Columns::new(columns)),
        };
        Part {
            tables: table_list(settings).map(|(_, columns)| sheet(columns)),
            truths: [const { Vec::new() }; 3],
            json: String::new(),
            settings_shape: settings.shape,
            made: Made::default(),
        }
    }

    /// Adds one user's rows.
    pub(super) fn add(&mut self, user: &User) {
        let [legacy, unified, profiles, members] = &mut self.tables;
        for (row, after) in user.legacy.iter().zip(truth::snapshots(user)) {
            tables::legacy_row(legacy, self.settings_shape, user, row, after);
        }
        for row in &user.unified {
            tables::unified_row(unified, user, row, &mut self.json);
        }
        for usage in &user.usage {
            tables::usage_row(unified, user, usage, &mut self.json);
        }
        if user.two_profiles {
            profiles.uuid(user.id).number(user.stored - user.stored / 3).end();
            profiles.uuid(user.id).number(user.stored / 3).end();
        } else {
            profiles.uuid(user.id).number(user.stored).end();
        }
        for other in &user.others {
            profiles.uuid(other.id).number(other.stored).end();
        }
        if let Some(household) = user.household {
            let pooled = user.others.iter().filter(|other| other.in_pool).map(|other| other.id);
            for member in std::iter::once(user.id).chain(pooled) {
                members.uuid(member).uuid(household).uuid(user.id).end();
            }
        }
        self.made.users += 1 + user.others.len() as u64;
        self.made.legacy_rows += user.legacy.len() as u64;
        self.made.unified_rows += (user.unified.len() + user.usage.len()) as u64;
        self.made.findings += user.truth.len() as u64;
        self.made.users_with_defect += u64::from(!user.planted.is_empty());
        self.add_truth(user);
    }

    fn add_truth(&mut self, user: &User) {
        let [rows, findings, balances] = &mut self.truths;
        for row in &user.legacy {
            let owner = row.has_user.then_some(user.id);
            let partner = row.fate.partner.map(|at| user.unified[at as usize].id);
            truth_row(rows, user, ("legacy", row.id, owner), &row.fate, partner);
        }
        for row in &user.unified {
            let owner = row.other.map_or(user.id, |other| user.others[other].id);
            let partner = row.fate.partner.map(|at| user.legacy[at as usize].id);
            truth_row(rows, user, ("unified", row.id, Some(owner)), &row.fate, partner);
        }
        for truth in &user.truth {
            let words = [truth.class.name(), ",", truth.severity.name(), ","];
            words.iter().for_each(|word| findings.extend_from_slice(word.as_bytes()));
            truth.user.iter().for_each(|&id| text::uuid(id, findings));
            findings.push(b',');
            text::uuids(&truth.legacy, findings);
            findings.push(b',');
            text::uuids(&truth.unified, findings);
            findings.push(b',');
            truth.effect.iter().for_each(|&tokens| text::number(tokens, findings));
            for word in [truth.verdict.name(), truth.repair.name(), truth.defect] {
                findings.push(b',');
                findings.extend_from_slice(word.as_bytes());
            }
            findings.push(b'\n');
        }
        let planted = user.planted.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(";");
        for balance in truth::balances(user) {
            text::uuid(balance.user, balances);
            let totals = [
                balance.granted,
                balance.deducted,
                balance.used,
                balance.recomputed(),
                balance.corrected,
                balance.stored,
                balance.gap(),
            ];
            for number in totals.into_iter().chain(balance.causes).chain([balance.unexplained]) {
                balances.push(b',');
                text::number(number, balances);
            }
            for word in [balance.explanation, &planted] {
                balances.push(b',');
                balances.extend_from_slice(word.as_bytes());
            }
            balances.push(b'\n');
        }
    }

    /// Everything as it goes to the disk: the tables, then what is true.
    pub(super) fn ready(self) -> Result<(Vec<Ready>, Made), SimulateError> {
        let table = |sheet: Sheet| match sheet {
            Sheet::Csv(lines) | Sheet::Copy(lines) => Ok(Ready::Text(lines.bytes)),
            Sheet::Columns(columns) => columns.finish().map(Ready::Rows),
        };
        let tables = self.tables.into_iter().map(table).collect::<Result<Vec<_>, _>>();
        let mut all = tables.map_err(|cause| SimulateError::Columns(cause.to_string()))?;
        all.extend(self.truths.map(Ready::Text));
        Ok((all, self.made))
    }
}

/// One line of `truth.csv`. Partners are the rows of the other side in the finding, or in the pair.
fn truth_row(
    out: &mut Vec<u8>,
    user: &User,
    (side, id, owner): (&str, u128, Option<u128>),
    fate: &Fate,
    partner: Option<u128>,
) {
    debug_assert!(!fate.disposition.is_empty(), "a row without a fate");
    out.extend_from_slice(side.as_bytes());
    out.push(b',');
    text::uuid(id, out);
    out.push(b',');
    owner.iter().for_each(|&owner| text::uuid(owner, out));
    out.push(b',');
    out.extend_from_slice(fate.disposition.as_bytes());
    out.push(b',');
    let finding = fate.finding.map(|at| &user.truth[at as usize]);
    finding.iter().for_each(|truth| out.extend_from_slice(truth.class.name().as_bytes()));
    out.push(b',');
    match finding {
        Some(truth) => text::uuids(if side == "legacy" { &truth.unified } else { &truth.legacy }, out),
        None => partner.iter().for_each(|&id| text::uuid(id, out)),
    }
    out.push(b',');
    finding.iter().for_each(|truth| out.extend_from_slice(truth.verdict.name().as_bytes()));
    out.push(b',');
    out.extend_from_slice(fate.defect.as_bytes());
    out.push(b'\n');
}

enum Target {
    Text(File),
    Parquet(Box<ParquetFile>),
}

/// All files of a ledger.
pub(super) struct Folder {
    files: Vec<(PathBuf, Target)>,
    ends_copy: bool,
}

fn failed(path: &Path, cause: std::io::Error) -> SimulateError {
    SimulateError::Write { path: path.to_owned(), cause }
}

fn failed_parquet(path: &Path, error: ::parquet::errors::ParquetError) -> SimulateError {
    let cause = match error {
        ::parquet::errors::ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => std::io::Error::other(cause),
        },
        other => std::io::Error::other(other),
    };
    failed(path, cause)
}

/// Makes the folder, or takes one that is empty. `true`: it was not there before.
pub(super) fn begin(out: &Path) -> Result<bool, SimulateError> {
    let was_there = out.exists();
    fs::create_dir_all(out).map_err(|cause| failed(out, cause))?;
    let mut there = fs::read_dir(out).map_err(|cause| failed(out, cause))?;
    if there.next().is_some() {
        return Err(SimulateError::NotEmpty(out.to_owned()));
    }
    Ok(!was_there)
}

/// Removes what was written into a folder that was empty, and the folder where it was not there before. What
/// cannot be removed stays: why it had to go is the error that is told.
pub(super) fn clear(out: &Path, made_here: bool) {
    let files = fs::read_dir(out).into_iter().flatten().flatten();
    files.for_each(|file| drop(fs::remove_file(file.path())));
    if made_here {
        let _ = fs::remove_dir(out);
    }
}

impl Folder {
    /// Opens the files in an empty folder.
    pub(super) fn create(out: &Path, settings: &Settings) -> Result<Folder, SimulateError> {
        let mut texts = vec![("reckon.toml", configuration::reckon_toml(settings))];
        if settings.format == Format::Sql {
            texts.push(("load.sql", include_str!("sql/load.sql").to_owned()));
            texts.push(("schema.sql", configuration::schema_sql(settings)));
        }
        for (name, content) in texts {
            let path = out.join(name);
            fs::write(&path, content).map_err(|cause| failed(&path, cause))?;
        }
        let mut files = Vec::new();
        for (name, columns) in table_list(settings) {
            let path = out.join(format!("{name}.{}", settings.format.ending()));
            let mut file = File::create(&path).map_err(|cause| failed(&path, cause))?;
            let names = columns.iter().map(|column| column.name).collect::<Vec<_>>();
            let header = match settings.format {
                Format::Csv => Some(format!("{}\n", names.join(","))),
                Format::Sql => Some(format!("copy public.{name} ({}) from stdin;\n", names.join(", "))),
                Format::Parquet => None,
            };
            let target = match header {
                Some(header) => {
                    file.write_all(header.as_bytes()).map_err(|cause| failed(&path, cause))?;
                    Target::Text(file)
                }
                None => {
                    let file = ParquetFile::create(file, columns);
                    Target::Parquet(Box::new(file.map_err(|error| failed_parquet(&path, error))?))
                }
            };
            files.push((path, target));
        }
        for (name, header) in TRUTHS {
            let path = out.join(name);
            let mut file = File::create(&path).map_err(|cause| failed(&path, cause))?;
            let header = truth_header(name, header) + "\n";
            file.write_all(header.as_bytes()).map_err(|cause| failed(&path, cause))?;
            files.push((path, Target::Text(file)));
        }
        Ok(Folder { files, ends_copy: settings.format == Format::Sql })
    }

    /// Writes a part, file by file.
    pub(super) fn write(&mut self, part: Vec<Ready>) -> Result<(), SimulateError> {
        for ((path, target), ready) in self.files.iter_mut().zip(part) {
            match (target, ready) {
                (Target::Text(file), Ready::Text(bytes)) => {
                    file.write_all(&bytes).map_err(|cause| failed(path, cause))?;
                }
                (Target::Parquet(file), Ready::Rows(rows)) => {
                    file.write(&rows).map_err(|error| failed_parquet(path, error))?;
                }
                _ => unreachable!("a part is made in the form of its files"),
            }
        }
        Ok(())
    }

    /// Everything is on its way to the disk.
    pub(super) fn finish(self) -> Result<(), SimulateError> {
        for (path, target) in self.files {
            match target {
                Target::Text(mut file) => {
                    let is_table = path.extension().is_some_and(|ending| ending == "sql");
                    if self.ends_copy && is_table {
                        file.write_all(b"\\.\n").map_err(|cause| failed(&path, cause))?;
                    }
                }
                Target::Parquet(file) => file.finish().map_err(|error| failed_parquet(&path, error))?,
            }
        }
        Ok(())
    }
}
