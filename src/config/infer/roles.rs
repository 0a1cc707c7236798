//! Which column is what, by name and by what is in it.

use super::{Column, InferError, Place, Repeated, Sample, Shape};

/// Names of ids, best first. All lists are compared without case and underscores.
const IDS: [&str; 9] =
    ["id", "transaction_id", "usage_id", "row_id", "event_id", "entry_id", "record_id", "uuid", "key"];
const USERS: [&str; 16] = [
    "user_id",
    "user",
    "user_uuid",
    "account_id",
    "account",
    "customer_id",
    "customer",
    "profile_id",
    "member_id",
    "owner_id",
    "client_id",
    "organization_id",
    "org_id",
    "tenant_id",
    "team_id",
    "workspace_id",
];
const AMOUNTS: [&str; 15] = [
    "tokens_used",
    "token_amount",
    "tokens",
    "tokens_granted",
    "token_count",
    "amount_tokens",
    "amount",
    "quantity",
    "qty",
    "credits",
    "credit_amount",
    "units",
    "delta",
    "change",
    "value",
];
const ACTIONS: [&str; 14] = [
    "action_type",
    "action",
    "transaction_type",
    "event_type",
    "entry_type",
    "type",
    "kind",
    "event",
    "operation",
    "category",
    "reason",
    "label",
    "txn_type",
    "activity",
];
/// Beside a general type (`grant`, `purchase`), what says which grant it was.
const SOURCES: [&str; 8] =
    ["source", "origin", "sub_type", "category", "reason", "channel", "grant_type", "source_type"];
/// Types that are general enough to need a second column.
const GENERAL_ACTIONS: [&str; 6] =
    ["transaction_type", "type", "kind", "entry_type", "direction", "txn_type"];
const TIMES: [&str; 14] = [
    "created_at",
    "created",
    "created_on",
    "occurred_at",
    "inserted_at",
    "granted_at",
    "recorded_at",
    "event_time",
    "timestamp",
    "ts",
    "time",
    "date",
    "at",
    "updated_at",
];
const SUCCESSES: [&str; 5] = ["success", "succeeded", "is_success", "successful", "ok"];
const EXPIRIES: [&str; 7] =
    ["expires_at", "expires", "expires_on", "expiry", "expiry_date", "expiration_date", "valid_until"];
const BALANCES: [&str; 7] = [
    "balance_after",
    "tokens_remaining",
    "remaining_tokens",
    "new_balance",
    "running_balance",
    "remaining",
    "balance",
];
/// What names one payment. A subscription is no reference: its id comes back with every renewal.
const REFERENCES: [&str; 18] = [
    "stripe_payment_intent_id",
    "payment_intent_id",
    "stripe_payment_intent",
    "payment_intent",
    "stripe_session_id",
    "stripe_checkout_session_id",
    "checkout_session_id",
    "stripe_invoice_id",
    "invoice_id",
    "stripe_charge_id",
    "charge_id",
    "payment_id",
    "payment_reference",
    "order_id",
    "transaction_ref",
    "external_id",
    "external_reference",
    "idempotency_key",
];
const LINKS: [&str; 12] = [
    "legacy_id",
    "legacy_transaction_id",
    "legacy_row_id",
    "token_transaction_id",
    "original_id",
    "original_transaction_id",
    "source_id",
    "source_transaction_id",
    "migrated_id",
    "migrated_from_id",
    "old_id",
    "transaction_id",
];
const MIGRATED: [&str; 11] = [
    "migrated_from",
    "migrated",
    "is_migrated",
    "migrated_at",
    "migration",
    "migration_source",
    "migration_batch",
    "backfilled",
    "backfilled_from",
    "backfill",
    "source_table",
];
const JSONS: [&str; 8] =
    ["metadata", "meta", "details", "properties", "attributes", "context", "extra", "data"];
/// What shows that tokens were bought as a pack.
const PACKS: [&str; 4] = ["token_pack_id", "pack_id", "token_pack", "package_id"];
const STORED: [&str; 9] = [
    "tokens_remaining",
    "token_balance",
    "balance_tokens",
    "tokens_balance",
    "remaining_tokens",
    "credits_remaining",
    "credit_balance",
    "tokens",
    "balance",
];

