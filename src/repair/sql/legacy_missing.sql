  -- The rows came from files: their table need not be here.
  if to_regclass({{legacy_literal}}) is null then
{{notice}}    return;
  end if;
