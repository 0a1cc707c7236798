//! Before-images hold every value exactly, whatever its type and whatever the session says.

use super::between::{LEGACY, Mended, USER};
use super::world::{CONFIG, SCHEMA};

/// A legacy row, its copy with a wrong amount, and the copy again; `further` adds columns with values.
pub fn tables(further: &str) -> String {
    format!(
        "{SCHEMA}
         insert into token_transactions values ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'subscription_grant', 'x', 100, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'subscription_grant', 'x', 100, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:05+00');
         {further}"
    )
}

#[test]
fn a_json_null_comes_back_as_a_json_null_and_a_null_as_a_null() {
    let further = "create domain doc as jsonb;
         alter table token_usage add a jsonb default 'null', add b json default 'null', add c jsonb, add d doc default 'null',
           add e jsonb default '{\"x\": null}';";
    let mended = Mended::with(&tables(further), CONFIG);
    let before = mended.db.digest("token_usage");
    for _ in 0..2 {
        ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
        assert_eq!(mended.db.value("select sum(tokens_used) from token_usage"), "1000");
        mended.applied("undo");
        assert_eq!(mended.db.digest("token_usage"), before);
    }
}

#[test]
fn a_journal_of_an_earlier_version_is_left_to_its_own_undo_and_written_on() {
    let mended = Mended::with(&tables(""), CONFIG);
    mended.applied("repair");
    mended.db.sql("alter table reckon_journal.entries drop column before_row, drop column after_row");
    let error = mended.refused("undo");
    assert!(error.contains("1 changes were noted by an earlier version of reckon"), "{error}");
    mended.db.sql("update reckon_journal.entries set undone_at = now()");
    mended.applied("undo");
    let before = mended.db.digest("token_usage");
    mended.applied("dedupe");
    mended.applied("undo");
    assert_eq!(mended.db.digest("token_usage"), before);
}

#[test]
fn values_whose_json_is_not_read_back_come_back_exactly() {
    let further = "create type tint as enum ('red');
         create function tint_json(tint) returns json language sql immutable as $$ select json_build_object('tint', $1::text) $$;
         create cast (tint as json) with function tint_json(tint);
         create type pair as (a int, b text);
         alter table token_usage add gone int default 7, add a int[] default '[2:3]={1,2}', add b jsonb[] default array['[1,2]'::jsonb, 'null', null],
           add c json default '  { \"a\" : 1 , \"a\":2 } ', add d json[] default array['[1]'::json], add e tint default 'red', add f pair default row(null, null),
           add g numeric default 1.50, add h json default ' null ', add i xml default 'some <b>words</b>', add \"J j\" text default E'q\\'\"\\\\',
           add k bigint generated always as identity, add l int generated always as (tokens_used * 2) stored;
         alter table token_usage drop column gone;";
    let mended = Mended::with(&tables(further), CONFIG);
    let before = mended.db.digest("token_usage");
    for _ in 0..2 {
        ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
        assert_eq!(mended.db.value("select sum(tokens_used) from token_usage"), "1000");
        mended.applied("undo");
        assert_eq!(mended.db.digest("token_usage"), before);
    }
}

#[test]
fn a_row_is_not_read_back_into_other_columns() {
    let mended = Mended::with(
        &tables("alter table token_usage add a text default 'a', add b text default 'b';"),
        CONFIG,
    );
    mended.applied("dedupe");
    mended.db.sql("alter table token_usage drop column a, add c text");
    let error = mended.refused("undo");
    assert!(error.contains("the columns of token_usage are others than when 1 rows were noted"), "{error}");
}

#[test]
fn ids_of_a_fixed_length_are_undone() {
    let further = "alter table token_usage alter id drop default, alter id type char(40);";
    let mended = Mended::with(&tables(further), CONFIG);
    let before = mended.db.digest("token_usage");
    ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
    mended.all_is_as_expected();
    mended.applied("undo");
    assert_eq!(mended.db.digest("token_usage"), before);
}

