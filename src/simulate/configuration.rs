//! The configuration that reads the ledgers, and the schema that holds them.

use super::plant::OPENING_TOKENS;
use super::user::Policies;
use super::{Defect, Format, Settings, Shape, text};

/// The part of `reckon.toml` that every ledger has.
const UNIFIED: &str = r#"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
success = "success"
reference = ["metadata.payment_intent"]
link = "metadata.legacy_id"
migrated = "metadata.migrated_from"
grants = ["admin_grant", "subscription_grant", "trial_grant", "token_pack_purchase"]
deductions = ["admin_deduct"]
unified_only = ["trial_grant", "admin_grant", "token_pack_purchase"]

[matching]
tolerance = "2s"
window = "24h"
settle = "5m"
"#;

const LEGACY_A: &str = r#"
id = "id"
user = "user_id"
action = ["transaction_type", "source"]
amount = "token_amount"
created_at = "created_at"
balance_after = "balance_after"
sign = "by_action"                        # eras of stored grants differ in sign

[legacy.actions]                          # `grant/loyalty` has no meaning, on purpose
"grant/subscription" = "subscription_grant"
"grant/trial" = "trial_grant"
"grant/admin" = "admin_grant"
"purchase/stripe" = "token_pack_purchase"
"deduction/admin" = "admin_deduct"
"usage/chat" = "usage"
"transfer/household" = "ignore"
"#;

const LEGACY_B: &str = r#"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
balance_after = "tokens_remaining"
sign = "by_action"                        # eras of stored grants differ in sign
reference = ["stripe_payment_intent_id"]

[legacy.actions]                          # `loyalty_bonus` has no meaning, on purpose
subscription_grant = "subscription_grant"
annual_subscription_grant = "subscription_grant"
renewal_grant = "subscription_grant"
trial_grant = "trial_grant"
admin_grant = "admin_grant"
pack_purchase = "token_pack_purchase"
manual_adjustment = "admin_grant"
admin_deduct = "admin_deduct"
chat = "usage"
refinement = "usage"
image = "usage"
audio = "usage"
pool_transfer = "ignore"
"#;

/// What the planted kinds need the configuration to say.
pub(super) fn policies(settings: &Settings) -> Policies {
    let has = |kind| settings.plants(kind);
    Policies {
        opening: has(Defect::Opening),
        reset: has(Defect::Reset),
        clamp: has(Defect::Clamp),
        expiry: has(Defect::Expired),
        pools: has(Defect::Pool),
    }
}

/// A table in the form of the ledgers.
fn origin(settings: &Settings, table: &str) -> String {
    let path = format!("{table}.{}", settings.format.ending());
    match settings.format {
        Format::Sql => format!("table = \"public.{table}\""),
        _ => format!("path = \"{path}\"\ntable = \"public.{table}\""),
    }
}

/// The same on one line.
fn inline_origin(settings: &Settings, table: &str) -> String {
    match settings.format {
        Format::Sql => format!("table = \"public.{table}\""),
        _ => format!("path = \"{table}.{}\"", settings.format.ending()),
    }
}

/// `reckon.toml`.
pub(super) fn reckon_toml(settings: &Settings) -> String {
    let mut as_of = Vec::new();
    text::time(settings.as_of, &mut as_of);
    let as_of = String::from_utf8_lossy(&as_of).replace(' ', "T").replace("+00", "Z");
    let legacy = if settings.shape == Shape::A { LEGACY_A } else { LEGACY_B };
    format!(
        "# Made by `reckon simulate`. What must become of each row stands in truth.csv, the findings that\n\
         # must be found in truth_findings.csv, the balances in truth_balances.csv:\n#\n\
         #   {}reckon reconcile --config reckon.toml --out run\n\n\
         as_of = \"{as_of}\"\n\n\
         [legacy]\n{}{legacy}\n[unified]\n{}{UNIFIED}\n{}\n\
         [backfill]\nvalues = {{ model_used = \"migration\" }}\n\n[history]\nfolder = \"history\"\n",
        if settings.format == Format::Sql { "DATABASE_URL=… " } else { "" },
        origin(settings, "token_transactions"),
        origin(settings, "token_usage"),
        balances_toml(settings),
    )
}

fn balances_toml(settings: &Settings) -> String {
    let policies = policies(settings);
    let several = if settings.plants(Defect::TwoProfiles) { ", several_rows = \"sum\"" } else { "" };
    let mut toml = format!(
        "[balances]\nstored = {{ {}, user = \"user_id\", balance = \"vibe_assistant_tokens_remaining\"{several} }}\n\
         failed_usage = \"ignore\"\n",
        inline_origin(settings, "user_profiles"),
    );
    if policies.opening {
        toml += &format!("opening_tokens = {OPENING_TOKENS}\n");
    }
    if policies.reset {
        toml += "reset_actions = [\"subscription_grant\"]\n";
    }
    if policies.clamp {
        toml += "floor = \"clamp\"\n";
    }
    if policies.expiry {
        toml += "\n[balances.expiry]\norder = \"earliest_expiry\"\nafter = { trial_grant = \"56d\" }\n";
    }
    if policies.pools {
        toml += "\n[balances.pools]\n";
        toml += &inline_origin(settings, "household_members");
        toml += "\nuser = \"user_id\"\npool = \"household_id\"\nowner = \"admin_user_id\"\n";
    }
    toml
}

/// The tables, without keys: those come after the rows.
pub(super) fn schema_sql(settings: &Settings) -> String {
    let legacy = match settings.shape {
        Shape::A => include_str!("sql/legacy_a.sql"),
        Shape::B => include_str!("sql/legacy_b.sql"),
    };
    let mut unified = include_str!("sql/unified.sql").to_owned();
    if settings.plants(Defect::UnmappedAction) {
        // The planted label without a meaning has to get past the constraint.
        unified = unified.replace(
            "'life_vision_master_assembly'\n",
            "'life_vision_master_assembly',\n    'loyalty_bonus'\n",
        );
    }
    format!("{legacy}{unified}")
}
