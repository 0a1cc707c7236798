//! The check `constraint`: labels that the unified table, or each of its partitions, refuses.

use super::world::World;

#[test]
fn a_label_that_the_table_refuses_is_named() {
    let world = World::new("labels");
    let check = |labels: &str| {
        format!(
            "alter table token_usage drop constraint if exists token_usage_action_type_check;
             alter table token_usage add constraint token_usage_action_type_check check ({labels})"
        )
    };
    let four = "action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'admin_deduct'";
    let cases = [
        (check(&format!("{four})")), "false", "label token_pack_purchase certain"),
        (check(&format!("{four}, 'token_pack_purchase')")), "true", ""),
        (
            check("length(action_type) > 12"),
            "false",
            "label admin_deduct certain;label admin_grant certain;label trial_grant certain",
        ),
        (check("length(action_type) > 2 and tokens_used >= 0"), "not_tested", ""),
    ];
    for (sql, ok, evidence) in cases {
        world.db.sql(&sql);
        let gate = world.fresh_gate();
        assert_eq!(
            (gate.ok("constraint").as_str(), gate.evidence("constraint").join(";").as_str()),
            (ok, evidence),
            "{sql}"
        );
    }
    // A writer with a label of its own.
    world.db.sql(&check(&format!("{four}, 'token_pack_purchase')")));
    world.db.sql(
        "create or replace function public.grant_tokens(p_user_id uuid) returns void language sql as
         $$ insert into public.token_usage (user_id, action_type, model_used, tokens_used)
            select p_user_id, 'loyalty_grant', 'none', 1 $$",
    );
    assert_eq!(world.fresh_gate().evidence("constraint"), ["label loyalty_grant certain"]);
}

#[test]
fn a_label_that_is_too_long_or_that_a_table_of_labels_lacks_is_named() {
    let world = World::new("label_keys");
    world.db.sql("alter table token_usage drop constraint if exists token_usage_action_type_check");
    let lacks = "create table kinds (kind text primary key, of text); insert into kinds values
           ('admin_grant'), ('subscription_grant'), ('trial_grant'), ('admin_deduct');
         alter table token_usage add constraint kinds_of foreign key (action_type) references kinds not valid";
    // what is done · what the check says · its evidence
    let cases = [
        ("alter table token_usage alter action_type type varchar(19)", "true", ""),
        ("alter table token_usage alter action_type type varchar(18)", "false", "label token_pack_purchase certain"),
        ("alter table token_usage alter action_type type char(18)", "false", "label token_pack_purchase certain"),
        ("alter table token_usage alter action_type type char(30)", "true", ""),
        (
            "create domain word as varchar(18); alter table token_usage alter action_type type word",
            "false",
            "label token_pack_purchase certain",
        ),
        ("alter table token_usage alter action_type type text", "true", ""),
        (lacks, "false", "label token_pack_purchase certain"),
        ("insert into kinds values ('token_pack_purchase')", "true", ""),
        // A key that other columns have a part in.
        (
            "alter table kinds add unique (kind, of); alter table token_usage drop constraint kinds_of,
             add constraint kinds_of foreign key (action_type, model_used) references kinds (kind, of) not valid",
            "not_tested",
            "",
        ),
    ];
    for (sql, ok, evidence) in cases {
        world.db.sql(sql);
        let gate = world.fresh_gate();
        assert_eq!(
            (gate.ok("constraint").as_str(), gate.evidence("constraint").join(";").as_str()),
            (ok, evidence),
            "{sql}: {}",
            gate.check("constraint")["detail"]
        );
    }
}

/// How the unified table is partitioned, its partitions, what the check says, its evidence.
const PARTITIONED: [(&str, &str, &str, &str); 9] = [
    (
        "list (action_type)",
        "create table x partition of u for values in ('subscription_grant')",
        "false",
        "label admin_deduct certain;label admin_grant certain;label token_pack_purchase certain;\
         label trial_grant certain",
    ),
    (
        "list (action_type)",
        "create table x partition of u for values in ('subscription_grant'); create table y partition of u default",
        "true",
        "",
    ),
    (
        "list (action_type)",
        "create table x partition of u for values in ('subscription_grant'); create table y partition of u default;
         alter table y add check (length(action_type) <> length('trial_grant'))",
        "false",
        "label admin_grant certain;label trial_grant certain",
    ),
    (
        "list (lower(action_type))",
        "create table x partition of u for values in
         ('admin_grant', 'subscription_grant', 'trial_grant', 'admin_deduct', 'token_pack_purchase')",
        "true",
        "",
    ),
    (
        "hash (action_type)",
        "create table x partition of u for values with (modulus 2, remainder 0);
         create table y partition of u for values with (modulus 2, remainder 1)",
        "true",
        "",
    ),
    ("range (created_at)", "create table x partition of u for values from ('2025-01-01') to ('2026-01-01')", "true", ""),
    (
        "range (created_at)",
        "create table x partition of u for values from ('2025-01-01') to ('2026-01-01');
         create table y partition of u (check (action_type <> 'trial_grant')) default",
        "not_tested",
        "",
    ),
    (
        "list (action_type)",
        "create table x partition of u default partition by range (created_at);
         create table y partition of x for values from ('2025-01-01') to ('2026-01-01')",
        "true",
        "",
    ),
    (
        "range (created_at, action_type)",
        "create table x partition of u for values from (minvalue, minvalue) to ('2026-06-01', 'b')",
        "not_tested",
        "",
    ),
];

#[test]
fn a_label_that_no_partition_takes_is_named() {
    let world = World::new("leaves");
    world.db.sql("alter table token_usage rename to plain_usage");
    for (key, partitions, ok, evidence) in PARTITIONED {
        world.db.sql(&format!(
            "create table u (like plain_usage including defaults) partition by {key}; {partitions};
             insert into u select * from plain_usage; alter table u rename to token_usage"
        ));
        let gate = world.fresh_gate();
        assert_eq!(
            (gate.ok("constraint").as_str(), gate.evidence("constraint").join(";").as_str()),
            (ok, evidence),
            "{key}: {partitions}: {}",
            gate.check("constraint")["detail"]
        );
        world.db.sql("drop table token_usage");
    }
    world.db.sql("create view token_usage as select * from plain_usage");
    assert_eq!(world.fresh_gate().ok("constraint"), "not_tested", "nothing is known of what a view takes");
}
