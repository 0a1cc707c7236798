  -- The steps that are in force; looked at again once the table is locked.
  select array_agg(r.seq order by r.seq) into standing
    from reckon_journal.retirement as r
   where r.table_oid = {{oid}} and r.ended_at is null;
