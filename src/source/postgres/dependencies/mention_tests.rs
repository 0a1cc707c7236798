use std::sync::LazyLock;

use super::*;

static SCHEMAS: LazyLock<Vec<String>> =
    LazyLock::new(|| ["public", "other", "app data"].map(str::to_owned).to_vec());

fn of<'a>(schema: &'a str, name: &'a str) -> Wanted<'a> {
    Wanted { schema, name, schemas: &SCHEMAS }
}

fn old() -> Wanted<'static> {
    of("public", "token_transactions")
}

#[test]
fn a_table_is_named_where_the_server_would_see_it() {
    use Mention::{Qualified, Table, Text, Word};
    let cases: [(&str, Option<Mention>); 46] = [
        ("select * from public.token_transactions", Some(Qualified)),
        ("select * from Public . \"token_transactions\" t", Some(Qualified)),
        ("select public.token_transactions.user_id", Some(Qualified)),
        ("select * from app.public.token_transactions", Some(Qualified)),
        ("select * from token_transactions", Some(Table)),
        ("SELECT * FROM Token_Transactions", Some(Table)),
        ("select * from \"token_transactions\"", Some(Table)),
        ("insert into token_transactions(user_id) values (1)", Some(Table)),
        ("declare r token_transactions%rowtype; begin end", Some(Table)),
        ("declare r token_transactions.user_id%type; begin end", Some(Table)),
        ("truncate token_transactions", Some(Table)),
        ("select * from users u, token_transactions t", Some(Word)),
        ("select u&\"token\\005ftransactions\" from t", Some(Word)),
        // Other tables.
        ("select * from other.token_transactions", None),
        ("select * from \"Token_Transactions\"", None),
        ("select * from token_transactions_old", None),
        ("select * from old_token_transactions", None),
        ("select * from token_transactions$x", None),
        ("select * from \"public.token_transactions\"", None),
        ("select t.token_transactions from t", None),
        // Comments.
        ("select 1 -- from token_transactions", None),
        ("select 1 /* from token_transactions */", None),
        ("select 1 /* a /* b */ from token_transactions */ + 1", None),
        ("select 1 -- x\n from token_transactions", Some(Table)),
        // Strings.
        ("execute 'select * from token_transactions'", Some(Text)),
        ("execute format('select * from %I.%I', 'public', 'token_transactions')", Some(Text)),
        ("execute format('select * from %I.token_transactions', s)", Some(Text)),
        ("execute format('select * from %1$I.token_transactions', s)", Some(Text)),
        ("execute 'select * from ' || s || '.token_transactions'", Some(Text)),
        ("execute 'select * from token_' || 'transactions'", Some(Text)),
        ("execute $q$select * from \"public\".\"token_transactions\"$q$", Some(Text)),
        ("execute E'select \\'x\\' from token_transactions'", Some(Text)),
        ("execute 'select * from TOKEN_TRANSACTIONS'", Some(Text)),
        ("execute 'select * from other.token_transactions'", None),
        ("execute 'select * from token_transactions_old'", None),
        ("select 'it''s', x from t where n = $1", None),
        ("execute E'select * from token\\x5Ftransactions'", Some(Text)),
        ("execute E'select * from token\\137transactions'", Some(Text)),
        ("execute E'select * from\\n\\u0074oken_transactions'", Some(Text)),
        ("execute 'select * from token_'\n  'transactions'", Some(Text)),
        ("execute concat('token_', 'transactions')", None),
        // Unicode escapes.
        ("select * from U&\"token\\005Ftransactions\"", Some(Table)),
        ("delete from public.U&\"token!005Ftransactions\" UESCAPE '!'; select 1", Some(Qualified)),
        ("delete from public.U&\"token!005Ftransactions\"\n uescape '!'", Some(Qualified)),
        ("select * from U&\"token!005Ftransactions\"", None),
        ("select U&'token#+00005Ftransactions' uescape '#'", Some(Text)),
    ];
    for (sql, expected) in cases {
        assert_eq!(in_sql(sql, old()).first().copied(), expected, "{sql}");
    }
}

