//! The frozen numbers of a run. Every file and the terminal only draw this.

use crate::audit::{Audit, Conservation, RunVerdict, SideConservation};
use crate::balance::{Balances, GapCause, SnapshotColumn, UserBalance};
use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{
    Books, Finding, Instant, Outcome, Population, Roster, Rule, Severity, Side, SignCell, Span, Status, Total,
};
use crate::history::lifecycle::Lifecycle;
use crate::history::waivers::Accepted;
use crate::history::{PastRun, Shrunk};
use crate::matching::Calibration;
use crate::normalise::SettledRows;
use crate::repair::{Mended, SqlFile};
use crate::sha256::Sha256;
use crate::source::{Provenance, Snapshot};

use super::advice::{self, AdviceText};
use super::causes::{self, CauseTotals};
use super::classes::{self, ClassTotals};
use super::gap_causes::{self, ExplanationTotals, GapCauseTotals};

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// Checked configuration.
    pub config: &'a Config,
    /// Both ledgers.
    pub books: &'a Books,
    /// Findings, pairs, dispositions, conservation.
    pub audit: &'a Audit,
    /// Balances by user.
    pub balances: &'a Balances,
    /// What the lags show, and which settings would explain more.
    pub calibration: &'a Calibration,
    /// Where the legacy rows came from.
    pub legacy: &'a Provenance,
    /// Where the unified rows came from.
    pub unified: &'a Provenance,
    /// Where the stored balances came from.
    pub stored: Option<&'a Provenance>,
    /// Where the members of pools came from.
    pub pools: Option<&'a Provenance>,
    /// The moment all database reads saw.
    pub snapshot: Option<&'a Snapshot>,
    /// SQL files that stand beside the report.
    pub sql: &'a [SqlFile],
    /// What they do; `None` where there are none.
    pub mended: Option<Mended>,
    /// What a reader must know: one sentence each.
    pub warnings: Vec<String>,
    /// The run before this one, where a history is kept.
    pub previous: Option<Previous>,
    /// All findings that the history had, this run included; `None`: no history is kept.
    pub lifecycle: Option<&'a Lifecycle>,
    /// The runs before this one, ascending by time.
    pub runs: &'a [PastRun],
    /// What the waivers mean for this run.
    pub accepted: &'a Accepted,
    /// Rows that are in no books any more.
    pub settled: Option<&'a SettledRows>,
}

/// The run before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Name of its directory.
    pub name: String,
    /// SHA-256 of its `manifest.json`, lower-case hexadecimal.
    pub manifest_digest: String,
    /// Rows and users that it had and this run has not.
    pub shrunk: Shrunk,
}

/// Everything that the files and the terminal show.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    /// Version of the program.
    pub version: &'static str,
    /// Eight hexadecimal digits over configuration, inputs, findings and the run before: the same in
    /// every run over the same data that follows the same run.
    pub run_id: String,
    /// The instant of the reconciliation.
    pub as_of: Instant,
    /// The result.
    pub verdict: RunVerdict,
    /// Unwaived findings of severity `error`.
    pub blocking: u64,
    /// The result in one or two sentences.
    pub sentence: String,
    /// Zones of timestamps without one: legacy, unified.
    pub timezones: [String; 2],
    /// |lag| of a good pair.
    pub tolerance: Span,
    /// How far a mismatched partner may lie.
    pub window: Span,
    /// Younger unpaired rows are pending.
    pub settle: Span,
    /// What was read: legacy, unified, stored balances.
    pub inputs: Vec<Input<'a>>,
    /// The moment all database reads saw.
    pub snapshot: Option<&'a Snapshot>,
    /// Rows by class: legacy.
    pub legacy_population: &'a Population,
    /// Rows by class: unified.
    pub unified_population: &'a Population,
    /// What became of the rows: legacy.
    pub legacy_outcomes: Vec<(OutcomeName, Total)>,
    /// What became of the rows: unified.
    pub unified_outcomes: Vec<(OutcomeName, Total)>,
    /// Pairs by rung.
    pub pairs: &'a [(Rule, Total)],
    /// All findings, in order.
    pub findings: &'a [Finding],
    /// Findings by class: all classes, in order.
    pub classes: Vec<ClassTotals>,
    /// Findings by root cause, the weightiest (rows, then tokens) first; only where a cause is known.
    pub causes: Vec<CauseTotals>,
    /// Distribution of lags (`lags`, `lags_by_rung`, `buckets`) and pairs as a function of the
    /// tolerance (`curve`).
    pub calibration: &'a Calibration,
    /// What would explain more than the configuration does, in words; the weightiest first.
    pub advice: Vec<AdviceText>,
    /// All users.
    pub roster: &'a Roster,
    /// Balances, ascending by user.
    pub users: &'a [UserBalance],
    /// Balances in total.
    pub balances: BalanceTotals,
    /// Rows and tokens in and out.
    pub conservation: Conservation,
    /// What is new since the run before.
    pub history: HistoryTotals,
    /// All findings that the history had, this run included; `None`: no history is kept.
    pub lifecycle: Option<&'a Lifecycle>,
    /// The runs before this one, ascending by time.
    pub runs: &'a [PastRun],
    /// What the waivers mean for this run.
    pub accepted: &'a Accepted,
    /// Digest of the manifest of the run before.
    pub previous_manifest: Option<String>,
    /// Sign × label × month of the legacy table.
    pub signs: &'a [SignCell],
    /// What the balance columns beside the rows mean, tested.
    pub snapshots: &'a [SnapshotColumn],
    /// What a reader must know.
    pub warnings: Vec<String>,
    /// SQL files.
    pub sql: &'a [SqlFile],
    /// SHA-256 of the configuration file.
    pub config_digest: &'a str,
    /// The whole audit, for the row-level files.
    pub audit: &'a Audit,
    /// Both ledgers, for the row-level files.
    pub books: &'a Books,
    /// Rows that are in no books any more, for `dispositions.parquet`.
    pub settled: Option<&'a SettledRows>,
}

