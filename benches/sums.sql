-- Every user's balance.
select user_id,
    sum(case
        when action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
            then tokens_used
        else -tokens_used
    end) as balance
from {unified}
where success
group by user_id
