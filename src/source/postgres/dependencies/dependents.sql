-- Everything that the catalogue knows to depend on the relations $1, on their row types, sequences $3, or
-- on the functions $2, directly or through views, types, functions and operators; where $4 is not 'table', on the
-- functions alone: class, kind, schema, name, the object it belongs to, what leads to it.
with recursive
own (oid) as (select unnest($1::oid[]) union all select unnest($3::oid[])),
step (classid, objid, objsubid, via_class, via_id, follow) as (
  select 'pg_catalog.pg_class'::regclass::oid, oid, 0, 0::oid, 0::oid, true from own where $4 = 'table'
  union
  select 'pg_catalog.pg_proc'::regclass::oid, f.oid, 0, 0::oid, 0::oid, true from unnest($2::oid[]) as f (oid)
  union
  select
    coalesce(v.classid, d.classid), coalesce(v.objid, d.objid), case when v.objid is null then d.objsubid else 0 end,
    step.classid, step.objid,
    coalesce(v.objid, d.objid) not in (select oid from own)
      and (v.objid is not null
           or d.classid in ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_type'::regclass,
                            'pg_catalog.pg_operator'::regclass)
           or d.classid = 'pg_catalog.pg_class'::regclass
              and exists (select from pg_catalog.pg_class c where c.oid = d.objid and c.relkind in ('v', 'm', 'c')))
  from step
  join pg_catalog.pg_depend d on d.refclassid = step.classid and d.refobjid = step.objid
  -- The rule that makes a view stands for the view.
  left join lateral (
    select 'pg_catalog.pg_class'::regclass::oid as classid, r.ev_class as objid
    from pg_catalog.pg_rewrite r
    where d.classid = 'pg_catalog.pg_rewrite'::regclass and r.oid = d.objid and r.rulename = '_RETURN'
  ) as v on true
  where step.follow
),
found as (
  select distinct classid, objid, objsubid, via_class, via_id
  from step
  where via_class <> 0 and (classid, objid) is distinct from (via_class, via_id)
    and not (classid = 'pg_catalog.pg_class'::regclass and objid in (select oid from own))
),
named as (
  select f.*, i.type, i.schema, i.name, i.identity, owner.oid as owner_oid, owner.relkind as owner_kind
  from found f
  cross join lateral pg_identify_object(f.classid, f.objid, f.objsubid) as i
  left join lateral (
    select c.oid, c.relkind from pg_catalog.pg_class c
    where c.oid = case f.classid
      when 'pg_catalog.pg_class'::regclass then
        coalesce((select x.indrelid from pg_catalog.pg_index x where x.indexrelid = f.objid), f.objid)
      when 'pg_catalog.pg_attrdef'::regclass then (select adrelid from pg_catalog.pg_attrdef where oid = f.objid)
      when 'pg_catalog.pg_constraint'::regclass then (select nullif(conrelid, 0) from pg_catalog.pg_constraint where oid = f.objid)
      when 'pg_catalog.pg_trigger'::regclass then (select tgrelid from pg_catalog.pg_trigger where oid = f.objid)
      when 'pg_catalog.pg_policy'::regclass then (select polrelid from pg_catalog.pg_policy where oid = f.objid)
      when 'pg_catalog.pg_rewrite'::regclass then (select ev_class from pg_catalog.pg_rewrite where oid = f.objid)
      when 'pg_catalog.pg_statistic_ext'::regclass then (select stxrelid from pg_catalog.pg_statistic_ext where oid = f.objid)
      when 'pg_catalog.pg_type'::regclass then (
        select coalesce(nullif(t.typrelid, 0), nullif(e.typrelid, 0))
        from pg_catalog.pg_type t left join pg_catalog.pg_type e on e.typarray = t.oid where t.oid = f.objid)
    end
  ) as owner on true
)
select
  classid::regclass::text,
  type,
  coalesce(schema, case classid when 'pg_catalog.pg_constraint'::regclass then (
    select k.connamespace::regnamespace::text from pg_catalog.pg_constraint k where k.oid = objid) end),
  name, identity,
  coalesce(owner_oid::regclass::text, ''),
  coalesce(owner_kind::text, ''),
  string_agg(distinct (pg_identify_object(via_class, via_id, 0)).type || ' ' || (pg_identify_object(via_class, via_id, 0)).identity, ', '),
  case classid
    when 'pg_catalog.pg_attrdef'::regclass then (
      select a.attname::text || case when a.attgenerated <> '' then ' generated as ' else ' default ' end
             || pg_get_expr(x.adbin, x.adrelid)
      from pg_catalog.pg_attrdef x
      join pg_catalog.pg_attribute a on a.attrelid = x.adrelid and a.attnum = x.adnum where x.oid = objid)
    when 'pg_catalog.pg_constraint'::regclass then pg_get_constraintdef(objid)
    when 'pg_catalog.pg_policy'::regclass then (
      select concat_ws(' ', 'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                       'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
      from pg_catalog.pg_policy p where p.oid = objid)
    else ''
  end
from named
where (owner_oid is null or owner_oid not in (select oid from own))
  -- Row types of views and their arrays are the views; keys have a query of their own.
  and not (classid = 'pg_catalog.pg_type'::regclass and owner_oid is not null)
  and not (classid = 'pg_catalog.pg_class'::regclass and owner_kind in ('t', 'S'))
  and not (classid = 'pg_catalog.pg_constraint'::regclass
           and exists (select from pg_catalog.pg_constraint k where k.oid = objid and k.contype in ('f', 'n')))
  and not (classid = 'pg_catalog.pg_trigger'::regclass
           and exists (select from pg_catalog.pg_trigger t where t.oid = objid and t.tgisinternal))
  and classid <> 'pg_catalog.pg_publication_rel'::regclass
group by classid, type, schema, name, identity, owner_oid, owner_kind, objid
order by 1, 2, 3, 4, 5
