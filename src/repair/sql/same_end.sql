case
              when coalesce(btrim({{end}}), '') in ('', 'null') then p.expires_at is null
              when {{end}} ~ '^[[:space:]]*[0-9]{4}-[0-9]{2}-[0-9]{2}' then ({{end}})::timestamptz is not distinct from p.expires_at
              else true
            end
