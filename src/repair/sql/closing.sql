drop function pg_temp.reckon_row_text(record);

commit;
