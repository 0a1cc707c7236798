//! What is proposed for tables of several shapes.

use std::path::Path;

use super::labels::{Direction, Meaning, Vocabulary, direction, words};
use super::*;
use crate::config::{Config, LegacyMeaning, parse};

/// A table whose columns are written `name:shape` and, for JSON, `name:json=key+key`.
fn sample(place: Place, columns: &str) -> Sample {
    let column = |text: &str| {
        let (name, shape) = text.split_once(':').unwrap();
        let (shape, keys) = shape.split_once('=').unwrap_or((shape, ""));
        let shape = match shape {
            "uuid" => Shape::Uuid,
            "int" => Shape::Integer,
            "bool" => Shape::Boolean,
            "timestamptz" => Shape::Zoned,
            "timestamp" => Shape::Unzoned,
            "json" => Shape::Json,
            "text" => Shape::Text,
            other => panic!("{other}"),
        };
        Column {
            name: name.to_owned(),
            shape,
            required: false,
            primary_key: false,
            filled: 10,
            default: None,
            listed: Vec::new(),
            odd: Default::default(),
            values: Default::default(),
            json_keys: keys.split('+').filter(|key| !key.is_empty()).map(|key| (key.to_owned(), 5)).collect(),
        }
    };
    Sample { place, columns: columns.split_whitespace().map(column).collect(), rows: 10, whole: true }
}

fn table(name: &str) -> Place {
    Place::Table(TableName { schema: Some("public".to_owned()), name: name.to_owned() })
}

/// Labels written `label rows`, all amounts above zero.
fn labels(text: &[(&str, u64)]) -> Labels {
    let count = |rows: u64| LabelCount { rows, positive: rows, ..LabelCount::default() };
    text.iter().map(|(label, rows)| ((*label).to_owned(), count(*rows))).collect()
}

fn seen(sample: Sample, labels: Labels) -> Seen {
    let roles = side_roles(&sample).unwrap();
    Seen { sample, roles, labels }
}

const UNIFIED: &str = "id:uuid user_id:uuid action_type:text model_used:text tokens_used:int input_tokens:int \
    output_tokens:int cost_estimate:int success:bool error_message:text \
    metadata:json=legacy_id+migrated_from+payment_intent created_at:timestamptz";
const SHAPE_A: &str = "id:uuid user_id:uuid transaction_type:text token_amount:int balance_before:int \
    balance_after:int source:text created_at:timestamptz";
const SHAPE_B: &str = "id:uuid user_id:uuid action_type:text tokens_used:int tokens_remaining:int metadata:json \
    created_at:timestamptz amount_paid_cents:int stripe_payment_intent_id:text stripe_session_id:text \
    subscription_id:uuid token_pack_id:text expires_at:timestamptz";

fn unified(rows: &[(&str, u64)]) -> Seen {
    seen(sample(table("token_usage"), UNIFIED), labels(rows))
}

fn proposed(legacy: &Seen, unified: &Seen) -> (Config, Proposal) {
    let proposal = propose(legacy, unified, None);
    let config = parse(Path::new("reckon.toml"), &proposal.text)
        .unwrap_or_else(|error| panic!("{error}\n{}", proposal.text));
    (config, proposal)
}

#[test]
fn columns_are_found_by_name_and_shape() {
    let cases = [
        (UNIFIED, "id user_id action_type tokens_used created_at"),
        (SHAPE_A, "id user_id transaction_type+source token_amount created_at"),
        (SHAPE_B, "id user_id action_type tokens_used created_at"),
        (
            "transaction_id:int accountId:text kind:text amount:int balance:int created:timestamp",
            "transaction_id accountId kind amount created",
        ),
        (
            "uuid:uuid customer:text type:text reason:text quantity:int occurred_at:timestamp",
            "uuid customer type+reason quantity occurred_at",
        ),
        (
            "id:text app_user_ref:text event:text price_cents:int ai_tokens_total:int tokens_remaining:int \
             expires_at:timestamptz logged:timestamptz",
            "id app_user_ref event ai_tokens_total logged",
        ),
    ];
    for (columns, expected) in cases {
        let roles = side_roles(&sample(table("t"), columns)).unwrap();
        let action = roles.action.join("+");
        let found = [roles.id, roles.user, action, roles.amount, roles.created_at];
        assert_eq!(found.join(" "), expected);
    }
}

