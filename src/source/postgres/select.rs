//! The statements that read a side: one COPY of keys and details, one count.

use arrow_array::{Array, BooleanArray, Int64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};

use crate::config::{Columns, Field};
use crate::domain::RowId;

use super::super::{DetailRule, FALSE_WORDS, GRANT_SUFFIXES, TRUE_WORDS, bare_label};
use super::catalogue::Relation;
use super::fields::{Expression, Purpose, Wire, detail, expression, literal};
use super::nothing::is_nothing;

/// What is asked of a table, and in which order it comes.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// User, labels, amount, time, and success where configured.
    pub keys: Vec<Wire>,
    pub labels: usize,
    /// Success travels inside the amount.
    pub folded: bool,
    /// Columns of details as they are sent, the id first.
    pub details: Vec<Wire>,
    /// Their names as written.
    pub detail_names: Vec<String>,
    /// Id first, then each further field once.
    pub fields: Vec<Detail>,
    /// Places in `fields`.
    pub reference: Vec<usize>,
    pub payment: Vec<usize>,
    pub link: Option<usize>,
    pub migrated: Option<usize>,
    pub expires_at: Option<usize>,
    pub balance_after: Option<usize>,
    /// Details come as one record, null where nobody wants them; otherwise as columns of every row.
    pub conditional: bool,
    /// Can an id be null (or the empty text)?
    pub id_nullable: bool,
    /// Columns that are never null, by their place among keys and details: no statement asks whether they
    /// are.
    pub sure_keys: Vec<(usize, String)>,
    pub sure_details: Vec<(usize, String)>,
    /// The statement up to its WHERE.
    select: String,
    /// The WHERE that asks for all rows; may be empty.
    all: &'static str,
    /// `select count(*), sum(amount)` over the same rows.
    pub control: String,
    /// All of it is asked for by place.
    pub by_place: bool,
}

/// A field among the columns of details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detail {
    /// Place in [`Layout::details`].
    pub column: usize,
    /// The path into the text of the column; empty: the column itself.
    pub path: Vec<String>,
}

impl Layout {
    /// Builds the statements for a table. `usual`: labels that most rows have; naming those that
    /// nobody wants saves the server the rest of the rule for most rows.
    ///
    /// # Errors
    /// A sentence: a column is not there or of no fitting type.
    pub fn new(
        relation: &Relation,
        columns: &Columns,
        rule: &DetailRule,
        usual: &[String],
        version: u32,
    ) -> Result<Layout, String> {
        let find = |field: &Field, purpose| expression(relation, field, purpose);
        let user = find(&columns.user, Purpose::Id)?;
        let labels: Vec<Expression> =
            columns.action.iter().map(|field| find(field, Purpose::Label)).collect::<Result<_, _>>()?;
        let amount = find(&columns.amount, Purpose::Amount)?;
        let time = find(&columns.created_at, Purpose::Time)?;
        let success = columns.success.as_ref().map(|field| find(field, Purpose::Flag)).transpose()?;
        let id = find(&columns.id, Purpose::Id)?;
        let wanted = match wanted_rule(rule, &labels, &user, usual, version) {
            Some(by_label) => conditions(by_label, &id, &user, &amount, &time, success.as_ref()),
            None => None,
        };
        let id_nullable = id.nullable || id.wire == Wire::Text;
        let mut details = Details::of_id(columns.id.written.clone(), id);
        let mut place = |field: &Field, purpose| details.place(relation, field, purpose);
        let mut places = |fields: &[Field]| -> Result<Vec<usize>, String> {
            fields.iter().map(|field| place(field, Purpose::Text)).collect()
        };
        let (reference, payment) = (places(&columns.reference)?, places(&columns.payment)?);
        let mut optional = |field: &Option<Field>, purpose| {
            field.as_ref().map(|field| details.place(relation, field, purpose)).transpose()
        };
        let link = optional(&columns.link, Purpose::Text)?;
        let migrated = optional(&columns.migrated, Purpose::Text)?;
        let expires_at = optional(&columns.expires_at, Purpose::Time)?;
        let balance_after = optional(&columns.balance_after, Purpose::Amount)?;
        let token_sum = token_sum(&amount);
        let read: Vec<&Expression> =
            [&user].into_iter().chain(&labels).chain([&amount, &time]).chain(&success).collect();
        let sure_keys = never_null(key_names(columns).zip(read));
        let sure_details = never_null(details.sent.iter().map(|(name, sent)| (name, sent)));
        let fold = success.as_ref().and_then(|success| folded(&amount, success));
        let folded = fold.is_some();
        let success = success.filter(|_| !folded);
        let keys = [fold.unwrap_or(amount), time].into_iter().chain(success);
        let keys: Vec<Expression> = [user].into_iter().chain(labels).chain(keys).collect();
        let Details { sent, fields } = details;
        let (detail_names, details): (Vec<String>, Vec<Expression>) = sent.into_iter().unzip();
        let mut outputs: Vec<String> = keys.iter().map(|key| key.sql.clone()).collect();
        let details_sql: Vec<String> = details.iter().map(|detail| detail.sql.clone()).collect();
        match &wanted {
            Some(wanted) => {
                outputs.push(format!("case when {wanted} then row({}) end", details_sql.join(", ")))
            }
            None => outputs.extend(details_sql),
        }
        let (table, all) = (relation.sql(), relation.all_rows());
        Ok(Layout {
            keys: keys.iter().map(|key| key.wire).collect(),
            labels: columns.action.len(),
            folded,
            details: details.iter().map(|detail| detail.wire).collect(),
            detail_names,
            fields,
            reference,
            payment,
            link,
            migrated,
            expires_at,
            balance_after,
            conditional: wanted.is_some(),
            id_nullable,
            sure_keys,
            sure_details,
            select: format!("select {} from {table} t", outputs.join(", ")),
            all,
            control: format!("select count(*), {token_sum} from {table} t{all}"),
            by_place: relation.by_place(),
        })
    }

