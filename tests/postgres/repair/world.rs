//! Books and findings by hand over tables of a real server, and the files applied with psql.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use reckon::config::{self, Config, TableName};
use reckon::domain::{
    ActionNo, Books, Class, Confidence, Entry, Finding, FindingId, Instant, Kind, Ledger, Marks, Population,
    PopulationClass, RepairKind, Roster, RowId, Rule, Severity, Side, Status, Total, UserNo, Verdict,
};
use reckon::repair::{self, Context, Plan, RepairError, Scripts, Targets};
use reckon::source::postgres::catalogue::{ColumnFacts, ForeignKeyFacts, TableFacts, TriggerFacts};

use crate::postgres::cluster::{Cluster, Db};

/// A database with both tables, and what a run would know of them.
pub struct World {
    pub db: Db,
    pub config: Config,
    pub books: Books,
    pub findings: Vec<Finding>,
    /// Ask the catalogue, as a run over tables does; otherwise act as if the rows came from files.
    pub facts: bool,
}

/// The real tables: both as in the wild, the legacy one in the shape with an enum.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Their mapping.
pub const CONFIG: &str = include_str!("reckon.toml");

/// id, user, label, raw tokens, microseconds, reference, link; perhaps whether it is marked.
pub const LEGACY_QUERY: &str = "select id, user_id, action_type, tokens_used, \
     (extract(epoch from created_at) * 1000000)::bigint, stripe_payment_intent_id, null \
     from public.token_transactions order by id::text collate \"C\"";
pub const UNIFIED_QUERY: &str = "select id, user_id, action_type, tokens_used, \
     (extract(epoch from created_at) * 1000000)::bigint, metadata ->> 'payment_intent', metadata ->> 'legacy_id' \
     from public.token_usage order by id::text collate \"C\"";

impl World {
    /// The real tables with these rows.
    pub fn new(name: &str, rows: &str) -> World {
        World::of(name, SCHEMA, rows, CONFIG, LEGACY_QUERY, UNIFIED_QUERY)
    }

    /// Any tables; the queries say how a run reads them.
    pub fn of(name: &str, schema: &str, rows: &str, toml: &str, legacy: &str, unified: &str) -> World {
        let db = Cluster::shared().database(name);
        db.sql(schema);
        db.sql(rows);
        let config = config::parse(Path::new("reckon.toml"), toml).unwrap();
        let books = books(&db, &config, legacy, unified);
        World { books, db, config, findings: Vec::new(), facts: true }
    }

    /// The real tables as they are now, as the next run reads them.
    pub fn over(before: World) -> World {
        let books = books(&before.db, &before.config, LEGACY_QUERY, UNIFIED_QUERY);
        World { books, findings: Vec::new(), ..before }
    }

    pub fn finding(
        &mut self,
        class: Class,
        repair: RepairKind,
        legacy: &[&str],
        unified: &[&str],
    ) -> &mut Finding {
        let ids = |ids: &[&str]| ids.iter().map(|id| RowId::parse(id)).collect::<Vec<_>>();
        let positions = |entries: &[Entry], ids: &[RowId]| -> Vec<u32> {
            ids.iter()
                .map(|id| {
                    entries.iter().position(|entry| entry.id == *id).expect("a row of the table") as u32
                })
                .collect()
        };
        let (legacy_ids, unified_ids) = (ids(legacy), ids(unified));
        let legacy_rows = positions(&self.books.legacy.entries, &legacy_ids);
        let unified_rows = positions(&self.books.unified.entries, &unified_ids);
        let number = self.findings.len();
        self.findings.push(Finding {
            id: FindingId(format!("{number:016x}")),
            class,
            severity: Severity::Error,
            user: None,
            legacy_ids: legacy_ids.into(),
            unified_ids: unified_ids.into(),
            action_legacy: None,
            action_expected: legacy_rows
                .first()
                .map(|row| self.books.action(self.books.legacy.entries[*row as usize].action).to_owned()),
            action_unified: None,
            tokens_legacy: None,
            tokens_unified: None,
            tokens_effect: None,
            created_at_legacy: None,
            created_at_unified: None,
            lag: None,
            rule: Rule::None,
            verdict: Verdict::Forced,
            confidence: Confidence::High,
            cause: "".into(),
            evidence: "key=value".to_owned(),
            repair,
            status: Status::New,
            legacy_rows: legacy_rows.into(),
            unified_rows: unified_rows.into(),
        });
        self.findings.last_mut().unwrap()
    }

    pub fn unmigrated(&mut self, legacy: &str) -> &mut Finding {
        self.finding(Class::Unmigrated, RepairKind::Backfill, &[legacy], &[])
    }

