//! A run made by hand: every class of finding, every kind of row, a few users with balances.

use std::collections::BTreeMap;
use std::path::Path;

use reckon::audit::{Audit, Conservation, Dispositions, SideConservation};
use reckon::balance::{Balances, Explanation, GapCause, Rare, UserBalance};
use reckon::config::{Config, parse};
use reckon::domain::{
    Books, Class, Confidence, Few, Finding, FindingId, Instant, Ledger, Marks, Outcome, Population,
    PopulationClass, RepairKind, Roster, RowId, Rule, Severity, Side, SignCell, Span, Status, Total, UserNo,
    UserUsage, Verdict,
};
use reckon::history::lifecycle::{Life, Lifecycle, State};
use reckon::history::waivers::Accepted;
use reckon::matching::Calibration;
use reckon::repair::{Mended, SqlFile};
use reckon::report::{Inputs, Model, Previous, build};
use reckon::source::{FileDigest, Provenance};

/// 2026-03-01T09:30:00Z.
pub const AS_OF: Instant = Instant(1_772_357_400_000_000);

const CONFIG: &str = r#"
[legacy]
path = "token_transactions.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
[legacy.actions]
subscription_grant = "subscription_grant"
[unified]
path = "token_usage.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
grants = ["subscription_grant", "admin_grant", "trial_grant", "token_pack_purchase"]
"#;

/// Everything that a model is built from.
pub struct Fixture {
    config: Config,
    pub books: Books,
    pub audit: Audit,
    pub balances: Balances,
    pub calibration: Calibration,
    legacy: Provenance,
    unified: Provenance,
    pub sql: Vec<SqlFile>,
    pub warnings: Vec<String>,
    pub previous: Option<Previous>,
    pub lifecycle: Option<Lifecycle>,
    pub accepted: Accepted,
}

impl Fixture {
    /// A run with these findings.
    pub fn new(findings: Vec<Finding>) -> Fixture {
        let users: Vec<RowId> = (0..12).map(|user| uuid("cafe", user)).collect();
        let outcomes = [Side::Legacy, Side::Unified].map(|side| outcomes(&findings, side));
        let side = |side| conservation(&outcomes[side as usize], folded(side));
        let (legacy, unified) = (side(Side::Legacy), side(Side::Unified));
        let books = Books {
            usage: vec![UserUsage::default(); users.len()],
            usage_by_day: Vec::new(),
            settled: Default::default(),
            roster: Roster::new(users),
            actions: vec!["subscription_grant".into()],
            references: Vec::new(),
            legacy: ledger(Side::Legacy),
            unified: ledger(Side::Unified),
            as_of: AS_OF,
        };
        Fixture {
            config: parse(Path::new("reckon.toml"), CONFIG).unwrap(),
            legacy: provenance("token_transactions.csv", "a1", legacy),
            unified: provenance("token_usage.csv", "b2", unified),
            audit: Audit {
                findings,
                pairs: Vec::new(),
                pair_totals: Rule::PAIRING.map(pair_total).to_vec(),
                legacy_population: population(&[(PopulationClass::Grants, 9_000, 45_000_000)]),
                unified_population: population(&[
                    (PopulationClass::Grants, 9_010, 45_100_000),
                    (PopulationClass::Usage, 98_000, 31_415_926),
                ]),
                dispositions: Dispositions::default(),
                outcomes,
                conservation: Conservation { legacy, unified, holds: true },
                contradicted: None,
            },
            balances: balances(&books),
            calibration: Calibration::default(),
            books,
            sql: vec![sql("backfill.sql", 3, 300_000), sql("undo.sql", 3, -300_000), sql("verify.sql", 0, 0)],
            warnings: Vec::new(),
            previous: None,
            lifecycle: None,
            accepted: Accepted::default(),
        }
    }

    /// What the SQL does: every repair that the findings call executable.
    fn mended(&self) -> Mended {
        let mut mended = Mended::default();
        let open = self.audit.findings.iter().filter(|finding| finding.status != Status::Waived);
        for finding in open.filter(|finding| finding.repair.is_executable()) {
            let count = if finding.is_blocking() { &mut mended.blocking } else { &mut mended.others };
            *count += 1;
            mended.effect_tokens += finding.tokens_effect.unwrap_or(0);
        }
        mended
    }