    /// The COPY of all rows, or of those in blocks `from..to` (no end: all the rest).
    pub fn copy(&self, blocks: Option<(i64, Option<i64>)>) -> String {
        let place = match blocks {
            None => self.all.to_owned(),
            Some((from, None)) => format!(" where t.ctid >= '({from},0)'"),
            Some((from, Some(to))) => format!(" where t.ctid >= '({from},0)' and t.ctid < '({to},0)'"),
        };
        format!("copy ({}{place}) to stdout (format binary)", self.select)
    }
}

/// The key columns as written, in the order in which [`super::super::KeyColumns`] has them.
fn key_names(columns: &Columns) -> impl Iterator<Item = &String> {
    let last = [&columns.amount, &columns.created_at].into_iter().chain(&columns.success);
    [&columns.user].into_iter().chain(&columns.action).chain(last).map(|field| &field.written)
}

/// Place and name of those that are never null.
fn never_null<'a>(read: impl Iterator<Item = (&'a String, &'a Expression)>) -> Vec<(usize, String)> {
    let places = read.enumerate().filter(|(_, (_, expression))| !expression.nullable);
    places.map(|(place, (name, _))| (place, name.clone())).collect()
}

/// Details as they are sent, and the fields among them, each once.
struct Details {
    sent: Vec<(String, Expression)>,
    fields: Vec<Detail>,
}

impl Details {
    fn of_id(name: String, id: Expression) -> Details {
        Details { sent: vec![(name, id)], fields: vec![Detail { column: 0, path: Vec::new() }] }
    }

    fn place(&mut self, relation: &Relation, field: &Field, purpose: Purpose) -> Result<usize, String> {
        let (wanted, path) = detail(relation, field, purpose)?;
        let name = if path.is_empty() { &field.written } else { &field.column };
        let column = place_in(&mut self.sent, (name.clone(), wanted));
        Ok(place_in(&mut self.fields, Detail { column, path: path.to_vec() }))
    }
}

/// Place of an item in a list that holds each once.
fn place_in<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// The rule on labels as SQL; `None`: every row is wanted.
fn wanted_rule(
    rule: &DetailRule,
    labels: &[Expression],
    user: &Expression,
    usual: &[String],
    version: u32,
) -> Option<String> {
    let DetailRule::Labels { listed, usage, user: kept_user } = rule else { return None };
    let label = joined_label(labels);
    let array = |texts: &[String]| {
        let mut texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
        if let (3.., Some(last)) = (texts.len(), texts.last().cloned())
            && version >= HASHED_SINCE
        {
            texts.resize(texts.len().max(HASHED_FROM), last);
        }
        format!("array[{}]::text[]", texts.join(", "))
    };
    let mut any = vec![format!("{label} = any ({})", array(listed)), format!("btrim({label}, '/') = ''")];
    match usage {
        Some(usage) => any.push(format!("{label} <> all ({})", array(usage))),
        None => any.extend(grant_like(&label, listed)),
    }
    let mut by_label = any.join(" or ");
    let unwanted: Vec<String> = usual.iter().filter(|label| !rule.wants(label)).cloned().collect();
    if !unwanted.is_empty() {
        by_label = format!("not ({label} = any ({})) and ({by_label})", array(&unwanted));
    }
    Some(match kept_user.as_ref().and_then(|id| is_user(user, id)) {
        Some(by_user) => format!("{by_label} or {by_user}"),
        None => by_label,
    })
}

