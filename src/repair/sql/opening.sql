
-- Of values inside JSON the server has no statistics: it would sort the whole table for the sake of a few rows, and
-- compile for as long as it looks.
set local enable_mergejoin = off;
set local jit = off;

-- One file at a time, so that no two make the journal, or wait for each other: the number is the word "reckon" in
-- ASCII, as in retire.sql.
{{serial}}

-- A row as the text that is read back as that row. Names in it stand with their schemas, whatever the path of the
-- session; triggers of the table find that path as it was.
create or replace function pg_temp.reckon_row_text(written record) returns text
  language plpgsql
  stable
  set search_path = pg_catalog, pg_temp
  as {{body}};
