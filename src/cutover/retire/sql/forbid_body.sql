begin
  raise exception using
    errcode = 'object_not_in_prerequisite_state',
    message = {{message}},
    hint = 'Write to the table that took its place. unretire.sql of the same certificate takes this back.';
end
