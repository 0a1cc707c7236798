-- Keys at the top of a JSON column: rows that have a value there.
select member.key, count(*)
from {table} as t
cross join lateral jsonb_each_text(
    case when jsonb_typeof(t.{column}::jsonb) = 'object' then t.{column}::jsonb else '{}'::jsonb end
) as member (key, value)
where member.value <> ''
group by member.key
order by count(*) desc, member.key
limit 200
