//! The proposal as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::labels::{Meaning, Vocabulary, all_labels, meanings};
use super::undecided::{Undecided, undecided, write_backfill, write_states};
use super::{Place, Sample, Seen, StoredRoles};
use crate::domain::Side;

/// Comments stand in this column where the setting leaves room.
const COMMENT_COLUMN: usize = 42;
/// A longer setting has its comment on the line before.
const LONG_SETTING: usize = 56;
/// A reference on more than this share of a label's rows (in per cent) is the rule there, not a slip.
const RULE_PERCENT: u64 = 20;

/// A proposed configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of `reckon.toml`.
    pub text: String,
    /// Labels that the owner has to give a meaning, with their rows: legacy first.
    pub unclear: Vec<(String, u64)>,
    /// All labels of both tables: legacy first.
    pub labels: Vec<ProposedLabel>,
    /// Columns that the owner has to decide about: legacy first.
    pub undecided: Vec<Undecided>,
}

/// A label, and what it is proposed to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedLabel {
    /// The table that has it.
    pub side: Side,
    /// As it stands there.
    pub label: String,
    /// Its rows, as far as was looked.
    pub rows: u64,
    /// Of a legacy label a unified action or `usage`; of a unified one `grant`, `deduction` or `usage`. `None`:
    /// the owner has to say.
    pub meaning: Option<String>,
}

impl Proposal {
    /// What the text sets; `None` where it is no TOML.
    pub fn settings(&self) -> Option<serde_json::Value> {
        toml::from_str(&self.text).ok()
    }
}

/// Lines of a configuration.
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn section(&mut self, name: &str, comment: &str) {
        self.0.push('\n');
        self.line(&format!("[{name}]"), comment);
    }

    pub(super) fn comment(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# {text}");
    }

    pub(super) fn line(&mut self, setting: &str, comment: &str) {
        if comment.is_empty() {
            let _ = writeln!(self.0, "{setting}");
        } else {
            if setting.chars().count() > LONG_SETTING {
                self.comment(comment);
                let _ = writeln!(self.0, "{setting}");
                return;
            }
            let gap = COMMENT_COLUMN.saturating_sub(setting.chars().count()).max(1);
            let _ = writeln!(self.0, "{setting}{:gap$}# {comment}", "");
        }
    }

    pub(super) fn text(&mut self, key: &str, value: &str, comment: &str) {
        self.line(&format!("{key} = {}", quoted(value)), comment);
    }

    pub(super) fn list(&mut self, key: &str, values: &[String], comment: &str) {
        self.line(&format!("{key} = {}", quoted_list(values)), comment);
    }

    fn optional(&mut self, key: &str, value: Option<&String>, comment: &str) {
        if let Some(value) = value {
            self.text(key, value, comment);
        }
    }
}

/// A basic TOML string: JSON's escapes are among TOML's; only DEL has to be escaped as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn quoted_list(values: &[String]) -> String {
    format!("[{}]", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", "))
}

pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { text.to_owned() } else { quoted(text) }
}

/// Writes the proposal. It parses with [`crate::config::parse`].
pub fn propose(legacy: &Seen, unified: &Seen, stored: Option<(&Sample, &StoredRoles)>) -> Proposal {
    let mut vocabulary = Vocabulary::of(legacy, unified);
    let meanings = meanings(legacy, &vocabulary);
    vocabulary.complete(&meanings);
    let mut lines = Lines(String::new());
    lines.comment(
        "Proposed by `reckon init` from what the tables hold. Look it over: what is unclear is said.",
    );
    lines.comment("Then: reckon doctor (for a database), reckon reconcile.");
    let mut unclear = write_legacy(&mut lines, legacy, &meanings, &vocabulary);
    write_unified(&mut lines, legacy, unified, &meanings, &vocabulary);
    let seen = all_labels(unified);
    unclear.extend(vocabulary.unclear.iter().map(|label| (label.clone(), seen[label].rows)));
    write_matching(&mut lines);
    write_balances(&mut lines, stored);
    write_backfill(&mut lines, unified);
    let labels = proposed(legacy, unified, &meanings, &vocabulary);
    Proposal { text: lines.0, unclear, labels, undecided: undecided(legacy, unified) }
}

