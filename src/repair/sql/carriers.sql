
-- Rows of which the run knew that they carry a reference of a row to insert.
create temporary table reckon_carriers (reference text, row_id text) on commit drop;
{{rows}}