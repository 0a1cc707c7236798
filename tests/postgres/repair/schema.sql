create type token_action_type as enum ('subscription_grant', 'renewal_grant', 'trial_grant', 'admin_grant', 'admin_deduct', 'pack_purchase');
create table token_transactions (
  id uuid primary key,
  user_id uuid not null,
  action_type token_action_type not null,
  tokens_used int not null,
  created_at timestamptz,
  stripe_payment_intent_id text
);
create table token_usage (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  action_type text not null check (action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase', 'admin_deduct', 'chat')),
  model_used text not null,
  tokens_used int not null,
  success boolean not null default true,
  metadata jsonb,
  created_at timestamptz not null default now()
);
