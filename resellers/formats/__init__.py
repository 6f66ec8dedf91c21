"""Outside formats of resellers."""