/// What [`super::super::looks_like_a_grant`] says, for the server. The rules of "C" do not change an I
/// into another letter, as those of Turkish do.
pub(crate) fn grant_like(label: &str, listed: &[String]) -> Vec<String> {
    let bare = format!("regexp_replace(lower(({label}) collate \"C\"), '[^a-z0-9]', '', 'g')");
    let mut alike: Vec<String> = listed.iter().map(|listed| bare_label(listed)).collect();
    alike.retain(|listed| !listed.is_empty());
    alike.extend(alike.clone().into_iter().map(|listed| format!("{listed}s")));
    let alike: Vec<String> = alike.iter().map(|listed| literal(listed)).collect();
    let ends = GRANT_SUFFIXES.iter().map(|suffix| format!("{bare} like '%{suffix}'"));
    ends.chain([format!("{bare} = any (array[{}]::text[])", alike.join(", "))]).collect()
}

/// The first version that looks a constant up in a hash table of many constants, and how many they
/// have to be. Fewer are compared one after the other, which costs more from three on: then the last
/// one is repeated.
const HASHED_SINCE: u32 = 140_000;
const HASHED_FROM: usize = 9;

/// What is added to the amount of a row that did not succeed, and twice that where nobody knows. No
/// integer of 32 bits reaches half as far.
const FOLD: i64 = 1 << 33;

/// Amount and success as one integer, since each further column costs the server more than this sum:
/// where the amount has 32 bits and is never null. Of the flag it is always asked: a null that cannot be
/// would count as a failure otherwise, and nobody would see it.
fn folded(amount: &Expression, success: &Expression) -> Option<Expression> {
    if amount.wire != Wire::Small || amount.nullable || success.wire != Wire::Boolean {
        return None;
    }
    let (tokens, flag) = (&amount.sql, &success.sql);
    let sql = format!(
        "case when {flag} then {tokens}::int8 when not {flag} then {tokens}::int8 + {FOLD}::int8 \
         else {tokens}::int8 + {}::int8 end",
        2 * FOLD
    );
    Some(Expression { sql, wire: Wire::Integer, nullable: false })
}

/// Takes amount and success apart again. Where there is nothing, there is no amount.
pub(super) fn unfold(folded: &Int64Array) -> (Int64Array, BooleanArray) {
    let folds = |value: i64| (value + FOLD / 2).div_euclid(FOLD);
    let amounts = folded.values().iter().map(|value| value - folds(*value) * FOLD).collect();
    let flag = |test: fn(i64) -> bool| {
        let values = folded.values();
        BooleanBuffer::collect_bool(values.len(), |at| test(folds(values[at])))
    };
    let unknown = flag(|folds| folds > 1);
    let known = (unknown.count_set_bits() > 0).then(|| NullBuffer::new(!&unknown));
    (Int64Array::new(amounts, folded.nulls().cloned()), BooleanArray::new(flag(|folds| folds == 0), known))
}

/// True where the row is this user's; `None`: no value of the column can be.
fn is_user(user: &Expression, id: &RowId) -> Option<String> {
    let (sql, text) = (&user.sql, id.to_string());
    match (user.wire, id) {
        (Wire::Uuid, RowId::Uuid(_)) => Some(format!("{sql} = {}::uuid", literal(&text))),
        (Wire::Uuid, RowId::Text(_)) => None,
        (Wire::Integer | Wire::Numeric, _) => {
            text.parse::<i64>().ok().map(|number| format!("{sql} = ({number})::int8"))
        }
        // A UUID in a column of text may be written in either case.
        (_, RowId::Uuid(_)) => Some(format!("lower({sql}::text) = {}", literal(&text))),
        (_, RowId::Text(_)) => Some(format!("{sql}::text = {}", literal(&text))),
    }
}

/// The label of a row: the texts of all its columns joined with `/`, null as the empty text.
pub(super) fn joined_label(labels: &[Expression]) -> String {
    let each: Vec<String> = labels
        .iter()
        .map(|label| {
            let text = if label.sql.ends_with("::text") {
                label.sql.clone()
            } else {
                format!("{}::text", label.sql)
            };
            if label.nullable { format!("coalesce({text}, '')") } else { text }
        })
        .collect();
    match each.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(" || '/' || ")),
    }
}