#[test]
fn the_journal_does_not_depend_on_the_session() {
    let further = "alter table token_usage add signature bytea default '\\x0102', add life interval default '1 mon -3 days +02:03:00',
           add share float8 default 0.1, add period daterange default '[2026-01-05,2026-02-05)',
           add due date default '2026-03-04', add price money default 12.5, add small float4 default 0.3;";
    let mended = Mended::with(&tables(further), CONFIG);
    let before = mended.db.digest("token_usage");
    let set = |settings: &str| {
        for setting in settings.split("; ") {
            mended.db.sql(&format!("alter database \"{}\" set {setting}", mended.db.name));
        }
    };
    set(
        "datestyle = 'SQL, DMY'; intervalstyle = 'sql_standard'; bytea_output = 'escape'; extra_float_digits = -10",
    );
    ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
    set(
        "datestyle = 'Postgres, MDY'; intervalstyle = 'iso_8601'; bytea_output = 'hex'; extra_float_digits = 0",
    );
    mended.applied("undo");
    set("datestyle = 'ISO, MDY'; intervalstyle = 'postgres'; extra_float_digits = 1");
    assert_eq!(mended.db.digest("token_usage"), before);
}

/// Runs `repair.sql` and `dedupe.sql` under each of these settings and `undo.sql` under each other: nothing is
/// lost between them. Settings are of the database, one after another with `;`.
fn come_back_between(mended: &Mended, settings: &[&str]) {
    let before = mended.db.digest("token_usage");
    let name = &mended.db.name;
    for (at, applied) in settings.iter().enumerate() {
        // Each follows each other one at least once.
        for undone in settings.iter().skip(at % 2).step_by(2).chain([applied]) {
            for (files, setting) in [(&["repair", "dedupe"][..], applied), (&["undo"], undone)] {
                for one in setting.split(';') {
                    mended.db.sql(&format!("alter database \"{name}\" set {one}"));
                }
                files.iter().for_each(|file| mended.applied(file));
                mended.db.sql(&format!("alter database \"{name}\" reset all"));
            }
            assert_eq!(mended.db.digest("token_usage"), before, "{applied} and {undone}");
        }
    }
}

#[test]
fn names_and_nulls_in_values_come_back_whatever_the_session_says() {
    let further = "create schema s; create table foo (i int); create table s.foo (i int); create table s.pg_class (i int);
         create function s.lower(text) returns text language sql immutable as 'select $1';
         create table \"Odd name\" (i int); create domain s.at as regclass;
         alter table token_usage add a regclass default 'public.foo', add b regclass default 's.foo', add c s.at default 'pg_class',
           add d regtype default 'token_action_type', add e regprocedure default 'pg_catalog.lower(text)',
           add f regclass[] default '{public.foo,s.foo,NULL}', add g regclass default '\"Odd name\"', add h text[] default '{NULL,\"NULL\"}',
           add i regnamespace default 'public';";
    let mended = Mended::with(&tables(further), CONFIG);
    let settings = [
        "search_path = public",
        "search_path = s, public",
        "search_path = ''",
        "search_path = s, pg_catalog, public",
        "quote_all_identifiers = on",
        "array_nulls = off",
        "search_path = ''; quote_all_identifiers = on; array_nulls = off",
    ];
    come_back_between(&mended, &settings);
    assert_eq!(mended.db.value("select count(*) from pg_proc where proname = 'reckon_row_text'"), "0");
}

#[test]
fn types_of_extensions_come_back_and_are_found_without_their_schema_in_the_path() {
    let further = "create schema ext; create extension citext schema ext; create extension hstore schema ext;
         alter table token_usage alter action_type type ext.citext, alter id drop default, alter id type ext.citext using id::text,
           add tags ext.hstore default 'a=>NULL, b=>\"x y\"', add tag_sets ext.hstore[] default array['a=>1'::ext.hstore];";
    let mended = Mended::with(&tables(further), CONFIG);
    come_back_between(&mended, &["search_path = public, ext", "search_path = ''", "search_path = ext"]);
}

#[test]
fn a_trigger_finds_what_it_needs_on_the_path_of_the_session() {
    let further = "create table seen (id uuid, what text);
         create function note() returns trigger language plpgsql as $$ begin
           insert into seen values (old.id, tg_op); return coalesce(new, old); end $$;
         create trigger noted before update or delete on token_usage for each row execute function note();
         create function is_known(text) returns boolean language plpgsql as $$ begin perform 1 from seen; return true; end $$;
         create domain word as text check (is_known(value)); alter table token_usage add note word default 'x';";
    let mended = Mended::with(&tables(further), CONFIG);
    let before = mended.db.digest("token_usage");
    ["repair", "dedupe", "undo"].iter().for_each(|file| mended.applied(file));
    assert_eq!(mended.db.digest("token_usage"), before);
    assert_eq!(mended.db.value("select string_agg(what, ' ') from seen"), "UPDATE DELETE UPDATE");
}