/// One input with its provenance.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// `legacy`, `unified`, `stored` or `pools`.
    pub role: &'static str,
    /// What was read.
    pub provenance: &'a Provenance,
}

/// What became of a group of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutcomeName {
    /// One outcome of `dispositions.parquet`.
    Row(Outcome),
    /// Usage that was added up without being listed.
    Folded,
}

impl OutcomeName {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            OutcomeName::Row(outcome) => outcome.name(),
            OutcomeName::Folded => "usage_folded",
        }
    }
}

/// Balances in total. What needs stored balances is `None` without them: unknown is not zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceTotals {
    /// Users on either side.
    pub users: u64,
    /// Users with a stored balance.
    pub users_with_stored: Option<u64>,
    /// Users whose stored balance is not the recomputed one.
    pub users_with_gap: Option<u64>,
    /// Sum of the gaps, with their signs: the sum of the column `gap`.
    pub gap_tokens: Option<i128>,
    /// Sum of the gaps without their signs.
    pub gap_tokens_absolute: Option<i128>,
    /// Sum of the unexplained parts, with their signs: the sum of the column `unexplained`.
    pub unexplained_tokens: Option<i128>,
    /// Sum of the unexplained parts without their signs: the headline of every report.
    pub unexplained_tokens_absolute: Option<i128>,
    /// Users by how their gap is explained; `None` without stored balances.
    pub explanations: Option<ExplanationTotals>,
    /// Sum of the column `granted`.
    pub granted: i128,
    /// Sum of the column `deducted`.
    pub deducted: i128,
    /// Sum of the column `used`.
    pub used: i128,
    /// Sum of the column `recomputed`.
    pub recomputed: i128,
    /// Sum of the column `corrected`.
    pub corrected: i128,
    /// Sum of the column `stored`.
    pub stored: Option<i128>,
    /// Sum of the column `recomputed` over the users with a stored balance: what `stored` less the
    /// gaps gives.
    pub recomputed_with_stored: Option<i128>,
    /// Tokens by cause of a gap, over the users with one, in the order of [`GapCause::ALL`].
    pub causes: Vec<(GapCause, i128)>,
    /// The same by what is behind a cause, with the number of users; those of most users first.
    pub gap_causes: Vec<GapCauseTotals>,
}

/// What is new since the run before. Waived findings count as neither new nor open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryTotals {
    /// Name of the run before.
    pub previous: Option<String>,
    /// Findings that it did not have.
    pub new: u64,
    /// Findings that it had too.
    pub open: u64,
    /// Findings that it had and this run has not.
    pub resolved: u64,
    /// Findings that had been resolved and are there again; they are among the new ones.
    pub reopened: u64,
    /// Findings that it had too, and that say something else now.
    pub changed: u64,
    /// Findings whose waiver has lapsed since; they are among the open ones.
    pub lapsed: u64,
    /// Findings that a waiver accepts.
    pub waived: u64,
    /// Rows and users that it had and this run has not.
    pub shrunk: Shrunk,
}