/// The columns of one side. Texts are written as the configuration wants them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideRoles {
    /// Row id.
    pub id: String,
    /// User id.
    pub user: String,
    /// Label: one column or two.
    pub action: Vec<String>,
    /// Tokens.
    pub amount: String,
    /// When.
    pub created_at: String,
    /// Times without a zone.
    pub unzoned: bool,
    /// Optional ones.
    pub more: Roles,
}

impl SideRoles {
    /// The columns that a new row gets by the mapping, JSON columns of whose keys one has a role among them.
    pub(super) fn columns(&self) -> Vec<String> {
        let more = &self.more;
        let always = [&self.id, &self.user, &self.amount, &self.created_at].into_iter().chain(&self.action);
        let optional = [&more.success, &more.link, &more.migrated, &more.expires_at];
        let named = always.chain(&more.reference).chain(optional.into_iter().flatten());
        named.map(|field| field.split('.').next().unwrap_or(field).to_owned()).collect()
    }
}

/// Has the name of what names a payment, a pack or a row.
pub(super) fn is_reference(column: &Column) -> bool {
    names(&REFERENCES, column) || names(&PACKS, column) || names(&LINKS, column) || names(&MIGRATED, column)
}

/// Columns that a side need not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// References, JSON paths among them.
    pub reference: Vec<String>,
    /// What has the name of a reference and is none, by its values.
    pub no_reference: Vec<(String, Repeated)>,
    /// What shows a bought pack.
    pub packs: Vec<String>,
    /// When a grant ends.
    pub expires_at: Option<String>,
    /// Balance beside the row.
    pub balance_after: Option<String>,
    /// Success flag.
    pub success: Option<String>,
    /// Names the legacy row.
    pub link: Option<String>,
    /// Says that the row was migrated.
    pub migrated: Option<String>,
    /// The JSON column, where there is one: what has no column of its own can stand in it.
    pub json: Option<String>,
}

/// The columns of stored balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRoles {
    /// User id.
    pub user: String,
    /// Tokens.
    pub balance: String,
}

pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_' && *c != '-' && *c != ' ').flat_map(char::to_lowercase).collect()
}

/// The column with the best name of the list that `fits`.
fn best<'a>(sample: &'a Sample, names: &[&str], fits: impl Fn(&Column) -> bool) -> Option<&'a Column> {
    names.iter().find_map(|name| {
        sample.columns.iter().find(|column| plain(&column.name) == plain(name) && fits(column))
    })
}

fn contains<'a>(sample: &'a Sample, part: &str, fits: impl Fn(&Column) -> bool) -> Option<&'a Column> {
    sample.columns.iter().find(|column| plain(&column.name).contains(part) && fits(column))
}

fn is_number(column: &Column) -> bool {
    matches!(column.shape, Shape::Integer | Shape::Decimal)
}

fn is_json(column: &Column) -> bool {
    column.shape == Shape::Json
}

/// An id of a user may have any type but these.
fn is_key(column: &Column) -> bool {
    matches!(column.shape, Shape::Uuid | Shape::Integer | Shape::Text)
}

/// A column that holds tokens, but something else than the tokens of the row.
fn is_other_amount(column: &Column) -> bool {
    let name = plain(&column.name);
    ["balance", "remaining", "before", "after", "input", "output", "cost", "cents", "price", "id"]
        .iter()
        .any(|part| name.contains(part))
}

