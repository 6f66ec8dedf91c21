"""What we decide and disclose."""
