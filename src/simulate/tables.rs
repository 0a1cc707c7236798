//! The tables: their columns in both shapes, and how a row fills them.

use std::fmt::Write as _;

use super::Shape;
use super::calendar::DAY;
use super::rows::{LegacyRow, Movement, UnifiedRow, Usage};
use super::sheet::Sheet;
use super::usage::ACTIONS;
use super::user::User;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Id,
    Text,
    Number,
    Time,
    Flag,
    Json,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    /// Its values are mostly all different.
    pub(super) is_unlike: bool,
}

const fn column(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, is_unlike: false }
}

const fn unlike(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, is_unlike: true }
}

const LEGACY_A: &[Column] = &[
    unlike("id", Holds::Id),
    column("user_id", Holds::Id),
    column("transaction_type", Holds::Text),
    column("token_amount", Holds::Number),
    column("balance_before", Holds::Number),
    column("balance_after", Holds::Number),
    column("source", Holds::Text),
    unlike("created_at", Holds::Time),
];

const LEGACY_B: &[Column] = &[
    unlike("id", Holds::Id),
    column("user_id", Holds::Id),
    column("action_type", Holds::Text),
    column("tokens_used", Holds::Number),
    column("tokens_remaining", Holds::Number),
    column("metadata", Holds::Json),
    unlike("created_at", Holds::Time),
    column("amount_paid_cents", Holds::Number),
    column("stripe_payment_intent_id", Holds::Text),
    column("stripe_session_id", Holds::Text),
    column("subscription_id", Holds::Id),
    column("token_pack_id", Holds::Text),
    column("expires_at", Holds::Time),
];

/// The columns of the legacy table.
pub(super) fn legacy(shape: Shape) -> &'static [Column] {
    match shape {
        Shape::A => LEGACY_A,
        Shape::B => LEGACY_B,
    }
}

pub(super) const UNIFIED: &[Column] = &[
    unlike("id", Holds::Id),
    column("user_id", Holds::Id),
    column("action_type", Holds::Text),
    column("model_used", Holds::Text),
    column("tokens_used", Holds::Number),
    column("input_tokens", Holds::Number),
    column("output_tokens", Holds::Number),
    column("cost_estimate", Holds::Number),
    column("success", Holds::Flag),
    column("error_message", Holds::Text),
    column("metadata", Holds::Json),
    unlike("created_at", Holds::Time),
];

pub(super) const PROFILES: &[Column] =
    &[unlike("user_id", Holds::Id), column("vibe_assistant_tokens_remaining", Holds::Number)];

pub(super) const MEMBERS: &[Column] =
    &[unlike("user_id", Holds::Id), column("household_id", Holds::Id), column("admin_user_id", Holds::Id)];

/// One row of the legacy table; `after` is the balance after it.
pub(super) fn legacy_row(sheet: &mut Sheet, shape: Shape, user: &User, row: &LegacyRow, after: i64) {
    sheet.uuid(row.id);
    if row.has_user {
        sheet.uuid(user.id)
    } else {
        sheet.null()
    };
    let is_negative = row.at.is_some_and(|at| user.world.calendar.is_negative_era(at)) != row.contrary_sign;
    let stored = row.tokens.map(|tokens| if is_negative { -tokens } else { tokens });
    let change = row.movement.signed(row.tokens.unwrap_or(0));
    match shape {
        Shape::A => {
            let (transaction_type, source) = row.movement.labels();
            sheet.text(transaction_type);
            optional_number(sheet, stored);
            sheet.number(after - change).number(after).text(source);
            optional_time(sheet, row.at);
        }
        Shape::B => {
            sheet.text(row.movement.label());
            optional_number(sheet, stored);
            // What the column means changed with the writer: after, then size, then after again.
            let is_size_era = row.at.is_some_and(|at| user.world.calendar.era(at) == 1);
            sheet.number(if is_size_era { change } else { after });
            legacy_b_details(sheet, user, row);
        }
    }
    sheet.end();
}

