-- Shape A: the kind of grant needs transaction_type and source.
create table public.token_transactions (
  id uuid not null,
  user_id uuid,
  transaction_type text,
  token_amount int,
  balance_before int,
  balance_after int,
  source text,
  created_at timestamptz default now()
);
