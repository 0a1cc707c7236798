-- What any program that reads the new table needs of it: id and metadata of the grants alone.
copy (
    select user_id, action_type, tokens_used, created_at, success,
        case when action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
            then id end,
        case when action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
            then metadata end
    from public.token_usage
    where {blocks}
) to stdout (format binary)
