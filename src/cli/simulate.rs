//! `reckon simulate`: a synthetic pair of ledgers with known truth.

use std::path::PathBuf;

use anyhow::bail;

use super::{Global, out};
use crate::simulate::{Defect, Settings, simulate};

/// Flags of `reckon simulate`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Writes token_transactions.csv, token_usage.csv, user_profiles.csv, a \
reckon.toml that reads them, and truth.csv: every finding that `reckon reconcile` must find, no more and \
no less, with its class, severity and repair. The same flags give the same bytes. Kinds of defect: \
unmigrated, unmigrated_deduction, amount_mismatch, action_mismatch, time_mismatch, uniform_shift, \
bulk_stamp, other_user, replay, source_replay, double_backfill, dual_write_copy, k_vs_m, m_vs_k, phantom, \
orphan, plug, split, merge, mislabelled_purchase, webhook_label, sign_era, unmapped_action, rejected_row, \
balance_gap; and honest oddities that must give no finding: honest_twins, greedy_trap, zero_and_failed. \
`duplicate`, `source_duplicate`, `user_mismatch` and `split_grant` stand for all their kinds. A user has \
one defect at most; the kinds take turns.")]
pub struct Args {
    /// How many users
    #[arg(long, value_name = "N")]
    pub users: u64,
    /// Decides every number
    #[arg(long, value_name = "S")]
    pub seed: u64,
    /// Length of the ledgers in months, 6 to 120
    #[arg(long, value_name = "M", default_value_t = 14, value_parser = clap::value_parser!(u32).range(6..=120))]
    pub months: u32,
    /// Kinds of defect, with commas between them; all, none
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "all")]
    pub defects: Vec<String>,
    /// Share of users with a defect, 0 to 1
    #[arg(long, value_name = "R", default_value_t = 0.05)]
    pub rate: f64,
    /// Usage rows after each grant, on average
    #[arg(long, value_name = "ROWS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub usage: u32,
    /// New folder to write into
    #[arg(long, value_name = "DIR", default_value = "simulated")]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// An unknown kind of defect, a rate that is no share, a folder that is not empty, the disk.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    if !(0.0..=1.0).contains(&args.rate) {
        bail!("--rate {} is no share: write a number from 0 to 1", args.rate);
    }
    let mut defects = Vec::new();
    for word in &args.defects {
        defects.extend(Defect::parse(word.trim())?);
    }
    defects.sort_unstable();
    defects.dedup();
    let settings = Settings {
        users: args.users,
        seed: args.seed,
        months: args.months,
        rate: args.rate,
        usage_rows: args.usage,
        defects,
    };
    let made = simulate(&settings, &args.out)?;
    let config = args.out.join("reckon.toml");
    let text = if global.json() {
        let figures = serde_json::json!({
            "config": config.display().to_string(),
            "legacy_rows": made.legacy_rows,
            "unified_rows": made.unified_rows,
            "users_with_defect": made.users_with_defect,
            "findings": made.findings,
        });
        format!("{figures:#}\n")
    } else {
        format!(
            "{} legacy rows, {} unified rows; {} of {} users with a planted kind, {} findings to be found\n\
             truth in {}; next: reckon reconcile --config {}\n",
            made.legacy_rows,
            made.unified_rows,
            made.users_with_defect,
            args.users,
            made.findings,
            args.out.join("truth.csv").display(),
            config.display(),
        )
    };
    out::print(&text)?;
    Ok(0)
}
