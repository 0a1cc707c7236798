-- The action types of token_usage, as the configuration lists them.
-- Grants add to a balance, deductions and usage take from it.
begin;
set local lock_timeout = '5s';
set local statement_timeout = '50s';
alter table token_usage drop constraint if exists token_usage_action_type_check;
alter table token_usage add constraint token_usage_action_type_check check (action_type in (
    'admin_grant',
    'subscription_grant',
    'trial_grant',
    'token_pack_purchase',
    'admin_deduct',
    'chat_conversation',
    'image_generation'
));
commit;
