-- The tables of generate.py as a product has them.
drop table if exists public.token_transactions, public.token_usage;
create table public.token_transactions (
    id uuid not null,
    user_id uuid not null,
    action_type text not null,
    tokens_used integer not null,
    created_at timestamptz not null,
    stripe_payment_intent_id text
);
create table public.token_usage (
    id uuid not null,
    user_id uuid not null,
    action_type text not null,
    model_used text not null,
    tokens_used integer not null,
    success boolean not null,
    metadata jsonb,
    created_at timestamptz not null
);