/// Freezes the numbers of a run.
pub fn build(inputs: Inputs<'_>) -> Model<'_> {
    let audit = inputs.audit;
    let mut sources = vec![
        Input { role: Side::Legacy.name(), provenance: inputs.legacy },
        Input { role: Side::Unified.name(), provenance: inputs.unified },
    ];
    sources.extend(inputs.stored.map(|provenance| Input { role: "stored", provenance }));
    sources.extend(inputs.pools.map(|provenance| Input { role: "pools", provenance }));
    // There may be a million findings, and each of these looks at all of them.
    let (causes, (classes, counts, run_id)) = at_once(
        || causes::totals(&audit.findings, inputs.books, inputs.calibration),
        || (classes::totals(&audit.findings), Counts::of(&audit.findings), run_id(&inputs, &sources)),
    );
    let blocking = counts.blocking;
    let paired = audit.pair_totals.iter().map(|(_, total)| total.rows).sum();
    let verdict = if blocking == 0 { RunVerdict::Clean } else { RunVerdict::Discrepancies };
    let matching = inputs.config.matching;
    Model {
        version: env!("CARGO_PKG_VERSION"),
        run_id,
        as_of: inputs.books.as_of,
        verdict,
        blocking,
        sentence: classes::sentence(
            &classes,
            blocking,
            classes::Pairs {
                rows: paired,
                contradicted: audit.contradicted.as_ref().map_or(0, |it| it.pairs),
            },
            inputs.mended,
        ),
        timezones: [
            inputs.config.legacy.columns.timezone.name().to_owned(),
            inputs.config.unified.columns.timezone.name().to_owned(),
        ],
        tolerance: matching.tolerance,
        window: matching.window,
        settle: matching.settle,
        inputs: sources,
        snapshot: inputs.snapshot,
        legacy_population: &audit.legacy_population,
        unified_population: &audit.unified_population,
        legacy_outcomes: outcomes(&audit.outcomes[0], inputs.books.legacy.folded),
        unified_outcomes: outcomes(&audit.outcomes[1], inputs.books.unified.folded),
        pairs: &audit.pair_totals,
        findings: &audit.findings,
        causes,
        calibration: inputs.calibration,
        advice: advice::texts(inputs.calibration, inputs.config),
        roster: &inputs.books.roster,
        users: &inputs.balances.users,
        balances: balance_totals(inputs.balances, inputs.books),
        conservation: audit.conservation,
        history: HistoryTotals::of(&inputs, counts),
        lifecycle: inputs.lifecycle,
        runs: inputs.runs,
        accepted: inputs.accepted,
        previous_manifest: inputs.previous.map(|previous| previous.manifest_digest),
        signs: &inputs.books.legacy.signs,
        snapshots: &inputs.balances.snapshots,
        warnings: inputs.warnings,
        sql: inputs.sql,
        config_digest: &inputs.config.digest,
        classes,
        audit,
        books: inputs.books,
        settled: inputs.settled,
    }
}

impl HistoryTotals {
    fn of(inputs: &Inputs<'_>, Counts { new, open, waived, .. }: Counts) -> HistoryTotals {
        let lives = inputs.lifecycle;
        let previous = inputs.previous.as_ref();
        HistoryTotals {
            new,
            open,
            resolved: lives.map_or(0, |lives| lives.resolved_now().count() as u64),
            reopened: lives.map_or(0, |lives| lives.reopened().count() as u64),
            changed: lives.map_or(0, |lives| lives.changed().count() as u64),
            lapsed: lives.map_or(0, |lives| lives.lapsed().count() as u64),
            waived,
            previous: previous.map(|previous| previous.name.clone()),
            shrunk: previous.map(|previous| previous.shrunk.clone()).unwrap_or_default(),
        }
    }
}

impl Model<'_> {
    /// The exit code that the verdict means: 0 clean, 1 discrepancies.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            RunVerdict::Clean => 0,
            RunVerdict::Discrepancies => 1,
        }
    }

    /// `csv`, `parquet` or `postgres` when both tables come from the same kind, else `mixed`.
    pub fn source_kind(&self) -> &'static str {
        let [legacy, unified] = [self.inputs[0].provenance.kind, self.inputs[1].provenance.kind];
        if legacy == unified { legacy } else { "mixed" }
    }

    /// Both zones where they differ, else the one.
    pub fn timezone(&self) -> String {
        let [legacy, unified] = &self.timezones;
        if legacy == unified { legacy.clone() } else { format!("{legacy} (legacy), {unified} (unified)") }
    }

    /// Conservation of one side.
    pub fn side(&self, side: Side) -> SideConservation {
        match side {
            Side::Legacy => self.conservation.legacy,
            Side::Unified => self.conservation.unified,
        }
    }
}

