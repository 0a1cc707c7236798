begin
  raise exception using
    message = {{message}},
    detail = {{reasons}},
    hint = 'Nothing was changed. Mend what is named, then run reckon cutover again.';
end
