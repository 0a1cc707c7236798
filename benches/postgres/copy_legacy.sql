-- What any program that reads the old table needs of it.
copy (
    select id, user_id, action_type, tokens_used, created_at, stripe_payment_intent_id
    from public.token_transactions
    where {blocks}
) to stdout (format binary)
