//! From the configuration as written to the checked types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_spanned::Spanned;

use super::error::{Fault, nearest};
use super::policy::policies;
use super::raw::{
    RawAudit, RawBackfill, RawBalances, RawColumns, RawConfig, RawLegacy, RawMatching, RawPools, RawStored,
    RawUnified, Text,
};
use super::section::{Section, duration, known_labels};
use super::value::parse_instant;
use super::{
    AuditPacks, Backfill, Balances, Config, ConfigError, LegacyConfig, LegacyMeaning, Literal, Matching,
    Origin, Pools, Repair, SignPolicy, Stored, UnifiedConfig, nightly,
};
use crate::domain::{Instant, Span};

const SECOND: i64 = 1_000_000;

/// Reads and checks a configuration file.
///
/// # Errors
/// [`ConfigError`] with file, line and column.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    let bytes = std::fs::read(file).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => ConfigError::Missing { file: file.to_owned() },
        _ => ConfigError::Unreadable { file: file.to_owned(), cause },
    })?;
    parse(file, text_of(file, &bytes)?)
}

/// The text of a file, whose encoding has to be UTF-8.
fn text_of<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, ConfigError> {
    let wrong =
        |before: &str, message: String| Fault::new(before.len()..before.len(), message).at(file, before);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(wrong("", "the file is UTF-16: save it as UTF-8".to_owned()));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        wrong(before, format!("the byte 0x{byte:02X} here is not UTF-8: save the file as UTF-8"))
    })
}

/// Checks a configuration text as if it stood in `file`.
///
/// # Errors
/// [`ConfigError`] with file, line and column.
pub fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let checked = toml::from_str(text).map_err(Fault::from).and_then(|raw| resolve(file, text, &raw));
    checked.map_err(|fault| fault.at(file, text))
}

fn resolve(file: &Path, text: &str, raw: &RawConfig) -> Result<Config, Fault> {
    let folder = file.parent().unwrap_or(Path::new(""));
    if let Some(spark) = &raw.engine.spark {
        return Err(Fault::new(
            spark.span(),
            "[engine] spark: running on a cluster is not available yet; remove the key to run on this machine",
        ));
    }
    let legacy = raw.legacy.as_ref().ok_or_else(|| missing_section("legacy", "old"))?;
    let unified = raw.unified.as_ref().ok_or_else(|| missing_section("unified", "new"))?;
    let unified_config = unified_side(folder, unified)?;
    let legacy_config = legacy_side(folder, legacy, &unified_config)?;
    apart(&legacy_config.columns.origin, &unified_config.columns.origin, legacy.get_ref(), unified)?;
    Ok(Config {
        file: file.to_owned(),
        digest: digest(text),
        as_of: raw.as_of.as_ref().map(as_of).transpose()?,
        legacy: legacy_config,
        matching: matching(&raw.matching)?,
        balances: balances(folder, &raw.balances, &unified_config)?,
        repair: Repair { time: raw.repair.time, allow_triggers: raw.repair.allow_triggers },
        backfill: backfill(&raw.backfill)?,
        history: nightly::history(folder, &raw.history)?,
        notify: raw.notify.as_ref().map(|raw| nightly::notify(folder, raw)).transpose()?,
        cutover: nightly::cutover(&raw.cutover)?,
        audit: audit(folder, &raw.audit)?,
        postgres: nightly::postgres(&raw.postgres)?,
        unified: unified_config,
    })
}

fn digest(text: &str) -> String {
    crate::sha256::sha256(text).hex()
}

fn missing_section(name: &str, which: &str) -> Fault {
    Fault::new(
        0..0,
        format!(
            "there is no section [{name}]: say in it where the {which} table is and what its columns are called"
        ),
    )
}

fn as_of(value: &Spanned<toml::Value>) -> Result<Instant, Fault> {
    let text = match value.get_ref() {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(at) => at.to_string(),
        other => other.to_string(),
    };
    parse_instant(&text).map_err(|why| Fault::new(value.span(), format!("as_of: {why}")))
}

// ---- [unified] --------------------------------------------------------------------------------

fn unified_side(folder: &Path, raw: &Spanned<RawUnified>) -> Result<UnifiedConfig, Fault> {
    let section = Section { name: "unified", span: raw.span() };
    let raw = raw.get_ref();
    let mut columns = section.columns(folder, raw.columns())?;
    columns.success = section.optional_field("success", raw.success.as_ref())?;
    columns.link = section.optional_field("link", raw.link.as_ref())?;
    columns.migrated = section.optional_field("migrated", raw.migrated.as_ref())?;
    let mut seen = BTreeMap::new();
    let listed = section.needs("grants", "the labels that add to a balance", raw.grants.as_ref())?;
    if listed.get_ref().is_empty() {
        return Err(Fault::new(
            listed.span(),
            "[unified] grants is empty: list the labels that add to a balance",
        ));
    }
    let grants = labels("grants", Some(listed), &mut seen)?;
    let deductions = labels("deductions", raw.deductions.as_ref(), &mut seen)?;
    let usage = match &raw.usage {
        Some(usage) => Some(labels("usage", Some(usage), &mut seen)?),
        None => None,
    };
    let known: Vec<&str> = grants.iter().chain(&deductions).map(String::as_str).collect();
    let unified_only = known_labels("[unified] unified_only", raw.unified_only.as_ref(), &known)?;
    Ok(UnifiedConfig { columns, grants, deductions, usage, unified_only })
}

