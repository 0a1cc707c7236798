  -- The rows came from files: their table need not be here.
  if to_regclass({{legacy_literal}}) is null then
    raise notice 'reckon: there is no table % here, so its rows were not checked', {{legacy_literal}};
    return;
  end if;
