begin
  raise exception using
    message = {{message}},
    hint = {{hint}};
end