/// Why none of the columns with these names is what is looked for, as far as their values show it.
fn why(sample: &Sample, list: &[&str], key: &str) -> String {
    let Some(column) = best(sample, list, |_| true) else { return String::new() };
    let (odd, what) = match key {
        "id" | "amount" => {
            let is_number = column.odd.number.as_ref().is_some_and(|(_, value)| value.parse::<f64>().is_ok());
            let what = match (key, is_number) {
                ("id", true) => "as spreadsheets shorten a long number: export the ids as text",
                ("id", false) => return String::new(),
                (_, true) => "which is no whole number: write whole tokens",
                (_, false) => "which is no number: write digits alone, without separators or units",
            };
            (&column.odd.number, what)
        }
        "created_at" => {
            (&column.odd.time, "which is not read as a time: write RFC 3339, as in 2026-02-10T09:00:00Z")
        }
        _ => return String::new(),
    };
    match odd {
        Some((row, value)) => {
            format!("; {} has the name, but its row {row} holds {value:?}, {what}", column.name)
        }
        None => String::new(),
    }
}

/// The error where nothing has a role.
fn nothing(sample: &Sample, what: &'static str, key: &'static str, list: &[&str]) -> InferError {
    if let (0, Place::Path(file)) = (sample.rows, &sample.place) {
        return InferError::NoRow { file: file.clone() };
    }
    InferError::NoColumn {
        table: sample.place.shown(),
        what,
        key,
        columns: sample.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        why: why(sample, list, key),
    }
}

/// Finds the columns of a side.
///
/// # Errors
/// [`InferError::NoColumn`] for id, user, action, amount and time, [`InferError::Twice`] for a column that is
/// read and has the name of another one.
pub fn side_roles(sample: &Sample) -> Result<SideRoles, InferError> {
    let missing = |what, key, list: &[&str]| nothing(sample, what, key, list);
    let id = sample
        .columns
        .iter()
        .find(|column| column.primary_key)
        .or_else(|| best(sample, &IDS, is_key))
        .ok_or_else(|| missing("a row id", "id", &IDS))?;
    let user = best(sample, &USERS, |column| column.name != id.name && is_key(column))
        .or_else(|| contains(sample, "user", |column| column.name != id.name && is_key(column)))
        .ok_or_else(|| missing("a user id", "user", &USERS))?;
    let amount = best(sample, &AMOUNTS, is_number)
        .or_else(|| contains(sample, "token", |column| is_number(column) && !is_other_amount(column)))
        .or_else(|| contains(sample, "credit", |column| is_number(column) && !is_other_amount(column)))
        .or_else(|| contains(sample, "amount", |column| is_number(column) && !is_other_amount(column)))
        .ok_or_else(|| missing("an amount of tokens", "amount", &AMOUNTS))?;
    let created_at = best(sample, &TIMES, Column::is_time)
        .or_else(|| sample.columns.iter().find(|column| column.is_time() && !names(&EXPIRIES, column)))
        .ok_or_else(|| missing("a time", "created_at", &TIMES))?;
    let action = action(sample).ok_or_else(|| missing("a label", "action", &ACTIONS))?;
    let roles = SideRoles {
        id: id.name.clone(),
        user: user.name.clone(),
        action,
        amount: amount.name.clone(),
        created_at: created_at.name.clone(),
        unzoned: created_at.shape == Shape::Unzoned,
        more: optional_roles(sample, &id.name),
    };
    let mut twice = roles
        .columns()
        .into_iter()
        .filter(|name| sample.columns.iter().filter(|column| column.name == *name).count() > 1);
    match twice.next() {
        Some(column) => Err(InferError::Twice { file: sample.place.shown(), column }),
        None => Ok(roles),
    }
}

fn optional_roles(sample: &Sample, id: &str) -> Roles {
    let name = |column: &Column| column.name.clone();
    Roles {
        reference: fields(sample, &REFERENCES, id),
        no_reference: Vec::new(),
        packs: fields(sample, &PACKS, id),
        expires_at: best(sample, &EXPIRIES, Column::is_time).map(name),
        balance_after: best(sample, &BALANCES, is_number).map(name),
        success: best(sample, &SUCCESSES, |column| column.shape == Shape::Boolean).map(name),
        link: fields(sample, &LINKS, id).into_iter().next(),
        migrated: fields(sample, &MIGRATED, id).into_iter().next(),
        json: best(sample, &JSONS, is_json)
            .or_else(|| sample.columns.iter().find(|column| is_json(column)))
            .map(name),
    }
}

