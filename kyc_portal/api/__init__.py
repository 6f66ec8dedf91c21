"""What other systems may ask and tell, as JSON: one key each, with scopes of its own (docs/integration.md)."""