    /// The model of the run.
    pub fn model(&self) -> Model<'_> {
        build(Inputs {
            config: &self.config,
            books: &self.books,
            audit: &self.audit,
            balances: &self.balances,
            calibration: &self.calibration,
            legacy: &self.legacy,
            unified: &self.unified,
            stored: None,
            pools: None,
            snapshot: None,
            sql: &self.sql,
            mended: (!self.sql.is_empty()).then(|| self.mended()),
            warnings: self.warnings.clone(),
            previous: self.previous.clone(),
            lifecycle: self.lifecycle.as_ref(),
            runs: &[],
            accepted: &self.accepted,
            settled: None,
        })
    }
}

/// One finding of each class, users and ids all different.
pub fn one_of_each_class() -> Vec<Finding> {
    Class::ALL.iter().enumerate().map(|(at, class)| finding(at as u16, *class)).collect()
}

/// A finding with every column filled that its class fills.
pub fn finding(number: u16, class: Class) -> Finding {
    let at = AS_OF.minus(Span(86_400_000_000 * (i64::from(number) + 1)));
    let has_legacy = !matches!(class, Class::Orphan | Class::BalanceGap | Class::NegativeBalance);
    let has_unified = !matches!(
        class,
        Class::Unmigrated | Class::UnmigratedDeduction | Class::SourceDuplicate | Class::BalanceGap
    );
    let (severity, repair, effect) = match class {
        Class::Unmigrated => (Severity::Error, RepairKind::Backfill, Some(100_000)),
        Class::UnmigratedDeduction => (Severity::Error, RepairKind::Backfill, Some(-2_500)),
        Class::AmountMismatch => (Severity::Error, RepairKind::Update, Some(1)),
        Class::Duplicate => (Severity::Error, RepairKind::Dedupe, Some(-100_000)),
        Class::SplitGrant => (Severity::Info, RepairKind::None, Some(0)),
        Class::TimeMismatch | Class::SourceDuplicate => (Severity::Warning, RepairKind::None, Some(0)),
        Class::MislabelledPurchase => (Severity::Warning, RepairKind::Update, Some(0)),
        _ => (Severity::Error, RepairKind::Review, None),
    };
    Finding {
        id: FindingId(format!("{number:016x}")),
        class,
        severity,
        user: Some(uuid("cafe", number % 12)),
        legacy_ids: has_legacy.then(|| uuid("aaaa", number)).into_iter().collect(),
        unified_ids: has_unified.then(|| uuid("bbbb", number)).into_iter().collect(),
        action_legacy: has_legacy.then(|| "renewal_grant".to_owned()),
        action_expected: has_legacy.then(|| "subscription_grant".to_owned()),
        action_unified: has_unified.then(|| "admin_grant".to_owned()),
        tokens_legacy: has_legacy.then_some(100_000),
        tokens_unified: has_unified.then_some(99_999),
        tokens_effect: effect,
        created_at_legacy: has_legacy.then_some(at),
        created_at_unified: has_unified.then_some(at.plus(Span(18_000_000_000))),
        lag: (has_legacy && has_unified).then_some(Span(18_000_000_000)),
        rule: if has_legacy && has_unified { Rule::Mismatch } else { Rule::None },
        verdict: Verdict::Forced,
        confidence: Confidence::Medium,
        cause: if class == Class::TimeMismatch { "constant_lag" } else { "" }.into(),
        evidence: "label=renewal_grant; reference=pi_123".to_owned(),
        repair,
        status: Status::New,
        legacy_rows: Few::new(),
        unified_rows: Few::new(),
    }
}

/// Findings that the run before had and this one has not.
pub fn resolved(count: u16) -> Lifecycle {
    let life = |number| Life {
        id: format!("{number:016x}"),
        class: Class::Duplicate,
        severity: Severity::Error,
        user: Some(uuid("cafe", 1).to_string()),
        tokens_effect: Some(-5),
        first_seen: AS_OF.minus(Span(172_800_000_000)),
        last_seen: AS_OF.minus(Span(86_400_000_000)),
        resolved_at: Some(AS_OF),
        times_reopened: 0,
        state: State::Resolved,
        previous_state: Some(State::Open),
        content: String::new(),
        is_changed: false,
    };
    Lifecycle { lives: (0..count).map(life).collect() }
}

/// A UUID that says in its first group what it is.
pub fn uuid(group: &str, number: u16) -> RowId {
    RowId::parse(&format!("{group}{group}-0000-4000-8000-{number:012x}"))
}

