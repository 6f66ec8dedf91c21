"""Pages of accounts outside the admin's own: for staff, and for the customer who was asked for something."""
