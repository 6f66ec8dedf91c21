"""What is still to do: jobs, leases, attempts, dead letters."""