/// The rule with every reason for which a row may be rejected; `None`: only the client can tell.
fn conditions(
    by_label: String,
    id: &Expression,
    user: &Expression,
    amount: &Expression,
    time: &Expression,
    success: Option<&Expression>,
) -> Option<String> {
    let mut any = vec![by_label];
    for key in [id, user] {
        if key.nullable {
            any.push(format!("{} is null", key.sql));
        }
        match key.wire {
            Wire::Text => any.push(is_nothing(&key.sql)),
            Wire::Numeric => any.push(format!("({}) is not true", whole_number(key))),
            _ => {}
        }
    }
    match amount.wire {
        Wire::Small if amount.nullable => any.push(format!("{} is null", amount.sql)),
        Wire::Small => {}
        Wire::Integer | Wire::Numeric | Wire::Float => {
            any.push(format!("({}) is not true", whole_number(amount)))
        }
        _ => return None,
    }
    match time.wire {
        // Beyond these years a time is infinite, or cannot be shifted between zones.
        Wire::Zoned | Wire::Wall | Wire::Date => {
            any.push(format!("({0} >= '0002-01-01' and {0} < '9999-01-01') is not true", time.sql))
        }
        _ => return None,
    }
    any.extend(success.and_then(unknown_flag));
    Some(any.join(" or "))
}

/// True at least where a flag says neither yes nor no; `None`: it always says one of them, or nothing.
fn unknown_flag(flag: &Expression) -> Option<String> {
    let sql = &flag.sql;
    match flag.wire {
        Wire::Boolean => None,
        Wire::Small | Wire::Integer => Some(format!("{sql} not between 0 and 1")),
        _ => {
            let known = TRUE_WORDS.iter().chain(&FALSE_WORDS).chain(&["0", "1", ""]);
            let known: Vec<String> = known.map(|word| literal(word)).collect();
            Some(format!("lower({sql}::text) <> all (array[{}]::text[])", known.join(", ")))
        }
    }
}

/// True where the value is an integer that can be an amount.
fn whole_number(value: &Expression) -> String {
    let sql = &value.sql;
    match value.wire {
        Wire::Numeric => {
            format!("{sql} between -9223372036854775807 and 9223372036854775807 and {sql} = trunc({sql})")
        }
        // Integers above 2^53 are not exact in a float.
        Wire::Float => format!("abs({sql}::float8) < 9007199254740992 and {sql} = trunc({sql}::float8)"),
        // The most negative integer has no magnitude.
        _ => format!("{sql} > '-9223372036854775808'::int8"),
    }
}

/// The sum of the amounts that are integers, as the server counts it.
fn token_sum(amount: &Expression) -> String {
    let sql = &amount.sql;
    let value = match amount.wire {
        Wire::Small => return format!("coalesce(sum({sql}), 0)"),
        Wire::Float => format!("{sql}::float8::int8"),
        Wire::Text => {
            let whole = format!("split_part(btrim({sql}, E' \\t\\n\\f\\r'), '.', 1)");
            let pattern = r"^[ \t\n\f\r]*[+-]?[0-9]+(\.0*)?[ \t\n\f\r]*$";
            let integer = format!("case when {sql} ~ {} then {whole}::numeric end", literal(pattern));
            return format!(
                "coalesce(sum(case when {integer} between -9223372036854775807 and 9223372036854775807 \
                 then {integer} end), 0)"
            );
        }
        _ => sql.clone(),
    };
    format!("coalesce(sum(case when {} then {value} end), 0)", whole_number(amount))
}

/// The stored balances of all users.
pub(super) fn stored(relation: &Relation, user: &Field, balance: &Field) -> Result<String, String> {
    let user = expression(relation, user, Purpose::Text)?;
    let balance = expression(relation, balance, Purpose::Text)?;
    Ok(format!("select {}, {} from {} t", user.sql, balance.sql, relation.sql()))
}

/// The members of pools, each configured column as text.
pub(super) fn pools(relation: &Relation, fields: &[&Field]) -> Result<String, String> {
    let columns: Result<Vec<String>, String> =
        fields.iter().map(|field| Ok(expression(relation, field, Purpose::Text)?.sql)).collect();
    Ok(format!("select {} from {} t", columns?.join(", "), relation.sql()))
}
