create table public.token_usage (
  id uuid not null,
  user_id uuid not null,
  action_type text not null,
  model_used text not null,
  tokens_used int not null,
  input_tokens int,
  output_tokens int,
  cost_estimate int,
  success bool not null default true,
  error_message text,
  metadata jsonb,
  created_at timestamptz not null default now(),
  constraint token_usage_action_type_check check (action_type in (
    'admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase', 'admin_deduct',
    'vision_generation', 'chat_conversation', 'image_generation', 'audio_generation', 'transcription',
    'blueprint_generation', 'vision_refinement', 'assessment_scoring', 'prompt_suggestions',
    'frequency_flip', 'life_vision_category_summary', 'life_vision_master_assembly'
  ))
);
create table public.user_profiles (
  user_id uuid not null,
  vibe_assistant_tokens_remaining int not null default 100
);
create table public.household_members (
  user_id uuid primary key,
  household_id uuid not null,
  admin_user_id uuid not null
);
