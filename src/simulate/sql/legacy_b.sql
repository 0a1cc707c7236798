-- Shape B: an enum, and payments beside the tokens.
create type public.token_action_type as enum (
  'subscription_grant', 'annual_subscription_grant', 'renewal_grant', 'trial_grant', 'admin_grant',
  'pack_purchase', 'manual_adjustment', 'admin_deduct', 'chat', 'refinement', 'image', 'audio',
  'pool_transfer', 'loyalty_bonus'
);
create table public.token_transactions (
  id uuid not null,
  user_id uuid,
  action_type public.token_action_type,
  tokens_used int,
  tokens_remaining int,
  metadata jsonb,
  created_at timestamptz,
  amount_paid_cents int,
  stripe_payment_intent_id text,
  stripe_session_id text,
  subscription_id uuid,
  token_pack_id text,
  expires_at timestamptz
);