#[test]
fn where_a_variable_an_alias_a_function_or_a_query_may_stand_it_is_but_a_word() {
    use Mention::{Qualified, Table, Word};
    let cases = [
        ("delete from users using token_transactions t where t.id = 1", Table),
        ("merge into users u using token_transactions t on true", Table),
        ("create index on token_transactions (id)", Table),
        ("drop table if exists token_transactions", Table),
        ("select 1; delete from token_transactions", Table),
        ("select count(*) into token_transactions from t", Word),
        ("select count(*) into strict token_transactions from t", Word),
        ("execute 'select $1' into r using token_transactions", Word),
        ("delete from t; execute 'select $1' using token_transactions", Word),
        ("select from t token_transactions join u on token_transactions.id = u.id", Word),
        ("select from t where a is distinct from token_transactions", Word),
        ("select extract(year from token_transactions.created_at)", Word),
        ("select from token_transactions(1)", Word),
        ("declare n token_transactions%type; begin end", Word),
        ("select 7 % token_transactions % 2", Word),
        ("with token_transactions as (select 1) select from token_transactions", Word),
        ("with recursive token_transactions (a, b) as (select 1) table token_usage", Word),
        ("with x as (select 1), token_transactions as not materialized (select 1) select 2", Word),
        ("with token_transactions as materialized (select 1) select from x join token_transactions", Word),
        ("with token_transactions as (select 1) delete from token_transactions", Table),
        ("with token_transactions as (select 1) select from public.token_transactions", Qualified),
        ("with x as (select from token_transactions) select from x", Table),
        ("select a as b, token_transactions as c from token_transactions", Table),
    ];
    for (sql, expected) in cases {
        assert_eq!(in_sql(sql, old()).first().copied(), Some(expected), "{sql}");
    }
}

#[test]
fn quoted_names_are_found_as_they_are_written() {
    let odd = of("App Data", "Token.Transactions");
    let cases = [
        ("select * from \"App Data\".\"Token.Transactions\"", Some(Mention::Qualified)),
        ("select * from \"Token.Transactions\"", Some(Mention::Table)),
        ("select * from Token.Transactions", None),
    ];
    for (sql, expected) in cases {
        assert_eq!(in_sql(sql, odd).first().copied(), expected, "{sql}");
    }
    let long = "x".repeat(63);
    let longer = format!("select * from {}", "x".repeat(80));
    let wanted = of("public", &long);
    assert_eq!(in_sql(&longer, wanted), [Mention::Table], "the server cuts after 63 bytes");
}

#[test]
fn text_that_is_broken_off_is_read_to_its_end() {
    for sql in [
        "'token_transactions",
        "$x$ token_transactions",
        "E'\\",
        "/* token",
        "\"",
        "$",
        "$a",
        "U&'\\",
        "E'\\x",
        "U&'a' uescape '",
    ] {
        let _ = in_sql(sql, old());
    }
    assert_eq!(in_sql("'token_transactions", old()), [Mention::Text]);
}

#[test]
fn an_insert_is_told_from_other_mentions() {
    let usage = of("public", "token_usage");
    let cases = [
        ("insert into token_usage (a) values (1)", Some(Mention::Table)),
        ("INSERT INTO public.token_usage AS u SELECT 1", Some(Mention::Qualified)),
        ("merge into token_usage using x on true", Some(Mention::Table)),
        ("execute 'insert into token_usage select 1'", Some(Mention::Text)),
        ("select count(*) into n from token_usage", None),
        ("update token_usage set a = 1", None),
        ("-- insert into token_usage\nselect 1", None),
        ("insert into token_usage_archive select * from token_usage", None),
        // Only where backslashes escape, only where they do not, in any case.
        ("select '\\'; insert into token_usage select 1; --'", Some(Mention::Text)),
        ("select '\\'--'; insert into token_usage select 1", Some(Mention::Text)),
        ("select '\\d'; insert into token_usage select 1", Some(Mention::Table)),
    ];
    for (sql, expected) in cases {
        assert_eq!(inserts(sql, usage), expected, "{sql}");
    }
}

#[test]
fn calls_and_strings_are_listed() {
    assert_eq!(calls("begin perform app.book(1, 'x'); return coalesce (a, b); end"), ["book", "coalesce"]);
    assert_eq!(texts("values ('trial_grant', E'a\\'b', $$c$$) -- 'd'"), ["trial_grant", "a'b", "c"]);
    assert!(is_dynamic("begin execute x; end") && !is_dynamic("begin perform 'execute'; end"));
}

#[test]
fn a_name_in_another_language_begins_after_an_escape() {
    let cases = [
        ("plpy.execute(\"select * from\\ntoken_transactions\\n\")", true),
        ("execute(\"select * from\\n\\tpublic.token_transactions\")", true),
        ("execute(\"from\\x0atoken_transactions\")", true),
        ("execute(\"from\\u000Atoken_transactions\")", true),
        ("execute(\"from\\012token_transactions\")", true),
        ("execute(\"from \\\"public\\\".\\\"token_transactions\\\"\")", true),
        ("execute(\"from\\nother.token_transactions\")", false),
        ("execute(\"from\\nold_token_transactions\")", false),
        ("execute(\"from ntoken_transactions\")", false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_in_text(text, old()), expected, "{text}");
    }
}

