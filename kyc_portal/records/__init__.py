"""What happened and what we keep: audit trail, holds, retention, sealed values."""
