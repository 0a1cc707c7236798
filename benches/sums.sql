-- Every user's balance.
create or replace table balances as
select user_id,
    sum(case
        when action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
            then tokens_used
        else -tokens_used
    end) as balance
from read_parquet('token_usage.parquet')
where success
group by user_id