    pub fn duplicate(&mut self, extra: &str) -> &mut Finding {
        self.finding(Class::Duplicate, RepairKind::Dedupe, &[], &[extra])
    }

    pub fn update(&mut self, class: Class, legacy: &str, unified: &str) -> &mut Finding {
        self.finding(class, RepairKind::Update, &[legacy], &[unified])
    }

    pub fn plan(&self) -> Result<Plan<'_>, RepairError> {
        let targets = if self.facts {
            let table = |origin: &config::Origin| {
                matches!(origin, config::Origin::Table(_)).then(|| facts(&self.db, &origin.target().sql()))
            };
            Targets {
                legacy: table(&self.config.legacy.columns.origin),
                unified: table(&self.config.unified.columns.origin),
            }
        } else {
            Targets::default()
        };
        let context = Context { source: "a test".to_owned() };
        repair::plan(&self.config, &self.books, &self.findings, &targets, &context)
    }

    pub fn files(&self) -> Vec<SqlFile> {
        let plan = self.plan().unwrap();
        let scripts = Scripts::of(&plan);
        let texts = (0..scripts.files.len()).map(|at| scripts.text(at));
        let files = scripts.files.iter().zip(texts);
        files
            .map(|(file, text)| SqlFile {
                name: file.name.clone(),
                text,
                rows: file.rows,
                tokens: file.tokens,
            })
            .collect()
    }

    /// Applies a file, or all its parts; the first error ends it.
    pub fn apply(&self, files: &[SqlFile], name: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let parts = files
            .iter()
            .filter(|file| file.name == format!("{name}.sql") || file.name.starts_with(&format!("{name}-")));
        let mut applied = 0;
        for part in parts {
            let path = folder.path().join(&part.name);
            std::fs::write(&path, &part.text).unwrap();
            self.db.try_file(&path)?;
            applied += 1;
        }
        assert!(applied > 0, "there is a file {name}");
        Ok(())
    }

    /// Applies a file that must go through.
    pub fn applied(&self, files: &[SqlFile], name: &str) {
        if let Err(error) = self.apply(files, name) {
            panic!("{name}: {error}\n{}", text(files, name));
        }
    }

    /// Applies a file that must stop, with nothing changed; answers the message.
    pub fn refused(&self, files: &[SqlFile], name: &str, table: &str) -> String {
        let before = self.db.digest(table);
        let error = self.apply(files, name).expect_err("it stops");
        assert_eq!(self.db.digest(table), before, "nothing was changed");
        error
    }

    /// `verify.sql`: expectation, expected, actual, ok.
    pub fn verify(&self, files: &[SqlFile]) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for file in files.iter().filter(|file| file.name.starts_with("verify")) {
            let script = format!("\\pset format csv\n\\pset tuples_only on\n{}", file.text);
            let output = self.db.try_sql(&script).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(output.as_bytes());
            rows.extend(
                reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()),
            );
        }
        assert!(!rows.is_empty());
        rows
    }

    pub fn all_is_as_expected(&self, files: &[SqlFile]) {
        let rows = self.verify(files);
        assert!(rows.iter().all(|row| row[3] == "t"), "{rows:?}\n{}", text(files, "verify"));
    }
}

/// A file of SQL with its text.
#[derive(Debug, PartialEq, Eq)]
pub struct SqlFile {
    pub name: String,
    pub text: String,
    pub rows: u64,
    pub tokens: i128,
}

/// The text of a file, or of its first part.
pub fn text<'a>(files: &'a [SqlFile], name: &str) -> &'a str {
    &files
        .iter()
        .find(|file| file.name == format!("{name}.sql") || file.name == format!("{name}-01.sql"))
        .expect("a file of that name")
        .text
}

fn meaning(config: &Config, label: &str) -> String {
    match config.legacy.actions.get(label) {
        Some(config::LegacyMeaning::Action(action)) => action.clone(),
        _ => label.to_owned(),
    }
}