/// Labels of one list, none of which may stand in another list (`seen`: label → list).
fn labels(
    list: &'static str,
    raw: Option<&Spanned<Vec<Text>>>,
    seen: &mut BTreeMap<String, &'static str>,
) -> Result<Vec<String>, Fault> {
    let mut labels = Vec::new();
    for text in raw.map(Spanned::get_ref).into_iter().flatten() {
        let label = text.get_ref();
        let fault = |message: String| Err(Fault::new(text.span(), message));
        if label.is_empty() {
            return fault(format!("[unified] {list}: an empty text is no label, remove it"));
        }
        if matches!(label.as_str(), "usage" | "ignore") && list != "usage" {
            return fault(format!(
                "[unified] {list}: \"{label}\" cannot be the name of an action, since [legacy.actions] gives the word another meaning"
            ));
        }
        if let Some(other) = seen.insert(label.clone(), list) {
            return fault(if other == list {
                format!("[unified] {list}: \"{label}\" is listed twice, remove one")
            } else {
                format!(
                    "[unified] {list}: \"{label}\" is in `{other}` too; a label adds, takes or uses, so keep it in one list"
                )
            });
        }
        labels.push(label.clone());
    }
    Ok(labels)
}

// ---- [legacy] ---------------------------------------------------------------------------------

fn legacy_side(
    folder: &Path,
    raw: &Spanned<RawLegacy>,
    unified: &UnifiedConfig,
) -> Result<LegacyConfig, Fault> {
    let section = Section { name: "legacy", span: raw.span() };
    let raw = raw.get_ref();
    let signs = [
        ("by_action", SignPolicy::ByAction),
        ("positive", SignPolicy::Positive),
        ("negative", SignPolicy::Negative),
    ];
    let sign =
        raw.sign.as_ref().map_or(Ok(SignPolicy::ByAction), |sign| section.word("sign", sign, &signs))?;
    let actions = match &raw.actions {
        Some(written) => meanings(written, unified)?,
        None => unified
            .grants
            .iter()
            .chain(&unified.deductions)
            .map(|action| (action.clone(), LegacyMeaning::Action(action.clone())))
            .collect(),
    };
    Ok(LegacyConfig { columns: section.columns(folder, raw.columns())?, sign, actions })
}

fn meanings(
    written: &BTreeMap<Text, Text>,
    unified: &UnifiedConfig,
) -> Result<BTreeMap<String, LegacyMeaning>, Fault> {
    let mut meanings = BTreeMap::new();
    let mut known: Vec<&str> = unified.grants.iter().chain(&unified.deductions).map(String::as_str).collect();
    known.extend(["usage", "ignore"]);
    for (label, meaning) in written {
        let word = meaning.get_ref().as_str();
        let resolved = match word {
            "usage" => LegacyMeaning::Usage,
            "ignore" => LegacyMeaning::Ignore,
            _ if known.contains(&word) => LegacyMeaning::Action(word.to_owned()),
            _ => {
                let is_usage = unified.usage.iter().flatten().any(|usage| usage == word);
                let near =
                    if is_usage { "usage" } else { nearest(word, known.iter().copied()).unwrap_or_default() };
                let message = format!(
                    "[legacy.actions] \"{}\": \"{word}\" is no unified action, the nearest is \"{near}\" (a grant or deduction of [unified], \"usage\" or \"ignore\")",
                    label.get_ref()
                );
                return Err(Fault::new(meaning.span(), message));
            }
        };
        meanings.insert(label.get_ref().clone(), resolved);
    }
    Ok(meanings)
}

/// Says no to one source for both sides, which would be compared with itself and found clean, and to one
/// table for both, into which SQL would insert what stands there already. Where no `table` says what files
/// stand for, a run asks: a configuration as it is proposed can be read all the same.
fn apart(
    legacy: &Origin,
    unified: &Origin,
    raw_legacy: &RawLegacy,
    raw: &Spanned<RawUnified>,
) -> Result<(), Fault> {
    let named = |key: Option<&Text>| key.map_or_else(|| raw.span(), Spanned::span);
    let RawColumns { table, path, .. } = raw.get_ref().columns();
    let own = "a ledger that is compared with itself never differs";
    match (legacy, unified) {
        (Origin::Files { pattern, .. }, Origin::Files { pattern: same, .. }) if pattern == same => {
            let message = format!(
                "[unified] path: \"{same}\" is the path of [legacy] too, and {own}: name the files of the \
                 unified table"
            );
            Err(Fault::new(named(path), message))
        }
        (Origin::Table(old), Origin::Table(new)) if old.is_same(new) => {
            let message = format!(
                "[unified] table: {new} is the table of [legacy] too, and {own}: name the unified table"
            );
            Err(Fault::new(named(table), message))
        }
        _ if (table.is_some() || raw_legacy.columns().table.is_some())
            && legacy.target().is_same(unified.target()) =>
        {
            let message = format!(
                "[unified] table: SQL would write into {}, which is the legacy table too (without `table`, a \
                 table is called as its file): write `table = \"schema.name\"` in both sections",
                unified.target()
            );
            Err(Fault::new(named(table.or(path)), message))
        }
        _ => Ok(()),
    }
}