fn names(list: &[&str], column: &Column) -> bool {
    list.iter().any(|name| plain(name) == plain(&column.name))
}

fn action(sample: &Sample) -> Option<Vec<String>> {
    let is_label = |column: &Column| column.shape == Shape::Text;
    let first = best(sample, &ACTIONS, is_label).or_else(|| contains(sample, "type", is_label))?;
    let mut action = vec![first.name.clone()];
    if names(&GENERAL_ACTIONS, first)
        && let Some(second) = best(sample, &SOURCES, |column| {
            is_label(column) && column.name != first.name && (column.filled > 0 || sample.rows == 0)
        })
    {
        action.push(second.name.clone());
    }
    Some(action)
}

/// Columns and JSON paths with one of these names, in the order of the names; the row id is none.
/// A column that is empty throughout is left out where rows were seen.
fn fields(sample: &Sample, list: &[&str], id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in list {
        for column in &sample.columns {
            let seen = column.filled > 0 || sample.rows == 0;
            if plain(&column.name) == plain(name) && column.name != id && seen {
                found.push(column.name.clone());
            }
            let keys = column.json_keys.keys().filter(|key| plain(key) == plain(name) && !key.contains('.'));
            found.extend(keys.map(|key| format!("{}.{key}", column.name)));
        }
    }
    found
}

/// Finds the columns of stored balances.
///
/// # Errors
/// [`InferError::NoColumn`].
pub fn balance_roles(sample: &Sample) -> Result<StoredRoles, InferError> {
    let user = best(sample, &USERS, is_key)
        .or_else(|| best(sample, &["id"], is_key))
        .ok_or_else(|| nothing(sample, "a user id", "user", &USERS))?;
    let balance =
        balance_column(sample).ok_or_else(|| nothing(sample, "a balance of tokens", "balance", &STORED))?;
    Ok(StoredRoles { user: user.name.clone(), balance: balance.name.clone() })
}

fn balance_column(sample: &Sample) -> Option<&Column> {
    let says_rest = |column: &Column| {
        let name = plain(&column.name);
        ["remaining", "balance", "left", "available"].iter().any(|part| name.contains(part))
    };
    best(sample, &STORED, is_number)
        .or_else(|| contains(sample, "token", |column| is_number(column) && says_rest(column)))
        .or_else(|| contains(sample, "credit", |column| is_number(column) && says_rest(column)))
}

/// Is a ledger, and which of the two? Above zero: like the legacy table; below: like the unified
/// one. `None`: no ledger.
pub fn legacy_likeness(sample: &Sample) -> Option<i32> {
    let roles = side_roles(sample).ok()?;
    let tokens = ["token", "credit"];
    let name = sample.place.shown().to_lowercase();
    let about_tokens = |text: &str| tokens.iter().any(|part| text.to_lowercase().contains(part));
    if !about_tokens(&name) && !about_tokens(&roles.amount) {
        return None;
    }
    let mut likeness = 0;
    for (part, weight) in [("legacy", 4), ("old", 2), ("transaction", 3), ("usage", -3), ("ledger", -1)] {
        if name.contains(part) {
            likeness += weight;
        }
    }
    let more = &roles.more;
    likeness += i32::from(more.balance_after.is_some());
    likeness -= i32::from(more.success.is_some())
        + i32::from(more.link.is_some())
        + i32::from(more.migrated.is_some());
    Some(likeness)
}

/// Looks like the table of stored balances: of users, with tokens that are left.
pub fn stores_balances(sample: &Sample) -> bool {
    let name = sample.place.shown().to_lowercase();
    let of_users = ["user", "profile", "account", "customer", "wallet", "balance", "member"];
    let says_rest = |balance: &str| {
        ["remaining", "balance", "left", "available"].iter().any(|part| balance.contains(part))
    };
    legacy_likeness(sample).is_none()
        && of_users.iter().any(|part| name.contains(part))
        && balance_roles(sample).is_ok_and(|roles| says_rest(&plain(&roles.balance)))
}
