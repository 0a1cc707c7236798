case pg_typeof({{value}})
          when 'date'::regtype
            then ({{value}})::text::date = (p.created_at at time zone {{zone}})::date
          when 'timestamp without time zone'::regtype
            then abs(extract(epoch from (({{value}})::text::timestamp at time zone {{zone}})
              - ((p.created_at at time zone {{zone}}) at time zone {{zone}}))) < 1
          else abs(extract(epoch from ({{value}})::text::timestamptz - p.created_at)) < 1
        end
