-- reckon, verify: tells whether public.token_usage is as planned: one row an expectation.
-- Plan e577030758195aa4, made from the run of token_transactions.csv and token_usage.csv as of 2026-09-01T00:00:00.000000Z.
-- Looks at 65 rows. Reads only.
-- Needs: select on public.token_usage.
-- It sets nothing. Where the client does not speak UTF-8, run set client_encoding = 'UTF8' first.
with planned_insert (no, class, row_id, user_id, action, tokens, created_at) as (
  values
  (0, 'unmigrated', '6cf94ce4-1ff8-5730-9a2d-69716d6e2fc5', '080299f4-a252-44ad-9fb7-1d79ef180e9f', 'token_pack_purchase', 500000::numeric, '2026-07-31T14:40:19.195711Z'::timestamptz),
  (1, 'unmigrated', 'b40ff6b3-fd08-5639-bad4-659d904f1963', '10ead414-5004-4dcd-95c4-a8aa69f3284b', 'subscription_grant', 250000::numeric, '2025-10-31T17:29:28.349094Z'::timestamptz),
  (2, 'unmigrated', 'fa36248d-ef99-59ef-92d0-f8514a279d19', '21685ac7-078f-40d8-91fb-9ef12120746c', 'subscription_grant', 250000::numeric, '2026-05-18T09:16:34.085219Z'::timestamptz),
  (3, 'unmigrated', '16becea1-fc31-5f9f-baca-8651d78920d9', '2ceefc71-01d6-4101-9cb6-d1eb9271dc6d', 'token_pack_purchase', 2500000::numeric, '2026-06-23T19:06:41.573235Z'::timestamptz),
  (4, 'unmigrated', '5ff985b7-5f22-5cf4-8431-c47f15ec91a8', '2dd13528-579b-421a-850f-17b191dfc3a8', 'subscription_grant', 250000::numeric, '2025-12-03T18:44:09.939666Z'::timestamptz),
  (5, 'unmigrated', '73aad91e-326e-549f-baa7-9236016a1a07', '50381ccc-6629-434b-b729-f93d5524f47e', 'subscription_grant', 250000::numeric, '2026-01-07T13:42:49.710453Z'::timestamptz),
  (6, 'unmigrated', '47f2cfc4-77d7-5f80-8435-27f87e9f6908', '6dc2bdcc-7bb2-4002-ac28-74e7ca0b63d2', 'subscription_grant', 250000::numeric, '2026-04-26T21:04:01.221713Z'::timestamptz),
  (7, 'unmigrated', 'aa6284d8-7330-53aa-9d82-43b79b35accd', '811dc75b-9632-4dcb-9bfa-59897fbc8220', 'subscription_grant', 5000000::numeric, '2025-08-06T18:11:10.284968Z'::timestamptz),
  (8, 'unmigrated', 'd905b808-1118-594a-b946-915caf3078a9', '9ee409df-3606-4c73-96f0-4c2d222e9142', 'subscription_grant', 250000::numeric, '2026-04-15T08:00:24.520457Z'::timestamptz),
  (9, 'unmigrated', '977ff678-3e1d-5816-9e03-9a7b66180090', '9efc6d59-27a0-4163-8315-2f78c77e8b26', 'subscription_grant', 250000::numeric, '2026-02-13T13:35:25.115469Z'::timestamptz),
  (10, 'unmigrated', '3ffbee19-3ed2-5be5-9ab2-b994fece5b66', 'a374de0e-4178-4852-a5ef-f5c5d559eea8', 'subscription_grant', 250000::numeric, '2025-10-13T18:30:20.605533Z'::timestamptz),
  (11, 'unmigrated', '98a805f2-69be-5079-84f8-b96e6efa11d2', 'be5712b9-ee53-4410-8863-136292a2b0f1', 'subscription_grant', 250000::numeric, '2026-04-15T16:23:43.994083Z'::timestamptz),
  (12, 'unmigrated', 'fbc039da-3992-5339-94b3-e3ca8ad41c08', 'd165e915-49ec-4533-8883-8a18ef0899cf', 'subscription_grant', 250000::numeric, '2026-01-13T07:53:58.824490Z'::timestamptz),
  (13, 'unmigrated', 'e41f6a23-cd82-553b-a0bc-ce7d3a8c9c6b', 'd25c5ada-106e-432a-b251-df4ee14567e8', 'subscription_grant', 250000::numeric, '2025-11-28T17:50:53.968764Z'::timestamptz),
  (14, 'unmigrated', 'c9323b52-39ab-5bfd-a1a2-1e215734f01e', 'f2aee1d6-9c41-46e1-a7ec-65d834a94635', 'subscription_grant', 250000::numeric, '2026-06-25T13:13:29.727521Z'::timestamptz),
  (15, 'unmigrated_deduction', 'd97c409a-158d-5733-a96b-1cdfa6fe45c9', '41c97819-7c93-44e5-9433-84e7af2f2715', 'admin_deduct', 7000::numeric, '2026-01-28T17:39:24.480591Z'::timestamptz),
  (16, 'unmigrated_deduction', '00239900-e311-537e-89ea-bde9748b5c3e', '575cad77-8978-42df-8f46-42141b44fc31', 'admin_deduct', 46500::numeric, '2026-05-02T20:44:22.950191Z'::timestamptz),
  (17, 'unmigrated_deduction', 'cb5e984e-390a-540f-a481-a0c6dda40b82', 'bad375c9-d69f-4441-9db0-32e56c2507af', 'admin_deduct', 14500::numeric, '2025-09-26T18:56:05.045870Z'::timestamptz),
  (18, 'unmigrated_deduction', 'd7771efd-7cfb-58b6-9f32-cf8cb3371d59', 'bb9ccf04-460a-4836-966c-37c8d5357bfa', 'admin_deduct', 25500::numeric, '2026-02-26T14:54:39.650149Z'::timestamptz),
  (19, 'unmigrated_deduction', '2ed72837-3ef0-55ce-9fc7-3eb128df1dc3', 'cd3e47bb-6fb0-42a7-a9bf-31932e377e6d', 'admin_deduct', 19000::numeric, '2025-12-29T19:42:23.333929Z'::timestamptz)
), found_insert as (
  select p.no
    from planned_insert as p
   where exists (
     select 1
       from public.token_usage as u
      where lower(u.id::text) = p.row_id
        and lower(u.user_id::text) = p.user_id
        and coalesce(u.action_type::text, '') = p.action
        and u.tokens_used::text::numeric = p.tokens
        and case pg_typeof(u.created_at)
          when 'date'::regtype
            then (u.created_at)::text::date = (p.created_at at time zone 'UTC')::date
          when 'timestamp without time zone'::regtype
            then abs(extract(epoch from ((u.created_at)::text::timestamp at time zone 'UTC')
              - ((p.created_at at time zone 'UTC') at time zone 'UTC'))) < 1
          else abs(extract(epoch from (u.created_at)::text::timestamptz - p.created_at)) < 1
        end
   )
), planned_update (no, class, row_id, user_id, action, tokens, created_at) as (
  values
  (20, 'amount_mismatch', '0aa44e83-f5c9-463e-a7e9-620ae1992957', '1bc72594-6a9d-4631-a1ed-8922ed96a5b0', 'subscription_grant', 250000::numeric, '2025-11-24T08:39:01.141262Z'::timestamptz),
  (21, 'amount_mismatch', 'c1a921d4-0da0-4e99-987a-b76deadd9ac1', 'a9b45f88-fc99-437e-b0d0-f40e0337cfdf', 'subscription_grant', 250000::numeric, '2025-12-10T11:47:31.516302Z'::timestamptz),
  (22, 'amount_mismatch', '34f6cf5e-182e-4ba8-b0b2-d37b326b52ed', 'da98d66b-466d-4eff-823d-c99d1e290a53', 'subscription_grant', 5000000::numeric, '2025-08-31T13:49:15.273472Z'::timestamptz),
  (23, 'amount_mismatch', '1d960a0c-6c1e-4b92-935f-3c5ff95bc85c', 'e77c2218-0ae3-4ed3-b297-a7c402fd6918', 'subscription_grant', 250000::numeric, '2025-09-03T12:26:07.653599Z'::timestamptz),
  (24, 'action_mismatch', 'df67c096-203c-4db3-8d3a-f0012e44d617', '61026d3d-adf5-48f2-9d63-f841e81235c8', 'subscription_grant', 250000::numeric, '2025-12-28T21:39:24.993730Z'::timestamptz),
  (25, 'action_mismatch', '4e667ce2-9671-4344-a074-4c977cc2ab57', '9dc0d610-a50b-4cb0-b6ea-4bb5c68ddc40', 'subscription_grant', 250000::numeric, '2025-10-09T20:34:51.076383Z'::timestamptz),
  (26, 'action_mismatch', '77851bf1-5087-484a-be2c-b107952e176d', '9f95457b-e15a-46a2-8cd2-69837f6112e4', 'subscription_grant', 250000::numeric, '2025-09-03T17:22:29.888922Z'::timestamptz),
  (27, 'action_mismatch', 'dd8a06d3-5883-4b7e-9b5b-b9ffeeff3137', 'bb692583-045d-4b8f-b302-ad4dc5237ddb', 'subscription_grant', 250000::numeric, '2025-10-25T10:39:37.588562Z'::timestamptz),
  (28, 'mislabelled_purchase', 'e1ebdcf2-36d8-49e1-ab26-92f938b943a0', '08ab226b-dac9-4ecf-96a1-605d9e704314', 'token_pack_purchase', 2500000::numeric, '2026-02-06T09:46:00.428180Z'::timestamptz),
  (29, 'mislabelled_purchase', '8abe2819-9d8d-46ce-9dc7-5a7826bf9cf8', '171cfb2e-9c71-4c84-802c-ef2ca7539a66', 'token_pack_purchase', 500000::numeric, '2025-12-27T18:07:40.132085Z'::timestamptz),
  (30, 'mislabelled_purchase', '64eb4c08-1644-4d44-bf7f-13af292ec297', '1a0e1d1b-f243-42b1-8f63-8b6e3605afe8', 'token_pack_purchase', 1000000::numeric, '2026-03-13T10:46:19.056237Z'::timestamptz),
  (31, 'mislabelled_purchase', '2ffbbdfe-8c17-4fca-bd3f-4ee26133d539', '23d079a0-c8dd-43bd-a7f3-74f77e211f65', 'token_pack_purchase', 2500000::numeric, '2026-08-02T17:26:35.550143Z'::timestamptz),
  (32, 'mislabelled_purchase', '5712f734-f358-4cc5-97ab-1543f838befd', '33aca11c-7ba1-48d8-a7f3-f2896019fdc0', 'token_pack_purchase', 500000::numeric, '2026-08-10T08:35:29.962376Z'::timestamptz),
  (33, 'mislabelled_purchase', 'f9cb4e71-0289-4be8-bd2b-a70c4a78d559', '372b33ed-9b9f-49af-98c6-96409a7c679d', 'token_pack_purchase', 2500000::numeric, '2026-04-24T19:13:54.540160Z'::timestamptz),
  (34, 'mislabelled_purchase', '2a6eb714-ccc4-42fa-bc66-022e8bda03a2', '5553eab6-c8cf-4072-9d44-8501c144e940', 'token_pack_purchase', 500000::numeric, '2026-06-26T20:53:07.937426Z'::timestamptz),
  (35, 'mislabelled_purchase', '57cc7340-90f2-4b92-a9c9-8d4a5ddf5c02', '85108652-14c5-4413-9483-61a9b048ab6c', 'token_pack_purchase', 500000::numeric, '2026-07-31T11:26:19.502912Z'::timestamptz),
  (36, 'mislabelled_purchase', '0b9227b1-3f0f-4c32-a81b-427db94be586', '9a9a77d1-65d2-4937-9980-182b745c5f41', 'token_pack_purchase', 2500000::numeric, '2026-07-16T18:46:57.769176Z'::timestamptz),
  (37, 'mislabelled_purchase', 'faa73eb9-f45e-4c50-96e2-d4b8d5d8778c', 'b36fa88e-d538-4153-b664-dbb185fd2a7e', 'token_pack_purchase', 500000::numeric, '2026-08-09T07:18:09.634410Z'::timestamptz),
  (38, 'mislabelled_purchase', 'f07c6f38-f8f4-46f5-a61d-7dd181438414', 'b5bffd24-a4a9-4a69-97a0-85b229b65748', 'token_pack_purchase', 500000::numeric, '2026-02-09T07:03:02.014363Z'::timestamptz),
  (39, 'mislabelled_purchase', 'ce393fb1-8107-41e4-9b18-15e35456e7dc', 'dad5de89-5925-4513-b4c3-1f3f047b3fbf', 'token_pack_purchase', 2500000::numeric, '2025-12-27T20:33:21.981592Z'::timestamptz),
  (40, 'mislabelled_purchase', 'eae8d29a-c29a-4093-af72-3d571a5a138a', 'ee149039-169f-4fa4-9ab9-9baf3b0d5552', 'token_pack_purchase', 1000000::numeric, '2026-02-13T09:04:04.559025Z'::timestamptz),
  (41, 'mislabelled_purchase', '7c369dad-cd09-4b91-91c6-fd810f9dc7a3', 'f1cbf264-1b69-4bfb-bf70-c58910e2e608', 'token_pack_purchase', 500000::numeric, '2026-08-04T13:32:32.231792Z'::timestamptz),
  (42, 'mislabelled_purchase', '9c132b22-43d3-41e0-95a5-04c0853a28dd', 'f810eb62-f4c8-44ed-a1c6-05d709421242', 'token_pack_purchase', 1000000::numeric, '2026-01-15T18:40:49.582283Z'::timestamptz),
  (43, 'mislabelled_purchase', '06b46dcd-d1c8-4ec2-94e3-4f3f68833652', 'f8f4fefd-8dc3-4e84-9839-02a37cb44bdb', 'token_pack_purchase', 2500000::numeric, '2026-01-09T20:34:37.578154Z'::timestamptz)
), found_update as (
  select p.no
    from planned_update as p
   where exists (
     select 1
       from public.token_usage as u
      where lower(u.id::text) = p.row_id
        and lower(u.user_id::text) = p.user_id
        and coalesce(u.action_type::text, '') = p.action
        and u.tokens_used::text::numeric = p.tokens
        and case pg_typeof(u.created_at)
          when 'date'::regtype
            then (u.created_at)::text::date = (p.created_at at time zone 'UTC')::date
          when 'timestamp without time zone'::regtype
            then abs(extract(epoch from ((u.created_at)::text::timestamp at time zone 'UTC')
              - ((p.created_at at time zone 'UTC') at time zone 'UTC'))) < 1
          else abs(extract(epoch from (u.created_at)::text::timestamptz - p.created_at)) < 1
        end
   )
), planned_delete (no, class, row_id, kept_id) as (
  values
  (44, 'duplicate', 'ceb9937d-d911-4615-85b5-56192c54b359', '0076bb78-3058-4625-9e25-844f02960524'),
  (45, 'duplicate', '6bcbcf4d-b88a-4377-bac1-8d71ede11372', '09a2c56c-bb68-4924-94d1-a8dbde496b97'),
  (46, 'duplicate', '800896cf-f5ad-4060-a6c3-c4fbb20701df', '70fb95cb-7f10-445c-8a7c-f256993cc111'),
  (47, 'duplicate', '169acb50-4ade-40c1-a923-481d9e961dd1', '15d586be-b411-4eb6-8d0b-62454393080e'),
  (48, 'duplicate', 'a5822d40-3214-41f7-89a4-b91b3eabf886', '1b313762-f578-471c-9abf-d779fa4e32f8'),
  (49, 'duplicate', '401b2b20-e900-4752-b3c5-2ae4c08f3a16', '5efbde00-9c9f-40d9-9331-901470e06584'),
  (50, 'duplicate', 'e3125b8d-ef98-419e-a824-d4a6c07dad62', '6d8dabdb-aec6-43ad-a659-2fe374d65529'),
  (51, 'duplicate', '2ce5152c-f1cf-41b4-ba3d-bd718b9aac9e', '4ce71827-c339-4847-bbab-e03453eb5232')
), found_delete as (
  select p.no
    from planned_delete as p
   where exists (select 1 from public.token_usage as u where lower(u.id::text) = p.row_id)
), found_kept as (
  select distinct p.row_id
    from (select d.kept_id as row_id from planned_delete as d) as p
   where exists (select 1 from public.token_usage as u where lower(u.id::text) = p.row_id)
), reviewed (no, class, row_id, user_id, action, tokens, created_at) as (
  values
  (52, 'amount_mismatch', 'b9c98bb4-a2df-45b7-9148-035ad09157d3', '628db4c6-18e5-4f7b-8e61-2c0ced56602b', 'subscription_grant', 200000::numeric, '2026-08-12T11:30:45.642709Z'::timestamptz),
  (53, 'amount_mismatch', '36e322c7-6c68-46df-95e9-decafc1fc3ef', 'cac3637e-1d05-498c-b076-61f16ce17473', 'subscription_grant', 200000::numeric, '2026-05-03T19:18:07.209852Z'::timestamptz),
  (54, 'action_mismatch', '10ad167c-63a5-48f7-aaa3-9dd22536d47b', '167a117e-8eb8-4d95-bbb5-f4631092c41d', 'admin_grant', 249999::numeric, '2025-12-26T12:00:49.154952Z'::timestamptz),
  (55, 'user_mismatch', '69909cf2-fca3-4dc4-9e85-c1cefeef5cef', '1aa4775d-b829-47b1-adfe-fe511b5a16a8', 'subscription_grant', 250000::numeric, '2026-08-10T18:30:40.544749Z'::timestamptz),
  (56, 'user_mismatch', 'd33e9fc4-e9cd-43ec-9ae6-75cc1d5dc325', 'e9911aa1-2b5f-4780-a2f5-b7c7b6d025e6', 'subscription_grant', 250000::numeric, '2025-07-15T20:36:57.133729Z'::timestamptz),
  (57, 'duplicate', '74dd31b0-c6d8-4222-9409-615aaf1e97d9', '3f183a3a-b72e-47f6-b160-8647101c5a99', 'token_pack_purchase', 2500000::numeric, '2026-05-06T13:58:08.381268Z'::timestamptz),
  (58, 'duplicate', 'd079e259-0972-488a-be17-7a43de7226fb', '54d59e2b-07f3-458c-b52b-9227a3b3b7c9', 'trial_grant', 50000::numeric, '2026-05-18T11:45:34.870032Z'::timestamptz),
  (59, 'duplicate', '43119f2e-f156-46be-90d4-bf4808a31dfc', '59dd5dc9-ae2b-451a-80a9-97720d44b743', 'subscription_grant', 250000::numeric, '2026-06-09T11:35:39.011684Z'::timestamptz),
  (60, 'duplicate', '5bb527d5-1656-4a63-aced-93c2a6b0a723', '9ae44252-d807-4f35-b8e8-c1f28d6aeb90', 'subscription_grant', 250000::numeric, '2026-07-01T11:44:47.335330Z'::timestamptz),
  (61, 'orphan', '652565b1-7cf1-447c-93f3-aa132ea8ac73', '82ec2ae9-080c-45d5-97ca-f146fd2d34fa', 'subscription_grant', 250000::numeric, '2026-02-01T13:16:22.041984Z'::timestamptz),
  (62, 'orphan', '1b384dee-ec86-4649-b1eb-aa35ae6bb87c', '966fcd32-05d0-4238-94f6-dcf04cb1b7d1', 'subscription_grant', 5000000::numeric, '2025-12-06T14:51:55.971085Z'::timestamptz),
  (63, 'orphan', '6cc9681e-972e-45fa-8794-c0b783b14617', 'd1b4cf3c-9fae-4f29-b152-12e4fc8834f0', 'subscription_grant', 250000::numeric, '2025-07-26T09:26:24.330873Z'::timestamptz),
  (64, 'orphan', '0faf6b68-1bfa-4580-a466-567ed03f1957', 'dcc90dbe-6c0a-4895-bbea-2aabecbdadc8', 'subscription_grant', 250000::numeric, '2026-02-06T10:40:13.908054Z'::timestamptz)
), found_review as (
  select p.no
    from reviewed as p
   where exists (
     select 1
       from public.token_usage as u
      where lower(u.id::text) = p.row_id
        and lower(u.user_id::text) = p.user_id
        and coalesce(u.action_type::text, '') = p.action
        and u.tokens_used::text::numeric = p.tokens
        and case pg_typeof(u.created_at)
          when 'date'::regtype
            then (u.created_at)::text::date = (p.created_at at time zone 'UTC')::date
          when 'timestamp without time zone'::regtype
            then abs(extract(epoch from ((u.created_at)::text::timestamp at time zone 'UTC')
              - ((p.created_at at time zone 'UTC') at time zone 'UTC'))) < 1
          else abs(extract(epoch from (u.created_at)::text::timestamptz - p.created_at)) < 1
        end
   )
), expectations (place, expectation, expected, actual) as (
  select 1, p.class || ': rows inserted as planned', count(*)::numeric, count(f.no)::numeric
    from planned_insert as p left join found_insert as f on f.no = p.no
   group by p.class
  union all
  select 2, p.class || ': tokens inserted', sum(p.tokens), coalesce(sum(p.tokens) filter (where f.no is not null), 0)
    from planned_insert as p left join found_insert as f on f.no = p.no
   group by p.class
  union all
  select 3, p.class || ': rows changed as planned', count(*), count(f.no)
    from planned_update as p left join found_update as f on f.no = p.no
   group by p.class
  union all
  select 4, p.class || ': extra rows still there', 0, count(f.no)
    from planned_delete as p left join found_delete as f on f.no = p.no
   group by p.class
  union all
  select 5, 'rows that stay beside removed ones', k.expected, k.actual
    from (
      select count(distinct p.kept_id) as expected, (select count(*) from found_kept) as actual
        from planned_delete as p
    ) as k
   where k.expected > 0
  union all
  select 6, 'rows for review, as they were', k.expected, k.actual
    from (
      select count(*) as expected, (select count(*) from found_review) as actual from reviewed as p
    ) as k
   where k.expected > 0
  union all
  select 7, 'nothing was planned', 0, 0 where false
)
select e.expectation, e.expected, e.actual, e.actual = e.expected as ok
  from expectations as e
 order by e.place, e.expectation;