/// All labels with what they are proposed to mean.
fn proposed(
    legacy: &Seen,
    unified: &Seen,
    meanings: &BTreeMap<String, Meaning>,
    vocabulary: &Vocabulary,
) -> Vec<ProposedLabel> {
    let of_legacy = |label: &str| match meanings.get(label)? {
        Meaning::Action(action) => Some(action.clone()),
        Meaning::Usage => Some("usage".to_owned()),
        Meaning::Unclear => None,
    };
    let lists =
        [(&vocabulary.grants, "grant"), (&vocabulary.deductions, "deduction"), (&vocabulary.usage, "usage")];
    let of_unified = |label: &str| {
        let (_, kind) = lists.iter().find(|(list, _)| list.iter().any(|listed| listed == label))?;
        Some((*kind).to_owned())
    };
    let mut all = Vec::new();
    for (label, count) in all_labels(legacy) {
        let meaning = of_legacy(&label);
        all.push(ProposedLabel { side: Side::Legacy, label, rows: count.rows, meaning });
    }
    for (label, count) in all_labels(unified) {
        let meaning = of_unified(&label);
        all.push(ProposedLabel { side: Side::Unified, label, rows: count.rows, meaning });
    }
    all
}

fn write_columns(lines: &mut Lines, side: &Seen) {
    let roles = &side.roles;
    match &side.sample.place {
        Place::Table(table) => lines.text("table", &table_text(table), ""),
        Place::Path(path) => {
            lines.text("path", path, "");
            lines
                .comment("table = \"public.…\"  the table that SQL is written for; default: the file's name");
        }
    }
    if !side.sample.whole {
        let looked_at =
            format!("Only the first {} rows were looked at: other labels may follow.", side.sample.rows);
        lines.comment(&looked_at);
    }
    lines.text("id", &roles.id, "");
    lines.text("user", &roles.user, "");
    match &roles.action[..] {
        [only] => lines.text("action", only, ""),
        several => lines.list("action", several, "labels are joined with \"/\""),
    }
    lines.text("amount", &roles.amount, "whole tokens");
    lines.text("created_at", &roles.created_at, "");
    if roles.unzoned {
        lines.text("timezone", "UTC", "times are stored without a zone: is this the one?");
    }
}

