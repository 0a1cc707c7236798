//! `retire.sql` and `unretire.sql`: how the certified table is let go, in three steps that can be taken
//! days apart, and how the first two are taken back.
//!
//! Step 1 forbids writes by triggers, step 2 renames the table, step 3 drops it once the hold is over.
//! Each step is a transaction that first takes the lock under which nobody else can change the table,
//! then counts and digests it as the certificate did, and stops with an error and nothing changed
//! unless all is as it was certified. A step that is done already says so and does nothing, so that the
//! file can be run whole, and again.
//!
//! Choices where the rule book is silent:
//!
//! - The certificate holds the table's oid: a table of the same name that was put in its place, or a
//!   restored copy, is not the one that was certified.
//! - What was done is kept by oid in `reckon_journal.retirement`, not by certificate: after step 1 a new
//!   certificate goes on where the old one stopped. Of two holds the longer one counts. After step 2 the
//!   table has another name, and `unretire.sql` comes before another certificate.
//! - A table that no longer has the name that step 2 gave it was taken back by somebody: no step goes on.
//! - Steps and `unretire.sql` run one at a time, under an advisory lock, and read the journal again once
//!   they hold the table.
//! - Step 3 is an error while the hold lasts, not a notice: web editors show no notices, and it must
//!   never look as if the table had been dropped.
//! - A table that is part of an inheritance or partition tree is refused by every step: a trigger on it
//!   would not see every write, and a drop would take rows from its parent. So is one that got a rule, a
//!   trigger, a publication or a subscription since the certificate: the drop would take these along. A
//!   publication of all tables, or of all of its schema, counts too, unless it was accepted.
//! - Without an archive the file holds no statement that drops.

mod text;

use crate::config::TableName;
use crate::domain::{Instant, Span};
use crate::source::digest::TableDigest;

pub use text::{files, refused};

/// What the certificate seals: everything that the SQL needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The table with its schema.
    pub table: TableName,
    /// The server's number of it.
    pub oid: u32,
    /// Its rows.
    pub digest: TableDigest,
    /// Digest of names and types of its columns.
    pub shape: String,
    /// Publications of all tables, or of all of its schema, that were accepted by name.
    pub publications: Vec<String>,
    /// The archive, where one was written.
    pub archive: Option<ArchiveSeal>,
    /// Id of the certificate: that of the run that it rests on.
    pub run_id: String,
    /// When the certificate was issued; its day (UTC) is part of the retired table's name.
    pub issued_at: Instant,
    /// From then on step 1 refuses.
    pub expires_at: Instant,
    /// How long the renamed table is kept before step 3 drops it.
    pub hold: Span,
}

/// What is known of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSeal {
    /// Digest of its rows, from the bytes that were written.
    pub digest: TableDigest,
    /// Digest of names and types of its columns.
    pub shape: String,
    /// SHA-256 of the file of the rows, lower-case hexadecimal.
    pub csv_sha256: String,
}

/// A file to write beside the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetireFile {
    /// `retire.sql` or `unretire.sql`.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// What PostgreSQL keeps of a name, in bytes.
const NAME_BYTES: usize = 63;

impl Sealed {
    /// What step 2 calls the table: `token_transactions_retired_20261128`. A name that would become too
    /// long is cut before that.
    pub fn retired_name(&self) -> TableName {
        let day = chrono::DateTime::from_timestamp_micros(self.issued_at.0);
        let day = day.map_or_else(|| self.issued_at.0.to_string(), |at| at.format("%Y%m%d").to_string());
        let suffix = format!("_retired_{day}");
        let mut end = self.table.name.len().min(NAME_BYTES.saturating_sub(suffix.len()));
        while !self.table.name.is_char_boundary(end) {
            end -= 1;
        }
        let name = format!("{}{suffix}", &self.table.name[..end]);
        TableName { schema: self.table.schema.clone(), name }
    }
}
