-- The most common values of column $3 of table $1.$2, as the last ANALYZE saw them.
select v.label
from pg_catalog.pg_stats s
cross join lateral unnest(s.most_common_vals::text::text[]) as v (label)
where s.schemaname = $1 and s.tablename = $2 and s.attname = $3
limit 100
