-- What a table has beside its rows; made once these are loaded.
set maintenance_work_mem = '1GB';
alter table public.token_transactions add primary key (id);
alter table public.token_usage add primary key (id);
vacuum (analyze) public.token_transactions;
vacuum (analyze) public.token_usage;
checkpoint;
