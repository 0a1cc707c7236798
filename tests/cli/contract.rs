//! `reckon contract`: database, app and job read the same action types.

use super::{assert_golden, code, run, stderr, stdout};

const EVERY_KEY: &str = include_str!("../errors/every_key.toml");

fn contract(configuration: &str, format: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("reckon.toml"), configuration).unwrap();
    let output = run(folder.path(), &["contract", "--format", format]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    stdout(&output)
}

#[test]
fn every_format_prints_grants_deductions_and_usage() {
    for format in ["sql", "typescript", "json"] {
        assert_golden(&format!("contract.{format}"), &contract(EVERY_KEY, format));
    }
}

#[test]
fn without_a_usage_list_the_answer_says_that_it_is_not_complete() {
    let without = EVERY_KEY.replace("usage = [\"chat_conversation\", \"image_generation\"]\n", "");
    assert_ne!(without, EVERY_KEY);
    for format in ["sql", "typescript"] {
        let text = contract(&without, format);
        assert!(text.contains("List the usage labels in [unified] usage"), "{text}");
        assert!(!text.contains("chat_conversation"));
    }
    let json: serde_json::Value = serde_json::from_str(&contract(&without, "json")).unwrap();
    assert_eq!((&json["complete"], &json["usage"]), (&false.into(), &serde_json::Value::Null));
}

#[test]
fn strange_names_are_quoted() {
    let strange = EVERY_KEY
        .replace("path = \"token_usage.csv\"", r#"table = 'app."Token ""Usage"""'"#)
        .replace("action = \"action_type\"", r#"action = ["type", "metadata.kind"]"#)
        .replace("deductions = [\"admin_deduct\"]", r#"deductions = ["it's", 'back\slash', "new\nline"]"#)
        .replace("\"deduction/admin\" = \"admin_deduct\"\n", "");
    let sql = contract(&strange, "sql");
    for part in [
        r#"alter table app."Token ""Usage""" drop constraint if exists "Token ""Usage""_type_metadata_check";"#,
        "check ((type || '/' || (metadata ->> 'kind')) in (",
        "    'it''s',\n    E'back\\\\slash',\n    'new\nline',\n",
    ] {
        assert!(sql.contains(part), "{part}\n{sql}");
    }
    let typescript = contract(&strange, "typescript");
    assert!(
        typescript.contains(
            r#"  "it's",
  "back\\slash",
  "new\nline","#
        ),
        "{typescript}"
    );
}
