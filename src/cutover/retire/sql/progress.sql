select r.step, r.table_name, r.retired_name, r.done_at, r.done_by, r.hold_until, r.ended_at, r.ended_by
  from reckon_journal.retirement as r
 where r.table_oid = {{oid}}
 order by r.seq;
