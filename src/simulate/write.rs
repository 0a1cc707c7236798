//! The files of a simulated ledger, written as users are made.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::SimulateError;
use super::rows::{LegacyRow, UnifiedRow, number_text, payment_text, time_text, uuid_text};
use super::user::{Usage, User};

/// Bytes that are collected before they go to the disk.
const BUFFER_BYTES: usize = 1 << 20;

const CONFIGURATION: &str = include_str!("reckon.toml");

/// One file and the line that is being written.
struct Sheet {
    path: PathBuf,
    file: BufWriter<File>,
    line: Vec<u8>,
}

impl Sheet {
    fn create(folder: &Path, name: &str, header: &str) -> Result<Sheet, SimulateError> {
        let path = folder.join(name);
        let file = File::create(&path).map_err(|cause| failed(&path, cause))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut sheet = Sheet { path, file, line: header.into() };
        sheet.end_line()?;
        Ok(sheet)
    }

    fn text(&mut self, text: &str) -> &mut Sheet {
        self.line.extend_from_slice(text.as_bytes());
        self
    }

    fn uuid(&mut self, id: u128) -> &mut Sheet {
        uuid_text(id, &mut self.line);
        self
    }

    fn number(&mut self, number: i64) -> &mut Sheet {
        number_text(number, &mut self.line);
        self
    }

    fn time(&mut self, at: i64) -> &mut Sheet {
        time_text(at, &mut self.line);
        self
    }

    fn uuids(&mut self, ids: &[u128]) -> &mut Sheet {
        for (at, &id) in ids.iter().enumerate() {
            self.text(if at == 0 { "" } else { ";" }).uuid(id);
        }
        self
    }

    fn end_line(&mut self) -> Result<(), SimulateError> {
        self.line.push(b'\n');
        self.file.write_all(&self.line).map_err(|cause| failed(&self.path, cause))?;
        self.line.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), SimulateError> {
        self.file.flush().map_err(|cause| failed(&self.path, cause))
    }
}

fn failed(path: &Path, cause: std::io::Error) -> SimulateError {
    SimulateError::Write { path: path.to_owned(), cause }
}

/// All files of a ledger.
pub(super) struct Folder {
    legacy: Sheet,
    unified: Sheet,
    profiles: Sheet,
    truth: Sheet,
}

impl Folder {
    /// Makes the folder and opens its files.
    pub(super) fn create(out: &Path) -> Result<Folder, SimulateError> {
        fs::create_dir_all(out).map_err(|cause| failed(out, cause))?;
        let mut there = fs::read_dir(out).map_err(|cause| failed(out, cause))?;
        if there.next().is_some() {
            return Err(SimulateError::NotEmpty(out.to_owned()));
        }
        let configuration = out.join("reckon.toml");
        fs::write(&configuration, CONFIGURATION).map_err(|cause| failed(&configuration, cause))?;
        let sheet = |name, header| Sheet::create(out, name, header);
        Ok(Folder {
            legacy: sheet(
                "token_transactions.csv",
                "id,user_id,action_type,tokens_used,created_at,stripe_payment_intent_id",
            )?,
            unified: sheet(
                "token_usage.csv",
                "id,user_id,action_type,model_used,tokens_used,success,metadata,created_at",
            )?,
            profiles: sheet("user_profiles.csv", "user_id,vibe_assistant_tokens_remaining")?,
            truth: sheet("truth.csv", "class,severity,user_id,legacy_ids,unified_ids,repair,defect")?,
        })
    }

    /// Writes one user's rows.
    pub(super) fn write(&mut self, user: &User) -> Result<(), SimulateError> {
        for row in &user.legacy {
            self.legacy_row(user, row)?;
        }
        for row in &user.unified {
            self.unified_row(user, row)?;
        }
        for usage in &user.usage {
            self.usage_row(user, usage)?;
        }
        self.profiles.uuid(user.id).text(",").number(user.stored).end_line()?;
        if let Some(admin) = user.admin {
            self.profiles.uuid(admin).text(",0").end_line()?;
        }
        for truth in &user.truth {
            let sheet = self.truth.text(truth.class.name()).text(",").text(truth.severity.name());
            let sheet = sheet.text(",").uuid(user.id).text(",").uuids(&truth.legacy);
            let sheet = sheet.text(",").uuids(&truth.unified).text(",").text(truth.repair.name());
            sheet.text(",").text(truth.defect).end_line()?;
        }
        Ok(())
    }

    fn legacy_row(&mut self, user: &User, row: &LegacyRow) -> Result<(), SimulateError> {
        let sheet = self.legacy.uuid(row.id).text(",").uuid(user.id).text(",").text(row.label).text(",");
        match row.tokens {
            Some(tokens) => {
                let era = row.at.is_some_and(|at| user.calendar.is_negative_era(at));
                sheet.number(if era != row.contrary_sign { -tokens } else { tokens });
            }
            None => drop(sheet.text("n/a")),
        }
        sheet.text(",");
        if let Some(at) = row.at {
            sheet.time(at);
        }
        sheet.text(",");
        if let Some(payment) = row.payment {
            sheet.text(&payment_text(payment));
        }
        sheet.end_line()
    }

    fn unified_row(&mut self, user: &User, row: &UnifiedRow) -> Result<(), SimulateError> {
        let owner = row.other_user.unwrap_or(user.id);
        let sheet = self.unified.uuid(row.id).text(",").uuid(owner).text(",").text(row.action);
        sheet.text(if row.migrated { ",migration," } else { ",system," }).number(row.tokens);
        sheet.text(if row.failed { ",false," } else { ",true," });
        // Within a CSV field in quotes, a quote is doubled.
        let mut before = "\"{";
        if let Some(payment) = row.payment {
            let payment = payment_text(payment);
            sheet.text(before).text("\"\"payment_intent\"\":\"\"").text(&payment).text("\"\"");
            before = ",";
        }
        if let Some(link) = row.link {
            sheet.text(before).text("\"\"legacy_id\"\":\"\"").uuid(link).text("\"\"");
            before = ",";
        }
        if row.migrated {
            sheet.text(before).text("\"\"migrated_from\"\":\"\"token_transactions\"\"");
            before = ",";
        }
        sheet.text(if before == "," { "}\"," } else { "," }).time(row.at).end_line()
    }

    fn usage_row(&mut self, user: &User, row: &Usage) -> Result<(), SimulateError> {
        let sheet = self.unified.uuid(row.id).text(",").uuid(user.id).text(",").text(row.action);
        sheet.text(",gpt-4o,").number(row.tokens);
        sheet.text(if row.failed { ",false,," } else { ",true,," }).time(row.at).end_line()
    }

    /// Everything is on its way to the disk.
    pub(super) fn finish(self) -> Result<(), SimulateError> {
        for sheet in [self.legacy, self.unified, self.profiles, self.truth] {
            sheet.finish()?;
        }
        Ok(())
    }
}
