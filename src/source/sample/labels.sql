-- Rows by label: all, with an amount above and below zero, with a reference, marked as migrated.
select
    {label},
    count(*),
    count(*) filter (where {amount} > 0),
    count(*) filter (where {amount} < 0),
    count(*) filter (where {referenced}),
    count(*) filter (where {marked})
from {table}
group by 1
order by 2 desc, 1
limit 1000
