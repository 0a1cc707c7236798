//! What to change (a plan: row, old values, new values, effect) and the SQL that says it.
