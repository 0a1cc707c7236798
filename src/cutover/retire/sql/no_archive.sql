  raise exception using
    message = format('reckon: step 3: %s was NOT dropped: the certificate names no archive', place),
    hint = 'Nothing was changed. unretire.sql takes steps 1 and 2 back; then run reckon cutover --archive DIR, which writes an archive and digests it, and use the retire.sql that it writes.';
