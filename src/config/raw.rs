//! The configuration as written (serde): every value keeps its place in the file, nothing is
//! checked beyond its type, and a key that is not listed here is an error.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde_spanned::Spanned;

/// A text with its place.
pub type Text = Spanned<String>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "sections")]
pub struct RawConfig {
    /// RFC 3339, in quotes or as a TOML date-time.
    pub as_of: Option<Spanned<toml::Value>>,
    /// `[legacy]`.
    pub legacy: Option<Spanned<RawLegacy>>,
    /// `[unified]`.
    pub unified: Option<Spanned<RawUnified>>,
    /// `[matching]`.
    #[serde(default)]
    pub matching: RawMatching,
    /// `[balances]`.
    #[serde(default)]
    pub balances: RawBalances,
    /// `[repair]`.
    #[serde(default)]
    pub repair: RawRepair,
    /// `[backfill]`.
    #[serde(default)]
    pub backfill: RawBackfill,
    /// `[engine]`.
    #[serde(default)]
    pub engine: RawEngine,
    /// `[history]`.
    #[serde(default)]
    pub history: RawHistory,
    /// `[postgres]`.
    #[serde(default)]
    pub postgres: RawPostgres,
    /// `[notify]`.
    pub notify: Option<Spanned<RawNotify>>,
    /// `[evidence]`: no keys in this version.
    #[serde(default)]
    pub evidence: RawEmpty,
    /// `[cutover]`.
    #[serde(default)]
    pub cutover: RawCutover,
    /// `[audit]`.
    #[serde(default)]
    pub audit: RawAudit,
}

/// `[legacy]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [legacy]")]
pub struct RawLegacy {
    table: Option<Text>,
    path: Option<Text>,
    id: Option<Text>,
    user: Option<Text>,
    action: Option<Spanned<OneOrMany>>,
    amount: Option<Text>,
    created_at: Option<Text>,
    timezone: Option<Text>,
    reference: Option<Spanned<OneOrMany>>,
    payment: Option<Spanned<OneOrMany>>,
    expires_at: Option<Text>,
    balance_after: Option<Text>,
    /// `by_action`, `positive` or `negative`.
    pub sign: Option<Text>,
    /// `[legacy.actions]`: label → meaning.
    pub actions: Option<BTreeMap<Text, Text>>,
}

/// `[unified]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [unified]")]
pub struct RawUnified {
    table: Option<Text>,
    path: Option<Text>,
    id: Option<Text>,
    user: Option<Text>,
    action: Option<Spanned<OneOrMany>>,
    amount: Option<Text>,
    created_at: Option<Text>,
    timezone: Option<Text>,
    reference: Option<Spanned<OneOrMany>>,
    payment: Option<Spanned<OneOrMany>>,
    expires_at: Option<Text>,
    balance_after: Option<Text>,
    /// Success flag.
    pub success: Option<Text>,
    /// Names the legacy row.
    pub link: Option<Text>,
    /// Says that the row was migrated.
    pub migrated: Option<Text>,
    /// Labels that add.
    pub grants: Option<Spanned<Vec<Text>>>,
    /// Labels that take.
    pub deductions: Option<Spanned<Vec<Text>>>,
    /// Labels of usage.
    pub usage: Option<Spanned<Vec<Text>>>,
    /// Labels without legacy rows.
    pub unified_only: Option<Spanned<Vec<Text>>>,
}

/// The keys that both sides have.
#[derive(Debug, Clone, Copy)]
pub struct RawColumns<'a> {
    /// Table, or the target of SQL beside a path.
    pub table: Option<&'a Text>,
    /// Files.
    pub path: Option<&'a Text>,
    /// Row id.
    pub id: Option<&'a Text>,
    /// User id.
    pub user: Option<&'a Text>,
    /// Label columns.
    pub action: Option<&'a Spanned<OneOrMany>>,
    /// Tokens.
    pub amount: Option<&'a Text>,
    /// When.
    pub created_at: Option<&'a Text>,
    /// Zone of timestamps without one.
    pub timezone: Option<&'a Text>,
    /// References.
    pub reference: Option<&'a Spanned<OneOrMany>>,
    /// Payment evidence.
    pub payment: Option<&'a Spanned<OneOrMany>>,
    /// End of a grant.
    pub expires_at: Option<&'a Text>,
    /// Balance beside the row.
    pub balance_after: Option<&'a Text>,
}

