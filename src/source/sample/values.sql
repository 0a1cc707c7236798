-- The commonest values of a column, with their rows.
select {column}::text, count(*)
from {table}
where {column} is not null
group by 1
order by 2 desc, 1
limit 12
