-- What today's alternative computes: which rows have no partner with the same user, action, amount
-- and moment. {legacy} and {unified} are the tables, here or there.
select count(*) filter (where u.user_id is null) as missing, count(*) filter (where l.user_id is null) as extra
from (
    select user_id, tokens_used, created_at,
        case action_type
            when 'renewal_grant' then 'subscription_grant'
            when 'pack_purchase' then 'token_pack_purchase'
            when 'manual_adjustment' then 'admin_grant'
            else action_type
        end as action_type
    from {legacy}
) l
full outer join (
    select user_id, tokens_used, created_at, action_type
    from {unified}
    where action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
) u
on l.user_id = u.user_id and l.action_type = u.action_type
    and l.tokens_used = u.tokens_used and l.created_at = u.created_at
