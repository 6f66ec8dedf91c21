"""What may be decided, disclosed and left out, and in which order; no database."""
