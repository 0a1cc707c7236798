//! What is planted: the name of the legacy table where only a text holds it.

use super::plants::Plant;

/// Names in texts of definitions and functions.
pub const FURTHER_TEXTS: &[Plant] = &[
    Plant {
        what: "condition of a trigger",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create function public.nop() returns trigger language plpgsql as $$ begin return new; end $$;
              create trigger tw before insert on public.household_members
              for each row when (public.rows_in('a.token_transactions') > 0) execute function public.nop()",
        check: "triggers",
        evidence: &["trigger public.tw possible"],
        undo: "drop function public.nop() cascade; drop function public.rows_in(text)",
    },
    Plant {
        what: "check constraint",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create table public.cc (n int constraint cc_has check (public.rows_in('a.token_transactions') > 0))",
        check: "defaults",
        evidence: &["constraint public.cc_has possible"],
        undo: "drop table public.cc; drop function public.rows_in(text)",
    },
    Plant {
        what: "check constraint of a domain",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create domain public.dd as int constraint dd_has check (public.rows_in('a.token_transactions') > 0)",
        check: "defaults",
        evidence: &["constraint public.dd_has possible"],
        undo: "drop domain public.dd; drop function public.rows_in(text)",
    },
    Plant {
        what: "default of a domain",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create domain public.dd as bigint default public.rows_in('a.token_transactions')",
        check: "defaults",
        evidence: &["domain public.dd possible"],
        undo: "drop domain public.dd; drop function public.rows_in(text)",
    },
    Plant {
        what: "expression and predicate of an index",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create table public.ix (x int); create index ix_e on public.ix ((x + public.rows_in('a.token_transactions')));
              create index ix_p on public.ix (x) where x > public.rows_in('a.token_transactions')",
        check: "defaults",
        evidence: &["index public.ix_e possible", "index public.ix_p possible"],
        undo: "drop table public.ix; drop function public.rows_in(text)",
    },
    Plant {
        what: "expression of statistics",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create table public.st (x int); create schema kept;
              create statistics kept.st_e on ((x + public.rows_in('a.token_transactions'))) from public.st",
        check: "defaults",
        evidence: &["statistics object kept.st_e possible"],
        undo: "drop schema kept cascade; drop table public.st; drop function public.rows_in(text)",
    },
    Plant {
        what: "expression of a partition key",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql immutable as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create table public.pk (x int) partition by range ((x + public.rows_in('a.token_transactions')))",
        check: "defaults",
        evidence: &["partition key public.pk possible"],
        undo: "drop table public.pk; drop function public.rows_in(text)",
    },
    Plant {
        what: "default of an argument",
        sql: "create function public.purge(tbl text default 'a.token_transactions') returns void language plpgsql as
              $$ begin execute 'delete from ' || tbl || ' where false'; end $$",
        check: "functions",
        evidence: &["function public.purge possible"],
        undo: "drop function public.purge(text)",
    },
    Plant {
        what: "string in standard SQL",
        sql: "create function public.as_xml() returns xml language sql begin atomic
              select query_to_xml('select * from a.token_transactions', true, false, ''); end",
        check: "functions",
        evidence: &["function public.as_xml possible"],
        undo: "drop function public.as_xml()",
    },
    Plant {
        what: "function that sets another path than its own",
        sql: "create function public.sc() returns bigint language plpgsql set search_path = '' as
              $$ begin set local search_path = a; return (select count(*) from token_transactions); end $$",
        check: "functions",
        evidence: &["function public.sc possible"],
        undo: "drop function public.sc()",
    },
    Plant {
        what: "function whose own path leads to the table where another schema may not be used",
        sql: "create function public.up() returns bigint language plpgsql set search_path = b, a as
              $$ begin return (select count(*) from token_transactions); end $$",
        check: "functions",
        evidence: &["function public.up possible"],
        undo: "drop function public.up()",
    },
    Plant {
        what: "setting of a function",
        sql: "create function public.st() returns bigint language plpgsql set app.legacy = 'a.token_transactions' as
              $$ declare n bigint; begin execute 'select count(*) from ' || current_setting('app.legacy') into n; return n; end $$",
        check: "functions",
        evidence: &["function public.st possible"],
        undo: "drop function public.st()",
    },
    Plant {
        what: "another language, with an escape before the name",
        sql: "create function public.fake_call() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
              create language plfake handler public.fake_call;
              create function public.py() returns int language plfake as
              $$ plpy.execute(\"select count(*) from\\ntoken_transactions\") $$",
        check: "functions",
        evidence: &["function public.py possible"],
        undo: "drop function public.py(); drop language plfake; drop function public.fake_call()",
    },
    Plant {
        what: "foreign table that has the name without an option",
        sql: "create foreign data wrapper nowhere; create server itself foreign data wrapper nowhere; create schema f;
              create foreign table f.token_transactions (id uuid) server itself",
        check: "views",
        evidence: &["foreign table f.token_transactions possible"],
        undo: "drop foreign data wrapper nowhere cascade; drop schema f",
    },
    Plant {
        what: "foreign table of postgres_fdw, whose schema counts as well",
        sql: "create foreign data wrapper postgres_fdw; create server itself foreign data wrapper postgres_fdw;
              create schema f; create foreign table f.token_transactions (id uuid) server itself options (schema_name 'a');
              create schema g; create foreign table g.token_transactions (id uuid) server itself",
        check: "views",
        evidence: &["foreign table f.token_transactions possible"],
        undo: "drop foreign data wrapper postgres_fdw cascade; drop schema f; drop schema g",
    },
];

/// Names in texts that only become one: where a schema is put in, a backslash escapes, a block is run.
pub const PUT_TOGETHER: &[Plant] = &[
    Plant {
        what: "function in a schema of the system",
        sql: "create function information_schema.sneaky() returns bigint language sql as
              $$ select count(*) from a.token_transactions $$",
        check: "functions",
        evidence: &["function information_schema.sneaky certain"],
        undo: "drop function information_schema.sneaky()",
    },
    Plant {
        what: "view that puts SQL together",
        sql: "create view public.built as select query_to_xml('select * from a.token_' || 'transactions', true, false, '') as x;
              create materialized view public.kept as select schema_to_xml(('a' || '')::name, true, false, '') as x with no data",
        check: "views",
        evidence: &["materialized view public.kept possible", "view public.built possible"],
        undo: "drop view public.built; drop materialized view public.kept",
    },
    Plant {
        what: "function that puts SQL together for another",
        sql: "create function public.built() returns xml language sql as
              $$ select query_to_xml('select * from a.token_' || 'transactions', true, false, '') $$",
        check: "functions",
        evidence: &["function public.built possible"],
        undo: "drop function public.built()",
    },
    Plant {
        what: "backslash that escapes a quote",
        sql: "create function public.esc() returns void language plpgsql set standard_conforming_strings = off as
              $$ begin perform replace('a', '\\'/*', ''); delete from a.token_transactions where false; end $$",
        check: "functions",
        evidence: &["function public.esc possible"],
        undo: "drop function public.esc()",
    },
    Plant {
        what: "word for the schema in a function",
        sql: "create function public.put(s text) returns bigint language plpgsql as $$ declare n bigint; begin
              execute replace('select count(*) from SCHEMA.token_transactions', 'SCHEMA', s) into n; return n; end $$",
        check: "functions",
        evidence: &["function public.put possible"],
        undo: "drop function public.put(text)",
    },
    Plant {
        what: "word for the schema in a function of SQL",
        sql: "create function public.put(s text) returns xml language sql as
              $$ select query_to_xml(replace('select 1 from $schema.token_transactions', '$schema', s), true, false, '') $$",
        check: "functions",
        evidence: &["function public.put possible"],
        undo: "drop function public.put(text)",
    },
    Plant {
        what: "word for the schema in a foreign table",
        sql: "create foreign data wrapper nowhere; create server itself foreign data wrapper nowhere;
              create foreign table public.counted (n int) server itself options (query 'select 1 from SCHEMA.token_transactions')",
        check: "views",
        evidence: &["foreign table public.counted possible"],
        undo: "drop foreign data wrapper nowhere cascade",
    },
    Plant {
        what: "blocks in jobs of pg_cron",
        sql: "create schema cron; create table cron.job (jobid bigint, schedule text, command text);
              insert into cron.job values
              (1, '* * * * *', 'do $$ begin execute ''delete from a.token_'' || ''transactions where false''; end $$'),
              (2, '* * * * *', 'do language plpgsql $x$ begin execute format(''delete from %I.token_%s'', ''a'', x); end $x$'),
              (3, '* * * * *', 'do $$ begin delete from a.token_transactions where false; end $$'),
              (4, '* * * * *', 'select query_to_xml(replace(''select 1 from :s.token_transactions'', '':s'', ''a''), true, false, null)'),
              (5, '* * * * *', 'do $$ begin perform count(*) from public.token_usage; end $$')",
        check: "jobs",
        evidence: &[
            "job cron.job 3 certain",
            "job cron.job 1 possible",
            "job cron.job 2 possible",
            "job cron.job 4 possible",
        ],
        undo: "drop schema cron cascade",
    },
    Plant {
        what: "steps of jobs of pgAgent",
        sql: "create schema pgagent; create table pgagent.pga_jobstep (jstid int, jstjobid int, jstname text, jstkind char,
              jstcode text, jstconnstr text, jstdbname name);
              insert into pgagent.pga_jobstep values
              (1, 1, 'sweep', 's', 'delete from a.token_transactions where false', '', current_database()),
              (2, 1, 'script', 'b', 'psql -c \"select count(*) from a.token_transactions\"', '', ''),
              (3, 1, 'far away', 's', 'delete from a.token_transactions where false', '', 'another'),
              (4, 1, 'by itself', 's', 'select count(*) from a.token_transactions', 'host=here', '')",
        check: "jobs",
        evidence: &[
            "job pgagent.by itself certain",
            "job pgagent.sweep certain",
            "job pgagent.script possible",
        ],
        undo: "drop schema pgagent cascade",
    },
    Plant {
        what: "tasks of pg_timetable",
        sql: "create schema timetable; create table timetable.task (task_id bigint, task_name text, kind text, command text);
              create table timetable.parameter (chain_config bigint, value jsonb);
              insert into timetable.task values (1, 'sweep', 'SQL', 'select count(*) from a.token_transactions'),
              (2, '', 'PROGRAM', 'psql'), (3, 'other', 'SQL', 'select 1');
              insert into timetable.parameter values (1, '[\"-c\", \"select 1 from a.token_transactions\"]')",
        check: "jobs",
        evidence: &["job timetable.sweep certain", "job timetable.number 1 possible"],
        undo: "drop schema timetable cascade",
    },
];
