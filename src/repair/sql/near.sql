-- Rows of this plan that are there already.
create temporary table reckon_there on commit drop as
select p.reckon_no, {{id}} as row_id
  from pg_temp.reckon_rows as p
  join {{unified}} as u on {{own}};
analyze pg_temp.reckon_there;

-- The same, and what other parts of this plan have inserted.
create temporary table reckon_own on commit drop as
select t.row_id::text as row_id
  from pg_temp.reckon_there as t
 union
select e.row_id
  from reckon_journal.entries as e
 where e.plan_id = {{plan}}
   and e.operation = 'insert'
   and e.undone_at is null;
analyze pg_temp.reckon_own;

-- One look at the table, however long it is: rows of these users that count, or that have a label without a meaning
-- and an amount that is missing; and rows of anybody that name a legacy row{{or_carry}}.
create temporary table reckon_near on commit drop as
select {{id}} as row_id,
       {{id_text}} as id_text,
       {{user}} as user_id,
       {{user_text}} as user_text,
       {{label}} as label,
       {{tokens}} as tokens,
       {{link}} as link,
       {{references}} as reference_set,
       {{counts}} as counts,
       {{is_unclear}} as is_unclear,
       {{known_id}} as known_id,
       {{print}} as print
  from {{unified}} as u
 where {{user_key}} in (select {{known_key}} from pg_temp.reckon_known as k)
   and ({{counts_indented}}
     or {{tokens}} in (select {{missing_tokens}} from pg_temp.reckon_rows as p union all select '')
        and {{is_unclear_indented}}){{or_names}}{{or_carries}};
analyze pg_temp.reckon_near;