// ---- the other sections -----------------------------------------------------------------------

fn matching(raw: &RawMatching) -> Result<Matching, Fault> {
    let tolerance = duration("matching", "tolerance", raw.tolerance.as_ref(), Span(2 * SECOND))?;
    let window = duration("matching", "window", raw.window.as_ref(), Span(24 * 3600 * SECOND))?;
    let settle = duration("matching", "settle", raw.settle.as_ref(), Span(300 * SECOND))?;
    if window < tolerance {
        let span = raw.window.as_ref().or(raw.tolerance.as_ref()).map_or(0..0, Spanned::span);
        return Err(Fault::new(
            span,
            "[matching] window is smaller than tolerance: a partner within the tolerance would lie outside the window; raise window or lower tolerance",
        ));
    }
    Ok(Matching { tolerance, window, settle })
}

fn balances(folder: &Path, raw: &RawBalances, unified: &UnifiedConfig) -> Result<Balances, Fault> {
    let policies = policies(raw, unified)?;
    Ok(Balances {
        stored: raw.stored.as_ref().map(|raw| stored(folder, raw)).transpose()?,
        count_failed_usage: policies[0].count_failed_usage,
        opening_tokens: policies[0].opening_tokens,
        policies,
        pools: raw.pools.as_ref().map(|raw| pools(folder, raw)).transpose()?,
    })
}

fn stored(folder: &Path, raw: &Spanned<RawStored>) -> Result<Stored, Fault> {
    let section = Section { name: "balances.stored", span: raw.span() };
    let raw = raw.get_ref();
    let several = [("error", false), ("sum", true)];
    Ok(Stored {
        origin: section.origin(folder, raw.table.as_ref(), raw.path.as_ref())?,
        user: section
            .field("user", section.needs("user", "the column of the user id", raw.user.as_ref())?)?,
        balance: section
            .field("balance", section.needs("balance", "the column of the tokens", raw.balance.as_ref())?)?,
        sum_rows: raw
            .several_rows
            .as_ref()
            .map_or(Ok(false), |word| section.word("several_rows", word, &several))?,
    })
}

fn pools(folder: &Path, raw: &Spanned<RawPools>) -> Result<Pools, Fault> {
    let section = Section { name: "balances.pools", span: raw.span() };
    let raw = raw.get_ref();
    Ok(Pools {
        origin: section.origin(folder, raw.table.as_ref(), raw.path.as_ref())?,
        user: section.field("user", section.needs("user", "the column of the member", raw.user.as_ref())?)?,
        pool: section.field("pool", section.needs("pool", "the column of the pool", raw.pool.as_ref())?)?,
        owner: section.optional_field("owner", raw.owner.as_ref())?,
        from: section.optional_field("from", raw.from.as_ref())?,
        to: section.optional_field("to", raw.to.as_ref())?,
        timezone: raw.timezone.as_ref().map_or(Ok(chrono_tz::Tz::UTC), |zone| section.zone(zone))?,
    })
}

fn backfill(raw: &RawBackfill) -> Result<Backfill, Fault> {
    let mut values = BTreeMap::new();
    for (column, value) in &raw.values {
        let literal = match value.get_ref() {
            toml::Value::String(text) => Literal::Text(text.clone()),
            toml::Value::Integer(number) => Literal::Integer(*number),
            toml::Value::Float(number) if number.is_finite() => Literal::Decimal(*number),
            toml::Value::Boolean(flag) => Literal::Boolean(*flag),
            _ => {
                let message = format!(
                    "[backfill] values.{}: write a text, a number, true or false (a time stands in quotes)",
                    column.get_ref()
                );
                return Err(Fault::new(value.span(), message));
            }
        };
        values.insert(column.get_ref().clone(), literal);
    }
    Ok(Backfill { values })
}

fn audit(folder: &Path, raw: &RawAudit) -> Result<AuditPacks, Fault> {
    let Some(written) = &raw.folder else { return Ok(AuditPacks { folder: PathBuf::from("reports/audit") }) };
    if written.get_ref().trim().is_empty() {
        return Err(Fault::new(
            written.span(),
            "[audit] folder is empty: name the folder of the audit packs",
        ));
    }
    Ok(AuditPacks { folder: folder.join(written.get_ref()) })
}