/// A name as the configuration reads it back.
fn table_text(table: &crate::config::TableName) -> String {
    let part = |name: &str| {
        if name.contains(['.', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
    };
    match &table.schema {
        Some(schema) => format!("{}.{}", part(schema), part(&table.name)),
        None => part(&table.name),
    }
}

pub(super) fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// Writes `[legacy]`; answers the unclear labels.
fn write_legacy(
    lines: &mut Lines,
    legacy: &Seen,
    meanings: &BTreeMap<String, Meaning>,
    vocabulary: &Vocabulary,
) -> Vec<(String, u64)> {
    let labels = all_labels(legacy);
    let more = &legacy.roles.more;
    lines.section("legacy", "the table that is to be retired");
    write_columns(lines, legacy);
    let mixed = labels.values().any(|count| count.positive > 0 && count.negative > 0);
    let sign = if mixed { "labels are stored with both signs" } else { "or positive, negative" };
    lines.text("sign", "by_action", sign);
    write_references(lines, legacy, meanings);
    lines.optional("expires_at", more.expires_at.as_ref(), "");
    lines.optional("balance_after", more.balance_after.as_ref(), "evidence only");
    write_states(lines, legacy, Side::Legacy);
    if labels.is_empty() {
        return Vec::new();
    }
    lines.section("legacy.actions", "legacy label = unified action, \"usage\" or \"ignore\"");
    let mut unclear = Vec::new();
    for (label, meaning) in meanings {
        let count = labels[label].rows;
        match meaning {
            Meaning::Action(action) => {
                lines.line(&format!("{} = {}", key(label), quoted(action)), &rows(count))
            }
            Meaning::Usage => lines.line(&format!("{} = \"usage\"", key(label)), &rows(count)),
            Meaning::Unclear => unclear.push((label.clone(), count)),
        }
    }
    if !unclear.is_empty() {
        let known: Vec<&str> =
            vocabulary.grants.iter().chain(&vocabulary.deductions).map(String::as_str).collect();
        lines.comment(
            "Unclear: each row is a finding (unmapped_action) until its label has a meaning, one of",
        );
        lines.comment(&format!("{}, usage, ignore.", one_line(&known.join(", "))));
        for (label, count) in &unclear {
            lines.line(&format!("# {} = \"…\"", key(label)), &rows(*count));
        }
    }
    unclear
}

pub(super) fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// References, and what shows a payment where a reference does not: a subscription that carries a
/// payment id is no token pack.
fn write_references(lines: &mut Lines, side: &Seen, meanings: &BTreeMap<String, Meaning>) {
    let more = &side.roles.more;
    for (field, repeated) in &more.no_reference {
        let why = if repeated.again > 0 {
            format!("comes back on another day {} times in {}", repeated.again, rows(repeated.filled))
        } else {
            "comes back in the other table".to_owned()
        };
        lines.comment(&format!("{} is no reference: for the same user and label it {why},", one_line(field)));
        lines.comment("as the id of a subscription or customer does, and not that of a payment.");
    }
    if more.reference.is_empty() {
        return;
    }
    lines.list("reference", &more.reference, "the same payment has the same reference");
    let is_rule = |label: &str, count: &super::LabelCount| {
        let bought = meanings.get(label).is_none_or(|meaning| match meaning {
            Meaning::Action(action) => !action.contains("subscription") && !action.contains("trial"),
            Meaning::Usage | Meaning::Unclear => true,
        });
        !bought && count.rows > 0 && count.referenced * 100 >= count.rows * RULE_PERCENT
    };
    if side.labels.iter().any(|(label, count)| is_rule(label, count)) {
        lines.list("payment", &more.packs, "subscriptions carry references too: these show a bought pack");
    }
}

fn write_unified(
    lines: &mut Lines,
    legacy: &Seen,
    unified: &Seen,
    meanings: &BTreeMap<String, Meaning>,
    vocabulary: &Vocabulary,
) {
    let more = &unified.roles.more;
    lines.section("unified", "the table that is to be the single source of truth");
    write_columns(lines, unified);
    lines.optional("success", more.success.as_ref(), "a failed grant grants nothing");
    write_states(lines, unified, Side::Unified);
    let own: BTreeMap<String, Meaning> =
        vocabulary.grants.iter().map(|label| (label.clone(), Meaning::Action(label.clone()))).collect();
    write_references(lines, unified, &own);
    write_marks(lines, unified);
    lines.optional("expires_at", more.expires_at.as_ref(), "");
    if vocabulary.examples {
        lines.comment("No label looks like a grant. These are examples: list those that add to a balance.");
    }
    lines.list("grants", &vocabulary.grants, "add to a balance");
    if !vocabulary.deductions.is_empty() {
        lines.list("deductions", &vocabulary.deductions, "take from it");
    }
    write_usage(lines, unified, vocabulary);
    write_unified_only(lines, legacy, unified, meanings, vocabulary);
}

/// Where migrated rows are marked. What no row has yet, `backfill.sql` will write into the JSON
/// column.
fn write_marks(lines: &mut Lines, unified: &Seen) {
    let more = &unified.roles.more;
    let marks = [
        ("link", &more.link, "legacy_id", "where a migrated row names its legacy row"),
        ("migrated", &more.migrated, "migrated_from", "where a row says that it was migrated"),
    ];
    for (key, found, name, what) in marks {
        match (found, &more.json) {
            (Some(found), _) => lines.text(key, found, what),
            (None, Some(json)) => {
                lines.text(key, &format!("{json}.{name}"), &format!("{what} (none does yet)"));
            }
            (None, None) => lines.comment(&format!("{key} = \"…\"  {what}: no column looks like it")),
        }
    }
}

fn write_usage(lines: &mut Lines, unified: &Seen, vocabulary: &Vocabulary) {
    if !vocabulary.lists_usage(unified) {
        if !vocabulary.usage.is_empty() {
            lines.comment("Every other label is usage. With this list a new label is a finding, and");
            lines.comment("`reckon contract` is complete:");
            lines.comment(&format!("usage = {}", quoted_list(&vocabulary.usage)));
        }
        return;
    }
    lines.list("usage", &vocabulary.usage, "use tokens up; a label in no list is a finding");
    if vocabulary.unclear.is_empty() {
        return;
    }
    lines.comment("Unclear: each row is a finding (unmapped_action) until its label stands in a list above:");
    let seen = all_labels(unified);
    for label in &vocabulary.unclear {
        lines.line(&format!("# {}", quoted(label)), &rows(seen[label].rows));
    }
}

/// Grants that the legacy table has no row of. Where it has some, a grant without a partner may be one that
/// it lost, or that came here twice: that is for the owner to say.
fn write_unified_only(
    lines: &mut Lines,
    legacy: &Seen,
    unified: &Seen,
    meanings: &BTreeMap<String, Meaning>,
    vocabulary: &Vocabulary,
) {
    let legacy_rows = |action: &str| -> u64 {
        let of_action = |meaning: &Meaning| *meaning == Meaning::Action(action.to_owned());
        let labels = legacy.labels.iter().filter(|(label, _)| meanings.get(*label).is_some_and(of_action));
        labels.map(|(_, count)| count.rows).sum()
    };
    let comparable = legacy.sample.whole && unified.sample.whole;
    let mut alone = Vec::new();
    for action in vocabulary.grants.iter().filter(|_| !vocabulary.examples) {
        let here = unified.labels.get(action).copied().unwrap_or_default();
        let there = legacy_rows(action);
        if there == 0 {
            alone.push(action.clone());
            continue;
        }
        // What has a legacy row without being marked was written to both tables.
        let written_to_both = there.saturating_sub(here.marked);
        let more = here.rows.saturating_sub(here.marked).saturating_sub(written_to_both);
        if comparable && more.saturating_mul(10) > here.rows {
            lines.comment(&format!(
                "{}: {more} of {} have no legacy row. Were they written here alone? Then add",
                one_line(action),
                rows(here.rows)
            ));
            lines.comment(
                "it to unified_only; until then they are warnings (orphan), or what else they look like.",
            );
        }
    }
    if alone.is_empty() {
        lines.comment("unified_only = []  grants written to this table alone: no legacy row is expected");
    } else {
        lines.list("unified_only", &alone, "written to this table alone? no legacy row is expected");
    }
}

fn write_matching(lines: &mut Lines) {
    lines.section("matching", "");
    lines.text("tolerance", "2s", "how far the two rows of one grant lie apart");
    lines.text("window", "24h", "how far a partner that differs may lie");
    lines.text("settle", "5m", "younger rows are pending, no findings");
}

fn write_balances(lines: &mut Lines, stored: Option<(&Sample, &StoredRoles)>) {
    lines.section("balances", "");
    match stored {
        Some((sample, roles)) => {
            let place = match &sample.place {
                Place::Table(table) => format!("table = {}", quoted(&table_text(table))),
                Place::Path(path) => format!("path = {}", quoted(path)),
            };
            let setting = format!(
                "stored = {{ {place}, user = {}, balance = {} }}",
                quoted(&roles.user),
                quoted(&roles.balance)
            );
            lines.line(&setting, "");
        }
        None => lines.comment(
            "stored = { table = \"public.user_profiles\", user = \"user_id\", balance = \"tokens_remaining\" }",
        ),
    }
    lines.text("failed_usage", "ignore", "or count: failed operations take tokens too");
    match stored.and_then(|(sample, roles)| opening_tokens(sample, roles)) {
        Some(tokens) => lines.line(
            &format!("opening_tokens = {tokens}"),
            "given at sign-up without a row: the default of the balance",
        ),
        None => lines.line("opening_tokens = 0", "given at sign-up without a row"),
    }
    lines.text("floor", "debt", "or clamp: a balance stops at zero");
}

/// What a new user has before the first row is written.
fn opening_tokens(sample: &Sample, roles: &StoredRoles) -> Option<i64> {
    let balance = sample.columns.iter().find(|column| column.name == roles.balance)?;
    balance.default.filter(|tokens| *tokens > 0)
}
