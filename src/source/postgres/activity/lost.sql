-- Since when the server keeps counters: a server that did not end cleanly (a crash, a copy that took
-- over) begins with none, and says when it did so for those that are not of one database. Somebody may
-- set these back as well, though rarely both.
select (extract(epoch from least(b.stats_reset, a.stats_reset)) * 1000000)::bigint::text
from pg_catalog.pg_stat_bgwriter b, pg_catalog.pg_stat_archiver a
