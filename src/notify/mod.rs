//! Tells people: what is worth an alert, and who is told, by a command or a webhook.
