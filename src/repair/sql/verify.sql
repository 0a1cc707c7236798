with planned_insert (no, class, row_id, user_id, action, tokens, created_at) as (
{{inserts}}
), found_insert as (
  select p.no
    from planned_insert as p
   where exists (
     select 1
       from {{unified}} as u
      where {{own}}
        and {{same}}
   )
), planned_update (no, class, row_id, user_id, action, tokens, created_at) as (
{{updates}}
), found_update as (
  select p.no
    from planned_update as p
   where exists (
     select 1
       from {{unified}} as u
      where {{id}}
        and {{same}}
   )
), planned_delete (no, class, row_id, kept_id) as (
{{deletes}}
), found_delete as (
  select p.no
    from planned_delete as p
   where exists (select 1 from {{unified}} as u where {{id}})
), found_kept as (
  select distinct p.row_id
    from (select d.kept_id as row_id from planned_delete as d) as p
   where exists (select 1 from {{unified}} as u where {{id}})
), reviewed (no, class, row_id, user_id, action, tokens, created_at) as (
{{reviews}}
), found_review as (
  select p.no
    from reviewed as p
   where exists (
     select 1
       from {{unified}} as u
      where {{id}}
        and {{same}}
   )
), expectations (place, expectation, expected, actual) as (
  select 1, p.class || ': rows inserted as planned', count(*)::numeric, count(f.no)::numeric
    from planned_insert as p left join found_insert as f on f.no = p.no
   group by p.class
  union all
  select 2, p.class || ': tokens inserted', sum(p.tokens), coalesce(sum(p.tokens) filter (where f.no is not null), 0)
    from planned_insert as p left join found_insert as f on f.no = p.no
   group by p.class
  union all
  select 3, p.class || ': rows changed as planned', count(*), count(f.no)
    from planned_update as p left join found_update as f on f.no = p.no
   group by p.class
  union all
  select 4, p.class || ': extra rows still there', 0, count(f.no)
    from planned_delete as p left join found_delete as f on f.no = p.no
   group by p.class
  union all
  select 5, 'rows that stay beside removed ones', k.expected, k.actual
    from (
      select count(distinct p.kept_id) as expected, (select count(*) from found_kept) as actual
        from planned_delete as p
    ) as k
   where k.expected > 0
  union all
  select 6, 'rows for review, as they were', k.expected, k.actual
    from (
      select count(*) as expected, (select count(*) from found_review) as actual from reviewed as p
    ) as k
   where k.expected > 0
  union all
  select 7, 'nothing was planned', 0, 0 where {{nothing}}
)
select e.expectation, e.expected, e.actual, e.actual = e.expected as ok
  from expectations as e
 order by e.place, e.expectation;
