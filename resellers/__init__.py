"""Who sells us on, and to whom."""
