"""What is handed to others to check the audit trail without the portal."""
