//! The action types of a configuration as database, app and job read them: CHECK constraint,
//! TypeScript union, JSON.

use super::{Columns, Config, UnifiedConfig, quote_identifier};

/// Said where no usage list is configured.
const INCOMPLETE: [&str; 2] = [
    "Not complete: no usage labels are configured, so these are the grants and deductions alone.",
    "List the usage labels in [unified] usage, or rows of usage are refused.",
];

/// What has to be done before the constraint is put in place, if anything: `usage` is no list yet.
pub fn to_do_first(config: &Config) -> Option<&'static str> {
    let refused = "list the labels of use in [unified] usage first, or it refuses every row of use";
    config.unified.usage.is_none().then_some(refused)
}

/// All labels of the unified table that are listed: grants, deductions, usage.
fn labels(unified: &UnifiedConfig) -> impl Iterator<Item = &String> {
    unified.grants.iter().chain(&unified.deductions).chain(unified.usage.iter().flatten())
}

/// The action types as CHECK constraint of the unified table: one transaction that exchanges the
/// constraint `<table>_<column>_check`.
pub fn sql(config: &Config) -> String {
    let unified = &config.unified;
    let target = unified.columns.origin.target();
    let columns: Vec<&str> = unified.columns.action.iter().map(|field| field.column.as_str()).collect();
    let name = quote_identifier(&format!("{}_{}_check", target.name, columns.join("_")));
    let table = target.sql();
    let listed: Vec<String> = labels(unified).map(|label| format!("    {}", quote_literal(label))).collect();
    let mut text = format!("-- The action types of {}, as the configuration lists them.\n", one_line(&table));
    text.push_str("-- Grants add to a balance, deductions and usage take from it.\n");
    if unified.usage.is_none() {
        for line in INCOMPLETE {
            text.push_str(&format!("-- {line}\n"));
        }
    }
    text.push_str(&format!(
        "begin;\n\
         set local lock_timeout = '5s';\n\
         set local statement_timeout = '50s';\n\
         alter table {table} drop constraint if exists {name};\n\
         alter table {table} add constraint {name} check ({expression} in (\n{list}\n));\n\
         commit;\n",
        expression = action_expression(&unified.columns),
        list = listed.join(",\n"),
    ));
    text
}

/// The label as SQL computes it from one or several columns or JSON paths.
fn action_expression(columns: &Columns) -> String {
    let parts: Vec<String> = columns
        .action
        .iter()
        .map(|field| {
            let mut expression = quote_identifier(&field.column);
            for (depth, key) in field.path.iter().enumerate() {
                let arrow = if depth + 1 == field.path.len() { "->>" } else { "->" };
                expression.push_str(&format!(" {arrow} {}", quote_literal(key)));
            }
            if field.path.is_empty() { expression } else { format!("({expression})") }
        })
        .collect();
    match parts.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" || '/' || ")),
    }
}

/// A text as SQL literal, right whatever `standard_conforming_strings` says.
fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A name fit for a comment.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The action types as TypeScript: one constant a kind, and the union `TokenActionType`.
pub fn typescript(config: &Config) -> String {
    let unified = &config.unified;
    let table = one_line(&unified.columns.origin.target().to_string());
    let mut text = format!("// The action types of {table}, as the configuration of reckon lists them.\n");
    if unified.usage.is_none() {
        for line in INCOMPLETE {
            text.push_str(&format!("// {line}\n"));
        }
    }
    let kinds = [
        ("TOKEN_GRANT_ACTIONS", Some(&unified.grants), "add to a balance"),
        ("TOKEN_DEDUCTION_ACTIONS", Some(&unified.deductions), "take from a balance"),
        ("TOKEN_USAGE_ACTIONS", unified.usage.as_ref(), "use tokens up"),
    ];
    let mut spread = Vec::new();
    for (name, labels, what) in kinds {
        let Some(labels) = labels else { continue };
        text.push_str(&format!("\n/** Actions that {what}. */\nexport const {name} = [\n"));
        for label in labels {
            text.push_str(&format!("  {},\n", json_text(label)));
        }
        text.push_str("] as const;\n");
        spread.push(format!("  ...{name},\n"));
    }
    text.push_str(&format!(
        "\nexport const TOKEN_ACTION_TYPES = [\n{}] as const;\n\n\
         export type TokenActionType = (typeof TOKEN_ACTION_TYPES)[number];\n",
        spread.concat()
    ));
    text
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The action types as JSON. `usage` is null and `complete` false where no usage list is
/// configured.
pub fn json(config: &Config) -> String {
    let unified = &config.unified;
    let columns: Vec<&str> = unified.columns.action.iter().map(|field| field.written.as_str()).collect();
    let value = serde_json::json!({
        "table": unified.columns.origin.target().to_string(),
        "action": columns,
        "grants": unified.grants,
        "deductions": unified.deductions,
        "usage": unified.usage,
        "unified_only": unified.unified_only,
        "action_types": labels(unified).collect::<Vec<_>>(),
        "complete": unified.usage.is_some(),
    });
    format!("{value:#}\n")
}