macro_rules! columns_of {
    ($side:ty) => {
        impl $side {
            /// The keys that both sides have.
            pub fn columns(&self) -> RawColumns<'_> {
                RawColumns {
                    table: self.table.as_ref(),
                    path: self.path.as_ref(),
                    id: self.id.as_ref(),
                    user: self.user.as_ref(),
                    action: self.action.as_ref(),
                    amount: self.amount.as_ref(),
                    created_at: self.created_at.as_ref(),
                    timezone: self.timezone.as_ref(),
                    reference: self.reference.as_ref(),
                    payment: self.payment.as_ref(),
                    expires_at: self.expires_at.as_ref(),
                    balance_after: self.balance_after.as_ref(),
                }
            }
        }
    };
}

columns_of!(RawLegacy);
columns_of!(RawUnified);

/// `[matching]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [matching]")]
pub struct RawMatching {
    /// Duration.
    pub tolerance: Option<Text>,
    /// Duration.
    pub window: Option<Text>,
    /// Duration.
    pub settle: Option<Text>,
}

/// `[balances]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [balances]")]
pub struct RawBalances {
    /// Stored balances.
    pub stored: Option<Spanned<RawStored>>,
    /// `ignore` or `count`.
    pub failed_usage: Option<Text>,
    /// Tokens.
    pub opening_tokens: Option<Spanned<i64>>,
    /// Grants that replace the balance.
    pub reset_actions: Option<Spanned<Vec<Text>>>,
    /// `debt`, `clamp` or `write_off`.
    pub floor: Option<Text>,
    /// `[balances.expiry]`.
    #[serde(default)]
    pub expiry: RawExpiry,
    /// `[balances.rollover]`: action → tokens.
    pub rollover: Option<BTreeMap<Text, Spanned<i64>>>,
    /// `[[balances.policy]]`.
    pub policy: Option<Vec<Spanned<RawPolicy>>>,
    /// `[balances.pools]`.
    pub pools: Option<Spanned<RawPools>>,
}

/// `[[balances.policy]]`: what is written here holds from its instant on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [[balances.policy]]")]
pub struct RawPolicy {
    /// RFC 3339 or a date.
    pub from: Option<Spanned<toml::Value>>,
    /// `ignore` or `count`.
    pub failed_usage: Option<Text>,
    /// Tokens.
    pub opening_tokens: Option<Spanned<i64>>,
    /// Grants that replace the balance.
    pub reset_actions: Option<Spanned<Vec<Text>>>,
    /// `debt`, `clamp` or `write_off`.
    pub floor: Option<Text>,
    /// Expiry.
    #[serde(default)]
    pub expiry: RawExpiry,
    /// Action → tokens.
    pub rollover: Option<BTreeMap<Text, Spanned<i64>>>,
}

/// `[balances] stored`.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { table = \"public.user_profiles\", user = \"user_id\", balance = \"tokens_remaining\" }"
)]
pub struct RawStored {
    /// Table.
    pub table: Option<Text>,
    /// Files.
    pub path: Option<Text>,
    /// User id.
    pub user: Option<Text>,
    /// Tokens.
    pub balance: Option<Text>,
    /// Several rows of one user: `error` or `sum`.
    pub several_rows: Option<Text>,
}

