
-- No other writer until this short transaction ends.
lock table {{unified}} in share row exclusive mode;

{{acting}}

{{journal}}
{{legacy}}
-- The rows to insert. The columns have the types of {{unified_comment}}.
create temporary table reckon_rows on commit drop as
select {{staged}}
  from {{unified}} as u
  with no data;

insert into pg_temp.reckon_rows ({{staged_names}}) values
{{rows}};

-- What is known of these users: how many grants and deductions that count, how many of them without an id, and
-- 56 bits of SHA-256 of each id, label, amount and time; of very many rows the sum of these bits.
create temporary table reckon_known on commit drop as
select 0::bigint as no, {{user}} as user_id, 0::bigint as row_count, 0::bigint as blank_count, 0::numeric as fingerprint, null::text[] as prints
  from {{unified}} as u
  with no data;

insert into pg_temp.reckon_known (no, user_id, row_count, blank_count, fingerprint, prints) values
{{known_rows}};

-- Rows that repair.sql and dedupe.sql of this run change: counted neither then nor now.
create temporary table reckon_touched on commit drop as
select {{id}} as row_id
  from {{unified}} as u
  with no data;
{{touched_rows}}{{carriers}}
analyze pg_temp.reckon_rows;
analyze pg_temp.reckon_known;
analyze pg_temp.reckon_touched;

{{spelled_users}}{{near}}
{{checks}}

{{insert}}
{{legacy_again}}
{{closing}}