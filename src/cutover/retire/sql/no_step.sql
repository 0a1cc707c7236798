begin
{{serial}}
  if to_regclass('reckon_journal.retirement') is null then
    raise exception using
      message = 'reckon: {{step}}: {{before}} has not been done',
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
end