/// `[balances.expiry]`.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a section [balances.expiry], or a table such as { order = \"fifo\" }"
)]
pub struct RawExpiry {
    /// `fifo`, `earliest_expiry` or `priority`.
    pub order: Option<Text>,
    /// Action → duration.
    pub after: Option<BTreeMap<Text, Text>>,
    /// Actions, the first is burnt first.
    pub priority: Option<Spanned<Vec<Text>>>,
}

/// `[balances.pools]`.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a section [balances.pools], or a table such as { table = \"public.household_members\", user = \"user_id\", pool = \"household_id\" }"
)]
pub struct RawPools {
    /// Table.
    pub table: Option<Text>,
    /// Files.
    pub path: Option<Text>,
    /// Member.
    pub user: Option<Text>,
    /// Pool.
    pub pool: Option<Text>,
    /// Owner.
    pub owner: Option<Text>,
    /// Member since.
    pub from: Option<Text>,
    /// Member until.
    pub to: Option<Text>,
    /// Zone of times without one.
    pub timezone: Option<Text>,
}

/// `[repair]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [repair]")]
pub struct RawRepair {
    /// Repair times too.
    #[serde(default)]
    pub time: bool,
    /// Write a backfill although a trigger acts on INSERT.
    #[serde(default)]
    pub allow_triggers: bool,
}

/// `[backfill]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [backfill]")]
pub struct RawBackfill {
    /// Column → literal.
    #[serde(default)]
    pub values: BTreeMap<Text, Spanned<toml::Value>>,
}

/// `[engine]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [engine]")]
pub struct RawEngine {
    /// A cluster to run on.
    pub spark: Option<Text>,
}

/// `[history]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [history]")]
pub struct RawHistory {
    /// Folder of the runs.
    pub folder: Option<Text>,
    /// How many runs, or for how long: a number or a duration.
    pub keep: Option<Spanned<toml::Value>>,
    /// File of the waivers.
    pub waivers: Option<Text>,
}

/// `[notify]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [notify]")]
pub struct RawNotify {
    /// `new` or `any`.
    pub alert: Option<Text>,
    /// A program with its arguments.
    pub command: Option<Spanned<OneOrMany>>,
    /// An address.
    pub webhook: Option<Text>,
    /// Name of the environment variable that holds the address.
    pub webhook_env: Option<Text>,
    /// Further tries after the first.
    pub retries: Option<Spanned<i64>>,
    /// Duration of one try.
    pub timeout: Option<Text>,
    /// Duration of all tries.
    pub deadline: Option<Text>,
    /// A file for a collector.
    pub metrics: Option<Text>,
}

/// `[cutover]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [cutover]")]
pub struct RawCutover {
    /// Number of nights.
    pub clean_nights: Option<Spanned<i64>>,
    /// Duration.
    pub snapshot_age: Option<Text>,
    /// Duration.
    pub quiet: Option<Text>,
    /// Functions.
    pub writers: Option<Spanned<Vec<Text>>>,
    /// `remind` or `require`.
    pub backup: Option<Text>,
    /// Duration.
    pub valid_for: Option<Text>,
    /// Duration.
    pub hold: Option<Text>,
}

/// `[audit]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [audit]")]
pub struct RawAudit {
    /// Folder of the packs.
    pub folder: Option<Text>,
}

/// `[postgres]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [postgres]")]
pub struct RawPostgres {
    /// Parallel readers.
    pub streams: Option<Spanned<i64>>,
    /// Duration.
    pub statement_timeout: Option<Text>,
    /// Duration.
    pub session_wait: Option<Text>,
    /// Duration.
    pub idle_timeout: Option<Text>,
    /// Duration.
    pub retry_for: Option<Text>,
    /// Duration.
    pub snapshot_age: Option<Text>,
}

/// A section that has no keys in this version.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section")]
pub struct RawEmpty {}

/// One text or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOrMany {
    /// `"action_type"`; its place is that of the whole value.
    One(String),
    /// `["transaction_type", "source"]`.
    Many(Vec<Text>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
