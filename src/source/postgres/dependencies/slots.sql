-- Logical replication slots of this database whose plugin does not go by publications: name, plugin.
select slot_name::text, plugin::text
from pg_catalog.pg_replication_slots
where slot_type = 'logical' and database = current_database() and plugin is distinct from 'pgoutput'
  and not temporary
order by 1
