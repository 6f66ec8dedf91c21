"""Pure thinking about customers: plain values in, values with their reasons out; no database."""