fn legacy_b_details(sheet: &mut Sheet, user: &User, row: &LegacyRow) {
    sheet.json(match row.movement {
        Movement::Annual => "{\"plan\":\"annual\"}",
        Movement::Renewal => "{\"plan\":\"28_days\"}",
        _ => "",
    });
    optional_time(sheet, row.at);
    match row.payment {
        Some(payment) => {
            let (cents, _) = pack(row.tokens.unwrap_or(0));
            sheet.number(cents).text(&format!("pi_{payment:016x}"));
            sheet.text(&format!("cs_live_{:016x}", payment.rotate_left(17) ^ 0x5e55));
        }
        None => drop(sheet.null().null().null()),
    }
    match row.movement {
        Movement::Annual | Movement::Renewal => sheet.uuid(user.id ^ 0x5b5c_71f7_10e5),
        _ => sheet.null(),
    };
    match row.movement {
        Movement::Pack => sheet.text(pack(row.tokens.unwrap_or(0)).1),
        _ => sheet.null(),
    };
    let ends = match row.movement {
        Movement::Annual => row.at.map(|at| at + 365 * DAY),
        Movement::Trial => row.at.map(|at| at + 56 * DAY),
        _ => None,
    };
    optional_time(sheet, ends);
}

/// Price in cents and name of a pack.
fn pack(tokens: i64) -> (i64, &'static str) {
    match tokens {
        1_200_000 => (7_999, "pack_1200k"),
        500_000 => (3_999, "pack_500k"),
        _ => (999, "pack_100k"),
    }
}

fn optional_number(sheet: &mut Sheet, number: Option<i64>) {
    match number {
        Some(number) => sheet.number(number),
        None => sheet.no_number(),
    };
}

fn optional_time(sheet: &mut Sheet, at: Option<i64>) {
    match at {
        Some(at) => sheet.time(at),
        None => sheet.null(),
    };
}

/// A grant or deduction of the unified table. `json` is room to write in.
pub(super) fn unified_row(sheet: &mut Sheet, user: &User, row: &UnifiedRow, json: &mut String) {
    let owner = row.other.map_or(user.id, |other| user.others[other].id);
    sheet.uuid(row.id).uuid(owner).text(row.action);
    sheet.text(if row.migrated { "migration" } else { "system" }).number(row.tokens);
    sheet.null().null().null().flag(!row.failed);
    if row.failed {
        sheet.text("limit reached")
    } else {
        sheet.null()
    };
    json.clear();
    if let Some(payment) = row.payment {
        push(json, format_args!("\"payment_intent\":\"pi_{payment:016x}\""));
    }
    if let Some(link) = row.link {
        push(json, format_args!("\"legacy_id\":\"{}\"", uuid::Uuid::from_u128(link)));
    }
    if row.migrated {
        push(json, format_args!("\"migrated_from\":\"token_transactions\""));
    }
    if !json.is_empty() {
        json.push('}');
    }
    sheet.json(json).time(row.at).end();
}

fn push(json: &mut String, pair: std::fmt::Arguments<'_>) {
    json.push(if json.is_empty() { '{' } else { ',' });
    json.write_fmt(pair).expect("a string takes what is written");
}

/// A row of usage.
pub(super) fn usage_row(sheet: &mut Sheet, user: &User, row: &Usage, json: &mut String) {
    let action = &ACTIONS[usize::from(row.action)];
    let owner = row.other.map_or(user.id, |other| user.others[other].id);
    sheet.uuid(row.id).uuid(owner).text(action.name).text(action.model).number(row.tokens);
    // About a third is what the user wrote.
    let input = row.tokens / 3;
    sheet.number(input).number(row.tokens - input).number(row.tokens * action.price / 1_000);
    sheet.flag(!row.failed);
    if row.failed {
        sheet.text("model timed out")
    } else {
        sheet.null()
    };
    json.clear();
    let session = (row.at.div_euclid(DAY) as u64).wrapping_mul(0x9e37_79b9) ^ user.id as u64;
    write!(json, "{{\"session\":\"{:08x}\"}}", session as u32).expect("a string takes what is written");
    sheet.json(json).time(row.at).end();
}
