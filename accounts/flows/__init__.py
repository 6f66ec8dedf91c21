"""What happens: one module per process; each function locks, checks, writes, records, tells."""