/// 500 rows a side that are paired, and those of the findings.
fn outcomes(findings: &[Finding], side: Side) -> Vec<(Outcome, Total)> {
    let mut outcomes = BTreeMap::from([(Outcome::Paired, Total { rows: 500, tokens: 500 * 5_000 })]);
    for finding in findings {
        let ids = if side == Side::Legacy { &finding.legacy_ids } else { &finding.unified_ids };
        for _ in ids {
            let total = outcomes.entry(Outcome::Finding(finding.class)).or_default();
            match finding.class {
                Class::RejectedRow => total.add_unreadable_row(),
                _ => total.add_row(100_000),
            }
        }
    }
    outcomes.into_iter().collect()
}

fn conservation(outcomes: &[(Outcome, Total)], folded: Total) -> SideConservation {
    let total = outcomes.iter().fold(folded, |sum, (_, total)| sum.plus(*total).unwrap());
    let Total { rows, tokens } = total;
    SideConservation { rows_in: rows, rows_out: rows, tokens_in: tokens, tokens_out: tokens }
}

fn folded(side: Side) -> Total {
    match side {
        Side::Legacy => Total::default(),
        Side::Unified => Total { rows: 98_000, tokens: 31_415_926 },
    }
}

fn ledger(side: Side) -> Ledger {
    let sign = |month: &str, positive, negative| SignCell {
        label: "renewal_grant".into(),
        month: month.to_owned(),
        positive,
        negative,
        zero: 0,
    };
    Ledger {
        side,
        entries: Vec::new(),
        bystanders: Vec::new(),
        rejected: Vec::new(),
        labels: Vec::new(),
        folded: folded(side),
        control: Total::default(),
        population: Population::default(),
        unreadable_balances: 0,
        unreadable_ends: Vec::new(),
        any: Marks::default(),
        has_wall_times: false,
        signs: vec![sign("2025-11", 0, 812), sign("2025-12", 1_204, 0), sign("2026-01", 650, 3)],
    }
}

fn population(classes: &[(PopulationClass, u64, i128)]) -> Population {
    let mut population = Population::default();
    for (class, rows, tokens) in classes {
        *population.get_mut(*class) = Total { rows: *rows, tokens: *tokens };
    }
    population
}

fn pair_total(rule: Rule) -> (Rule, Total) {
    let rows = match rule {
        Rule::Link => 4_100,
        Rule::Exact => 3_900,
        Rule::Near => 900,
        Rule::Mismatch => 4,
        _ => 0,
    };
    (rule, Total { rows, tokens: i128::from(rows) * 5_000 })
}

fn provenance(name: &str, digest: &str, totals: SideConservation) -> Provenance {
    Provenance {
        kind: "csv",
        name: name.to_owned(),
        files: vec![FileDigest { path: name.to_owned(), bytes: 1_234_567, sha256: digest.repeat(32) }],
        control: Total { rows: totals.rows_in, tokens: totals.tokens_in },
        notes: Vec::new(),
    }
}

/// User 0 has the classic gap: usage that was never taken off, and tokens given at sign-up.
fn balances(books: &Books) -> Balances {
    let users = books.roster.iter().map(|(user, _)| {
        let mut balance = UserBalance {
            user,
            granted: 600_000,
            deducted: 0,
            used: 432_778,
            recomputed: 167_222,
            corrected: 267_222,
            stored: Some(167_222),
            gap: Some(0),
            causes: Rare::default(),
            unexplained: Some(0),
            explanation: Some(Explanation::NoneNeeded),
            explained_by: Rare::default(),
        };
        if user == UserNo(0) {
            balance.stored = Some(600_100);
            balance.gap = Some(432_878);
            balance.causes[GapCause::UsageNotDeducted as usize] = 432_778;
            balance.causes[GapCause::Opening as usize] = 100;
            balance.explanation = Some(Explanation::Unique);
        } else if user == UserNo(1) {
            balance.stored = None;
            balance.gap = None;
            balance.unexplained = None;
            balance.explanation = None;
        }
        balance
    });
    Balances {
        users: users.collect(),
        stored_known: true,
        compared: Default::default(),
        snapshots: Vec::new(),
    }
}

fn sql(name: &str, rows: u64, tokens: i128) -> SqlFile {
    SqlFile { name: name.to_owned(), rows, tokens }
}
