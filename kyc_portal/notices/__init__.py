"""What we tell people: an outbox of notices, each worded by a template."""
