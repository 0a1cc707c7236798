//! `reckon simulate`: a synthetic pair of ledgers with known truth.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::{Global, out};
use crate::config::parse_instant;
use crate::report::figures::counted;
use crate::simulate::{AS_OF, Defect, Format, Made, Settings, Shape, simulate};

/// 1980 and 2200: the longest ledger is still after 1970.
const FIRST_AS_OF: i64 = 315_532_800_000_000;
const LAST_AS_OF: i64 = 7_258_118_400_000_000;

/// Flags of `reckon simulate`.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Writes token_transactions, token_usage, user_profiles and household_members as \
CSV, Parquet or SQL (--format csv, parquet or sql; then psql -f load.sql), a reckon.toml that reads them, and what is true: truth.csv has what \
must become of each legacy row and each unified grant or deduction, truth_findings.csv every finding that \
`reckon reconcile` must find, no more and no less, truth_balances.csv every balance with the causes of its \
gap. The same flags give the same bytes.\n\nKinds of defect: unmigrated, unmigrated_deduction, \
amount_mismatch, action_mismatch, time_mismatch, uniform_shift, bulk_stamp, other_user, replay, \
source_replay, double_backfill, dual_write_copy, dedupe_without_action, k_vs_m, m_vs_k, phantom, orphan, \
plug, split, merge, mislabelled_purchase, webhook_label, sign_era, unmapped_action, rejected_row; what no \
program can decide: contested_missing, contested_copy; about balances: balance_gap, never_decremented, \
failed_counted, negative_balance; policies that explain a gap, and set the configuration: opening, reset, \
clamp, expired, pool; honest oddities that must give no finding: honest_twins, greedy_trap, \
zero_and_failed, legacy_usage, future, pending, two_profiles. `duplicate`, `source_duplicate`, \
`user_mismatch`, `split_grant` and `contested` stand for all their kinds; -KIND leaves one out \
(`--defects all,-clamp`). The kinds take turns among the users that have some; negative_balance, reset, \
clamp, expired and pool stand alone.\n\nA table that has lost users between two runs: the same flags again \
with --vanished 0.01. Stored balances are read from a database only with an as-of that is not past: give \
--as-of a later day with --format sql."
)]
pub struct Args {
    /// How many users
    #[arg(long, value_name = "N")]
    pub users: u64,
    /// Decides every number
    #[arg(long, value_name = "S")]
    pub seed: u64,
    /// Length of the ledgers in months, 1 to 120
    #[arg(long, value_name = "M", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub months: u32,
    /// End of the ledgers, RFC 3339 or a date [default: 2026-09-01T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Kinds of defect, with commas between them; all, none, -KIND
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "all",
        allow_hyphen_values = true
    )]
    pub defects: Vec<String>,
    /// Share of users with a defect, 0 to 1
    #[arg(long, value_name = "R", default_value_t = 0.05)]
    pub rate: f64,
    /// Kinds of defect that such a user has, at most
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub per_user: u32,
    /// Shares of users of some kinds, apart from --rate: KIND=R, with commas between them
    #[arg(long, value_name = "KIND=R", value_delimiter = ',')]
    pub defect_share: Vec<String>,
    /// Share of users who are left out, as if deleted
    #[arg(long, value_name = "R", default_value_t = 0.0)]
    pub vanished: f64,
    /// Usage rows after each grant, on average
    #[arg(long, value_name = "ROWS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub usage: u32,
    /// The legacy table: a (transaction_type and source) or b (an enum, with payments)
    #[arg(long, value_name = "SHAPE", default_value = "b", value_parser = ["a", "b"])]
    pub shape: String,
    /// Threads; the bytes do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub threads: Option<u16>,
    /// New folder to write into
    #[arg(long, value_name = "DIR", default_value = "simulated")]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// An unknown kind of defect, a rate that is no share, a folder that is not empty, the disk.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let settings = settings(args, global)?;
    let made = simulate(&settings, &args.out, &|| global.progress.is_stopped())?;
    let text = if global.json() { json(args, &made) } else { sentence(args, &settings, &made) };
    out::print(&text)?;
    Ok(0)
}

fn settings(args: &Args, global: &Global) -> anyhow::Result<Settings> {
    let share = |flag: &str, value: f64| {
        if (0.0..=1.0).contains(&value) {
            Ok(value)
        } else {
            bail!("{flag} {value} is no share: write a number from 0 to 1")
        }
    };
    let mut shares = Vec::new();
    for pair in args.defect_share.iter().map(|pair| pair.trim()).filter(|pair| !pair.is_empty()) {
        let (word, value) =
            pair.split_once('=').with_context(|| format!("--defect-share {pair}: write KIND=SHARE"))?;
        let value: f64 =
            value.parse().with_context(|| format!("--defect-share {pair}: {value} is no number"))?;
        for kind in Defect::parse(word)? {
            shares.push((kind, share("--defect-share", value)?));
        }
    }
    let as_of = match &args.as_of {
        Some(text) => {
            let whole = if text.contains('T') { text.clone() } else { format!("{text}T00:00:00Z") };
            match parse_instant(&whole) {
                Ok(at) if (FIRST_AS_OF..LAST_AS_OF).contains(&at.0) => at.0,
                Ok(_) => bail!("--as-of {text}: write a day from 1980 to 2200"),
                Err(cause) => bail!("--as-of {text}: {cause}"),
            }
        }
        None => AS_OF,
    };
    Ok(Settings {
        users: args.users,
        seed: args.seed,
        months: args.months,
        as_of,
        rate: share("--rate", args.rate)?,
        per_user: args.per_user,
        shares,
        usage_rows: args.usage,
        defects: Defect::parse_list(args.defects.iter().map(String::as_str))?,
        vanished: share("--vanished", args.vanished)?,
        shape: if args.shape == "a" { Shape::A } else { Shape::B },
        format: match global.format {
            Some(super::Format::Parquet) => Format::Parquet,
            Some(super::Format::Sql) => Format::Sql,
            _ => Format::Csv,
        },
        threads: match args.threads {
            Some(threads) => usize::from(threads),
            None => crate::cores::count(),
        },
    })
}

fn json(args: &Args, made: &Made) -> String {
    let figures = serde_json::json!({
        "config": args.out.join("reckon.toml").display().to_string(),
        "users": made.users,
        "legacy_rows": made.legacy_rows,
        "unified_rows": made.unified_rows,
        "users_with_defect": made.users_with_defect,
        "findings": made.findings,
    });
    format!("{figures:#}\n")
}

fn sentence(args: &Args, settings: &Settings, made: &Made) -> String {
    let load = if settings.format == Format::Sql {
        format!("psql -f {}; ", args.out.join("load.sql").display())
    } else {
        String::new()
    };
    format!(
        "{}, {}; {} of {} with a planted kind, {} to be found\n\
         truth in {}; next: {load}reckon reconcile --config {}\n",
        counted(made.legacy_rows, "legacy row", "legacy rows"),
        counted(made.unified_rows, "unified row", "unified rows"),
        made.users_with_defect,
        counted(args.users, "user", "users"),
        counted(made.findings, "finding", "findings"),
        args.out.join("truth.csv").display(),
        args.out.join("reckon.toml").display(),
    )
}
