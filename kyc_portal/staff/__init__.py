"""How staff see it: people, roles, the admin site and the bases of its screens."""