#[test]
fn a_body_that_sets_the_path_is_told_from_others() {
    let cases = [
        ("begin set local search_path = a; end", true),
        ("begin set search_path to a; end", true),
        ("begin perform set_config('search_path', 'a', true); end", true),
        ("begin execute 'SET Search_Path = a'; end", true),
        ("begin -- search_path\n return 1; end", false),
    ];
    for (sql, expected) in cases {
        assert_eq!(sets_path(sql), expected, "{sql}");
    }
}

#[test]
fn a_part_of_the_name_in_a_string_is_found() {
    let cases = [
        ("execute 'select * from token_' || x", Some("token_")),
        ("execute format('select * from %s_transactions', x)", Some("_transactions")),
        ("execute format('from token%s', x)", Some("token")),
        ("execute 'from tok' || x", None),
        ("execute 'from token_usage' || x", None),
        ("execute 'from ' || token_", None),
    ];
    for (sql, expected) in cases {
        assert_eq!(part_in_text(sql, "token_transactions").as_deref(), expected, "{sql}");
    }
}

#[test]
fn only_what_is_put_together_is_dynamic() {
    let cases = [
        ("execute x;", true),
        ("execute 'a' || b;", true),
        ("execute format('a');", true),
        ("execute 'a';", false),
        ("execute $q$ a $q$ using b;", false),
        ("grant execute on function f() to r;", false),
    ];
    for (sql, expected) in cases {
        assert_eq!(is_dynamic(sql), expected, "{sql}");
    }
}

#[test]
fn a_backslash_in_a_plain_string_is_read_both_ways() {
    use Mention::{Escaped, Qualified, Table, Text};
    let cases: [(&str, &[Mention]); 8] = [
        ("perform replace('a', '\\'/*', ''); delete from public.token_transactions", &[Escaped]),
        ("perform replace('a', n'\\'/*', ''); delete from token_transactions", &[Escaped]),
        ("execute 'delete from token\\137transactions'", &[Escaped]),
        ("select '\\'; delete from public.token_transactions; --'", &[Qualified]),
        ("select '\\s+', '\\\\' from token_transactions", &[Table]),
        ("select '\\d', 'token_transactions'", &[Text]),
        ("select E'\\'' from token_transactions", &[Table]),
        ("select '\\', \"x\" from t -- token", &[]),
    ];
    for (sql, expected) in cases {
        assert_eq!(in_sql(sql, old()), expected, "{sql}");
    }
    assert!(is_dynamic("perform replace(a, '\\'/*', ''); execute x; -- */"));
    assert!(sets_path("perform replace(a, '\\'/*', ''); set search_path = a; -- */"));
}

#[test]
fn a_word_before_the_name_that_is_no_schema_may_stand_for_one() {
    use Mention::{Placed, Text};
    let cases = [
        ("from SCHEMA.token_transactions", Some(Placed)),
        ("from $schema.token_transactions", Some(Placed)),
        ("from :s.\"token_transactions\"", Some(Placed)),
        ("from __other__.token_transactions", Some(Placed)),
        ("from :other.token_transactions", Some(Placed)),
        ("from $other.token_transactions", Some(Placed)),
        ("from {schema}.token_transactions", Some(Text)),
        ("from PUBLIC.token_transactions, x.token_transactions", Some(Text)),
        ("from other.token_transactions", None),
        ("from db.\"other\".token_transactions", None),
        ("from \"App Data\".token_transactions", None),
        ("from pub.token_transactions_old", None),
    ];
    for (text, expected) in cases {
        assert_eq!(in_text(text, old()), expected, "{text}");
    }
}

#[test]
fn the_block_of_a_do_is_code() {
    use Mention::{Qualified, Table, Text};
    let cases: [(&str, &[Mention]); 7] = [
        ("do $$ begin delete from public.token_transactions; end $$", &[Qualified, Text]),
        ("DO LANGUAGE plpgsql 'begin delete from token_transactions; end'", &[Table, Text]),
        ("do language 'plpgsql' $x$ begin delete from token_transactions; end $x$", &[Table, Text]),
        ("select 1; do $$ begin execute 'from token_' || 'transactions'; end $$", &[Text]),
        ("do $$ begin do $b$ begin execute 'token_' || 'transactions'; end $b$; end $$", &[Text]),
        ("do $$ begin -- token_\n end $$", &[]),
        ("insert into t values (1) on conflict do nothing; select 'a' || 'b'", &[]),
    ];
    for (sql, expected) in cases {
        assert_eq!(in_sql(sql, old()), expected, "{sql}");
    }
    assert!(is_dynamic("do $$ begin execute 'a' || b; end $$"));
    assert!(!is_dynamic("do $$ begin execute 'a'; end $$"));
    assert_eq!(
        part_in_text("do $$ begin execute 'from token_' || x; end $$", "token_transactions").as_deref(),
        Some("token_")
    );
}