/// Findings that keep the run from being clean, and findings by status.
#[derive(Default)]
struct Counts {
    blocking: u64,
    new: u64,
    open: u64,
    waived: u64,
}

impl Counts {
    fn of(findings: &[Finding]) -> Counts {
        let mut counts = Counts::default();
        for finding in findings {
            counts.blocking +=
                u64::from(finding.severity == Severity::Error && finding.status != Status::Waived);
            match finding.status {
                Status::New => counts.new += 1,
                Status::Open => counts.open += 1,
                Status::Waived => counts.waived += 1,
            }
        }
        counts
    }
}

/// Over what was asked and what was found, but not over where rows came from: neither the order of
/// rows in a file (its digest stands in the manifest) nor a database's snapshot changes a byte.
fn run_id(inputs: &Inputs<'_>, sources: &[Input<'_>]) -> String {
    let mut hash = Sha256::default();
    let mut add = |text: &str| hash.update_text(text);
    add(env!("CARGO_PKG_VERSION"));
    add(&inputs.config.digest);
    add(&inputs.books.as_of.rfc3339());
    for source in sources {
        add(source.role);
        add(&source.provenance.name);
        add(&source.provenance.control.rows.to_string());
        add(&source.provenance.control.tokens.to_string());
    }
    inputs.audit.findings.iter().for_each(|finding| add(&finding.id.0));
    // A run that follows itself gets a place of its own, so that no link of the chain is overwritten.
    inputs.previous.iter().for_each(|previous| add(&previous.manifest_digest));
    inputs.accepted.digest.iter().for_each(|digest| add(digest));
    hash.finish().hex_of_first(4)
}

fn outcomes(of_rows: &[(Outcome, Total)], folded: Total) -> Vec<(OutcomeName, Total)> {
    let of_rows = of_rows.iter().map(|(outcome, total)| (OutcomeName::Row(*outcome), *total));
    of_rows.chain((folded.rows > 0).then_some((OutcomeName::Folded, folded))).collect()
}

fn balance_totals(balances: &Balances, books: &Books) -> BalanceTotals {
    let users = &balances.users;
    let sum = |of: fn(&UserBalance) -> i128| users.iter().map(of).fold(0, add);
    let known = |of: fn(&UserBalance) -> Option<i128>| {
        balances.stored_known.then(|| users.iter().filter_map(of).fold(0, add))
    };
    let number = |is_counted: fn(&&UserBalance) -> bool| {
        balances.stored_known.then(|| users.iter().filter(is_counted).count() as u64)
    };
    let with_gap = || users.iter().filter(|user| user.gap.is_some_and(|gap| gap != 0));
    BalanceTotals {
        users: users.len() as u64,
        users_with_stored: number(|user| user.stored.is_some()),
        users_with_gap: number(|user| user.gap.is_some_and(|gap| gap != 0)),
        gap_tokens: known(|user| user.gap),
        gap_tokens_absolute: known(|user| user.gap.map(i128::abs)),
        unexplained_tokens: known(|user| user.unexplained),
        unexplained_tokens_absolute: known(|user| user.unexplained.map(i128::abs)),
        explanations: balances.stored_known.then(|| gap_causes::explanations(users)),
        granted: sum(|user| user.granted),
        deducted: sum(|user| user.deducted),
        used: sum(|user| user.used),
        recomputed: sum(|user| user.recomputed),
        corrected: sum(|user| user.corrected),
        stored: known(|user| user.stored),
        recomputed_with_stored: known(|user| user.stored.map(|_| user.recomputed)),
        causes: GapCause::ALL
            .iter()
            .enumerate()
            .map(|(at, cause)| (*cause, with_gap().map(|user| user.causes[at]).fold(0, add)))
            .collect(),
        gap_causes: gap_causes::totals(users, books),
    }
}

/// Sums of 64-bit amounts: 128 bits cannot overflow before 2^64 rows.
pub(super) fn add(sum: i128, tokens: i128) -> i128 {
    sum.checked_add(tokens).expect("a sum of 64-bit amounts fits 128 bits")
}
