-- By label: rows with a value, and on how many further days a user has the same value on the label.
select label, sum(filled), sum(greatest(days - 1, 0))
from (
    select {label} as label, count(*) as filled, count(distinct ({created_at})::date) as days
    from {table}
    where {named}
    group by 1, ({user})::text, {value}
) as each_value
group by label
order by label
limit 1000