#[test]
fn optional_columns_and_json_paths_are_found_by_name() {
    let roles = side_roles(&sample(table("t"), UNIFIED)).unwrap().more;
    assert_eq!(roles.success.as_deref(), Some("success"));
    assert_eq!(roles.link.as_deref(), Some("metadata.legacy_id"));
    assert_eq!(roles.migrated.as_deref(), Some("metadata.migrated_from"));
    assert_eq!(roles.reference, ["metadata.payment_intent"]);
    let roles = side_roles(&sample(table("t"), SHAPE_B)).unwrap().more;
    assert_eq!(roles.reference, ["stripe_payment_intent_id", "stripe_session_id"]);
    assert_eq!(roles.packs, ["token_pack_id"]);
    assert_eq!(roles.expires_at.as_deref(), Some("expires_at"));
    assert_eq!(roles.balance_after.as_deref(), Some("tokens_remaining"));
}

#[test]
fn what_is_missing_is_named_with_what_is_there() {
    let cases = [
        ("name:text", "a row id", "id"),
        ("id:uuid name:text", "a user id", "user"),
        (
            "id:uuid user_id:uuid action:text at:timestamp tokens_remaining:int",
            "an amount of tokens",
            "amount",
        ),
        ("id:uuid user_id:uuid action:text tokens:int", "a time", "created_at"),
        ("id:uuid user_id:uuid tokens:int at:timestamp", "a label", "action"),
    ];
    for (columns, what, key) in cases {
        let names: Vec<&str> =
            columns.split_whitespace().map(|text| text.split(':').next().unwrap()).collect();
        let expected = format!(
            "public.t: no column looks like {what} (columns: {}); write reckon.toml by hand and name it as `{key}`",
            names.join(", ")
        );
        assert_eq!(side_roles(&sample(table("t"), columns)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn labels_are_read_as_words() {
    let cases = [
        ("grant/token_pack", "grant token pack"),
        ("RenewalGrant", "renewal grant"),
        ("admin-grant 2", "admin grant 2"),
        ("CHAT", "chat"),
    ];
    for (label, expected) in cases {
        assert_eq!(words(label).join(" "), expected);
    }
}

#[test]
fn unified_labels_add_take_use_or_are_unclear() {
    use Direction::{Adds, Takes, Unclear, Uses};
    let cases = [
        ("admin_grant", Adds),
        ("token_pack_purchase", Adds),
        ("signup_bonus", Adds),
        ("annualgrant", Adds),
        ("admin_deduct", Takes),
        ("chargeback", Takes),
        ("vision_generation", Uses),
        ("frequency_flip", Uses),
        ("life_vision_master_assembly", Uses),
        ("credits_used", Uses),
        ("manual_adjustment", Unclear),
        ("purchase_refund", Unclear),
        ("credit_usage", Uses),
        ("Gutschrift", Unclear),
        ("welcome", Unclear),
        ("monthly", Unclear),
        ("welcome_message", Unclear),
        ("image_pack", Unclear),
        ("gift_message", Unclear),
    ];
    for (label, expected) in cases {
        assert_eq!(direction(label), expected, "{label}");
    }
}

#[test]
fn legacy_labels_mean_unified_actions_where_that_is_clear() {
    let legacy = seen(sample(table("old"), SHAPE_B), labels(&[]));
    let unified = unified(&[
        ("admin_grant", 1),
        ("subscription_grant", 1),
        ("trial_grant", 1),
        ("token_pack_purchase", 1),
        ("admin_deduct", 1),
        ("frequency_flip", 1),
        ("credits_used", 1),
        ("gratis", 1),
    ]);
    let vocabulary = Vocabulary::of(&legacy, &unified);
    let cases = [
        ("subscription_grant", false, "subscription_grant"),
        ("renewal_grant", false, "subscription_grant"),
        ("annual_subscription_grant", false, "subscription_grant"),
        ("grant/subscription", false, "subscription_grant"),
        ("grant/trial", false, "trial_grant"),
        ("grant/admin", false, "admin_grant"),
        ("grant/token_pack", false, "token_pack_purchase"),
        ("pack_purchase", false, "token_pack_purchase"),
        ("token_pack", false, "token_pack_purchase"),
        ("purchase/stripe", false, "token_pack_purchase"),
        ("top_up", false, "token_pack_purchase"),
        ("deduction/admin", false, "admin_deduct"),
        ("deduction/", false, "admin_deduct"),
        ("refund/stripe", true, "admin_deduct"),
        ("refund/stripe", false, "unclear"),
        ("transfer/household", true, "unclear"),
        ("manual_adjustment", false, "unclear"),
        ("loyalty_bonus", false, "unclear"),
        ("grant/stripe", false, "unclear"),
        ("grant", false, "unclear"),
        ("something", false, "unclear"),
        ("chat", false, "usage"),
        ("refinement", false, "usage"),
        ("usage/chat", false, "usage"),
        ("frequency_flip", false, "usage"),
        ("flip", false, "usage"),
        // Words of use and of a grant: nobody can tell.
        ("image_pack_free", false, "unclear"),
        ("trial_chat", false, "unclear"),
        ("grant_consumed", false, "unclear"),
        // Part of the name of a use is no use.
        ("credits", false, "unclear"),
        // Unclear there, so unclear here.
        ("gratis", false, "unclear"),
    ];
    for (label, opposite, expected) in cases {
        let meaning = match vocabulary.meaning(label, opposite) {
            Meaning::Action(action) => action,
            Meaning::Usage => "usage".to_owned(),
            Meaning::Unclear => "unclear".to_owned(),
        };
        assert_eq!(meaning, expected, "{label}");
    }
}

#[test]
fn other_names_of_actions_are_found_by_their_words() {
    let legacy =
        seen(sample(table("old"), SHAPE_A), labels(&[("grant/subscription", 3), ("purchase/stripe", 2)]));
    let unified = unified(&[("plan_renewal_grant", 3), ("credit_purchase", 2), ("revoked", 1), ("chat", 9)]);
    let (config, _) = proposed(&legacy, &unified);
    let meaning = |label: &str| config.legacy.actions[label].clone();
    assert_eq!(meaning("grant/subscription"), LegacyMeaning::Action("plan_renewal_grant".to_owned()));
    assert_eq!(meaning("purchase/stripe"), LegacyMeaning::Action("credit_purchase".to_owned()));
    assert_eq!(config.unified.deductions, ["revoked"]);
}

#[test]
fn an_action_that_never_arrived_is_listed_all_the_same() {
    let legacy =
        seen(sample(table("old"), SHAPE_A), labels(&[("grant/subscription", 3), ("deduction/admin", 1)]));
    let (config, _) = proposed(&legacy, &unified(&[("admin_grant", 2), ("chat_conversation", 9)]));
    assert_eq!(config.unified.grants, ["admin_grant", "subscription_grant"]);
    assert_eq!(config.unified.deductions, ["admin_deduct"]);
}

#[test]
fn unclear_labels_stay_unmapped_on_both_sides() {
    let legacy =
        seen(sample(table("old"), SHAPE_B), labels(&[("renewal_grant", 3), ("manual_adjustment", 2)]));
    let unified = unified(&[("subscription_grant", 3), ("balance_correction", 1), ("chat_conversation", 9)]);
    let (config, proposal) = proposed(&legacy, &unified);
    assert_eq!(config.legacy.actions.keys().collect::<Vec<_>>(), ["renewal_grant"]);
    // With a usage list, a label that is in no list is a finding and not silently usage.
    assert_eq!(config.unified.usage, Some(vec!["chat_conversation".to_owned()]));
    let unclear = [("manual_adjustment".to_owned(), 2), ("balance_correction".to_owned(), 1)];
    assert_eq!(proposal.unclear, unclear);
    assert!(proposal.text.contains("# manual_adjustment = \"…\""), "{}", proposal.text);
}

#[test]
fn grants_without_legacy_rows_are_written_to_one_table_alone() {
    let count = |rows, marked| LabelCount { rows, positive: rows, marked, ..LabelCount::default() };
    let cases = [
        ("nothing there", 0, 5, 0, true),
        ("all copied", 5, 5, 5, false),
        ("all written to both", 5, 5, 0, false),
        ("some copied, some written to both", 5, 5, 2, false),
        ("copied, then written here alone", 5, 12, 5, false),
        ("copied twice", 5, 10, 10, false),
    ];
    for (case, legacy_rows, unified_rows, marked, expected) in cases {
        let legacy = seen(
            sample(table("old"), SHAPE_B),
            labels(&[("trial_grant", legacy_rows)][..usize::from(legacy_rows > 0)]),
        );
        let mut unified = unified(&[]);
        unified.labels.insert("trial_grant".to_owned(), count(unified_rows, marked));
        let (config, proposal) = proposed(&legacy, &unified);
        assert_eq!(!config.unified.unified_only.is_empty(), expected, "{case}");
        let comment = "# trial_grant: 7 of 12 rows have no legacy row.";
        assert_eq!(proposal.text.contains(comment), unified_rows == 12, "{case}: {}", proposal.text);
    }
}

#[test]
fn labels_that_no_word_explains_are_findings_on_both_sides() {
    let words = [("Gutschrift", 3), ("Abo", 2)];
    let legacy = seen(sample(table("old"), SHAPE_B), labels(&words));
    let (config, proposal) = proposed(&legacy, &unified(&[words[0], words[1], ("Verbrauch", 9)]));
    assert!(config.legacy.actions.is_empty());
    assert_eq!(config.unified.usage, Some(Vec::new()));
    assert!(config.unified.unified_only.is_empty());
    assert!(proposal.text.contains("# No label looks like a grant."), "{}", proposal.text);
    let unclear: Vec<&str> = proposal.unclear.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(unclear, ["Abo", "Gutschrift", "Abo", "Gutschrift", "Verbrauch"]);
}

#[test]
fn below_zero_beside_grants_above_it_is_use_unless_both_tables_have_it() {
    let below = |rows| LabelCount { rows, negative: rows, ..LabelCount::default() };
    let legacy = seen(sample(table("old"), SHAPE_B), labels(&[("trial_grant", 3), ("Rabatt", 1)]));
    let mut unified = unified(&[("trial_grant", 3), ("Zugabe", 1)]);
    for label in ["Verbrauch", "Rabatt", "correction"] {
        unified.labels.insert(label.to_owned(), below(4));
    }
    let (config, _) = proposed(&legacy, &unified);
    assert_eq!(config.unified.usage, Some(vec!["Verbrauch".to_owned()]));
    // Where grants are stored below zero too, the sign tells nothing.
    unified.labels.insert("bonus".to_owned(), below(1));
    let (config, _) = proposed(&legacy, &unified);
    assert_eq!(config.unified.usage, Some(Vec::new()));
}

#[test]
fn where_not_all_labels_were_seen_a_new_one_is_a_finding() {
    let legacy = seen(sample(table("old"), SHAPE_B), labels(&[("trial_grant", 3)]));
    let mut unified = unified(&[("trial_grant", 3), ("chat", 9)]);
    assert_eq!(proposed(&legacy, &unified).0.unified.usage, None);
    unified.sample.whole = false;
    assert_eq!(proposed(&legacy, &unified).0.unified.usage, Some(vec!["chat".to_owned()]));
}

#[test]
fn what_comes_back_with_every_grant_is_no_reference() {
    let columns = "id:text user_id:text type:text tokens:int created_at:timestamptz external_id:text \
        metadata:json=externalId+order_id";
    // label, rows with a value, days on which it came back => external_id is a reference
    let cases = [
        ("subscription_grant", 48, 42, false),
        ("subscription_grant", 10, 2, true),
        ("subscription_grant", 100, 19, true),
        ("chat", 48, 42, true),
    ];
    for (label, filled, again, expected) in cases {
        let mut legacy = seen(sample(table("old"), columns), labels(&[("subscription_grant", 48)]));
        let mut unified = unified(&[("subscription_grant", 48)]);
        unified.sample = sample(table("new"), columns);
        unified.roles = side_roles(&unified.sample).unwrap();
        let repeated = [(label.to_owned(), Repeated { filled, again })];
        let repeats = Repeats::from([("external_id".to_owned(), repeated.into())]);
        drop_repeated((&mut legacy.roles, &repeats), (&mut unified.roles, &Repeats::new()));
        let (config, proposal) = proposed(&legacy, &unified);
        for columns in [&config.legacy.columns, &config.unified.columns] {
            let found: Vec<&str> = columns.reference.iter().map(|field| field.written.as_str()).collect();
            let all = ["metadata.order_id", "external_id", "metadata.externalId"];
            assert_eq!(found, if expected { &all[..] } else { &all[..1] }, "{label} {again}");
        }
        let comment = "# external_id is no reference: for the same user and label it comes back on another \
            day 42 times in 48 rows,";
        assert_eq!(proposal.text.contains(comment), !expected, "{}", proposal.text);
    }
}

#[test]
fn subscriptions_with_a_payment_id_are_no_token_packs() {
    let mut legacy =
        seen(sample(table("old"), SHAPE_B), labels(&[("renewal_grant", 10), ("pack_purchase", 10)]));
    let unified = unified(&[("subscription_grant", 10), ("token_pack_purchase", 10)]);
    let payment = |legacy: &Seen| {
        let (config, _) = proposed(legacy, &unified);
        config.legacy.columns.payment.iter().map(|field| field.written.clone()).collect::<Vec<_>>()
    };
    legacy.labels.get_mut("pack_purchase").unwrap().referenced = 10;
    legacy.labels.get_mut("renewal_grant").unwrap().referenced = 1;
    assert_eq!(payment(&legacy), ["stripe_payment_intent_id", "stripe_session_id"]);
    legacy.labels.get_mut("renewal_grant").unwrap().referenced = 2;
    assert_eq!(payment(&legacy), ["token_pack_id"]);
}

#[test]
fn columns_that_the_mapping_does_not_fill_get_a_value() {
    let mut unified = unified(&[("admin_grant", 1)]);
    for column in &mut unified.sample.columns {
        column.required =
            ["id", "user_id", "model_used", "input_tokens", "metadata"].contains(&column.name.as_str());
    }
    let (config, _) = proposed(&seen(sample(table("old"), SHAPE_A), labels(&[])), &unified);
    let expected = [
        ("input_tokens", crate::config::Literal::Integer(0)),
        ("model_used", crate::config::Literal::Text("migration".to_owned())),
    ];
    assert_eq!(config.backfill.values, expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[test]
fn strange_names_and_labels_survive_the_way_through_the_file() {
    let strange = "a \"b\"\\c\n#d\u{7f}é;purchase";
    let place =
        Place::Table(TableName { schema: Some("My.Schema".to_owned()), name: "say \"hi\"".to_owned() });
    let legacy = seen(sample(place.clone(), SHAPE_A), labels(&[(strange, 1), ("odd\ntransfer", 1)]));
    let mut wild = unified(&[(strange, 1), ("x\nrefund", 1)]);
    wild.sample.place = Place::Path("a\\b \"c\".csv".to_owned());
    let (config, _) = proposed(&legacy, &wild);
    assert_eq!(config.unified.grants, [strange]);
    assert_eq!(config.legacy.actions.keys().collect::<Vec<_>>(), [strange]);
    let Place::Table(name) = place else { panic!() };
    assert_eq!(config.legacy.columns.origin.target(), &name);
}

#[test]
fn labels_that_only_a_constraint_lists_count_too() {
    let mut unified = unified(&[("admin_grant", 1)]);
    let action = unified.sample.columns.iter_mut().find(|column| column.name == "action_type").unwrap();
    action.listed = ["admin_grant", "trial_grant", "admin_deduct", "chat"].map(str::to_owned).to_vec();
    let (config, proposal) = proposed(&seen(sample(table("old"), SHAPE_A), labels(&[])), &unified);
    assert_eq!(config.unified.grants, ["admin_grant", "trial_grant"]);
    assert_eq!(config.unified.deductions, ["admin_deduct"]);
    assert!(proposal.text.contains("# usage = [\"chat\"]"), "{}", proposal.text);
}

#[test]
fn ledgers_are_told_apart_by_name_and_columns() {
    let likeness = |name: &str, columns: &str| legacy_likeness(&sample(table(name), columns));
    let legacy = likeness("token_transactions", SHAPE_B).unwrap();
    let unified = likeness("token_usage", UNIFIED).unwrap();
    assert!(legacy > 0 && unified < 0, "{legacy} {unified}");
    assert_eq!(likeness("orders", "id:int customer_id:int type:text amount:int created_at:timestamp"), None);
    assert_eq!(likeness("user_profiles", "user_id:uuid vibe_assistant_tokens_remaining:int"), None);
}

#[test]
fn stored_balances_are_found_by_name() {
    let cases = [
        ("user_id:uuid vibe_assistant_tokens_remaining:int", Some("user_id vibe_assistant_tokens_remaining")),
        ("id:uuid email:text token_balance:int", Some("id token_balance")),
        ("account_id:int credits_available:int", Some("account_id credits_available")),
        ("user_id:uuid age:int", None),
    ];
    for (columns, expected) in cases {
        let found = balance_roles(&sample(table("t"), columns)).ok();
        let found = found.map(|roles| format!("{} {}", roles.user, roles.balance));
        assert_eq!(found.as_deref(), expected, "{columns}");
    }
}