fn books(db: &Db, config: &Config, legacy: &str, unified: &str) -> Books {
    let (legacy, unified) = (db.query(legacy), db.query(unified));
    let both = || legacy.iter().chain(&unified);
    let users: BTreeSet<RowId> = both().map(|row| RowId::parse(&row[1])).collect();
    let roster = Roster::new(users.into_iter().collect());
    let references: BTreeSet<&str> =
        both().map(|row| row[5].as_str()).filter(|text| !text.is_empty()).collect();
    let references: Vec<&str> = references.into_iter().collect();
    let own_reference = |text: &str| references.binary_search(&text).ok().map(|it| it as u32);
    let actions: Vec<Box<str>> =
        config.unified.grants.iter().chain(&config.unified.deductions).map(|it| it.as_str().into()).collect();
    let ledger = |side: Side, rows: &[Vec<String>]| {
        let labels: BTreeSet<&str> = rows.iter().map(|row| row[2].as_str()).collect();
        let numbers: HashMap<&str, u16> = labels.iter().copied().zip(0..).collect();
        let entries = rows
            .iter()
            .map(|row| {
                let raw: i64 = row[3].parse().unwrap();
                let action = if side == Side::Legacy { meaning(config, &row[2]) } else { row[2].clone() };
                let number = actions.iter().position(|it| **it == *action);
                let deduction = config.unified.deductions.contains(&action);
                Entry {
                    id: RowId::parse(&row[0]),
                    user: roster.find(&RowId::parse(&row[1])).unwrap_or(UserNo(0)),
                    label: numbers[row[2].as_str()],
                    action: ActionNo(number.expect("a known action") as u16),
                    kind: if deduction { Kind::Deduction } else { Kind::Grant },
                    tokens: raw.abs(),
                    negative: raw < 0,
                    minority_sign: false,
                    at: Instant(row[4].parse().unwrap()),
                    references: own_reference(&row[5]).into_iter().collect(),
                    paid: !row[5].is_empty(),
                    payments: None,
                    link: (!row[6].is_empty()).then(|| Box::new(RowId::parse(&row[6]))),
                    migrated: row.get(7).is_some_and(|mark| mark == "true"),
                    expires_at: None,
                    balance_after: None,
                    succeeded: true,
                    class: PopulationClass::Grants,
                }
            })
            .collect();
        Ledger {
            side,
            entries,
            bystanders: Vec::new(),
            rejected: Vec::new(),
            labels: labels.into_iter().map(Into::into).collect(),
            folded: Total::default(),
            control: Total::default(),
            population: Population::default(),
            has_wall_times: false,
            signs: Vec::new(),
            unreadable_balances: 0,
            unreadable_ends: Vec::new(),
            any: Marks::default(),
        }
    };
    Books {
        legacy: ledger(Side::Legacy, &legacy),
        unified: ledger(Side::Unified, &unified),
        references: references.iter().map(|it| (*it).into()).collect(),
        actions: actions.clone(),
        usage: Vec::new(),
        usage_by_day: Vec::new(),
        settled: Default::default(),
        as_of: Instant(1_775_000_000_000_000),
        roster,
    }
}

/// What the catalogue says of a table.
fn facts(db: &Db, table: &str) -> TableFacts {
    let yes = |text: &String| text == "t";
    let of =
        |sql: &str| db.query(&sql.replace("TABLE", &format!("'{}'::regclass", table.replace('\'', "''"))));
    let head = of("select n.nspname, c.relname, c.relkind from pg_class c join pg_namespace n \
                   on n.oid = c.relnamespace where c.oid = TABLE")
    .remove(0);
    TableFacts {
        name: TableName { schema: Some(head[0].clone()), name: head[1].clone() },
        relkind: head[2].chars().next().unwrap(),
        columns: of(include_str!("columns.sql"))
            .into_iter()
            .map(|row| ColumnFacts {
                name: row[0].clone(),
                type_name: row[1].clone(),
                cast: row[2].clone(),
                not_null: yes(&row[3]),
                default: (!row[4].is_empty()).then(|| row[4].clone()),
                generated: yes(&row[5]),
                enum_labels: (!row[6].is_empty()).then(|| row[6].split('|').map(str::to_owned).collect()),
                base_type: row[7].clone(),
                domain_checks: Vec::new(),
            })
            .collect(),
        primary_key: Vec::new(),
        checks: of("select conname, pg_get_constraintdef(oid) from pg_constraint \
                    where conrelid = TABLE and contype = 'c' order by 1")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect(),
        triggers: of("select tgname, tgtype & 4 <> 0, tgtype & 16 <> 0, tgtype & 8 <> 0, tgfoid::regproc \
                      from pg_trigger where tgrelid = TABLE and not tgisinternal order by 1")
        .into_iter()
        .map(|row| TriggerFacts {
            name: row[0].clone(),
            on_insert: yes(&row[1]),
            on_update: yes(&row[2]),
            on_delete: yes(&row[3]),
            function: row[4].clone(),
        })
        .collect(),
        referenced_by: of("select conname, conrelid::regclass, pg_get_constraintdef(oid), \
                           confdeltype in ('c', 'n', 'd') from pg_constraint where confrelid = TABLE")
        .into_iter()
        .map(|row| ForeignKeyFacts {
            name: row[0].clone(),
            table: row[1].clone(),
            definition: row[2].clone(),
            delete_acts: yes(&row[3]),
        })
        .collect(),
        indexes: Vec::new(),
        limits: Vec::new(),
        unproven: Vec::new(),
        partition_key: None,
        heirs: Vec::new(),
        estimated_rows: -1,
        blocks: 0,
    }
}
