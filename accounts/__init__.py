"""Who the customer is, what we know of them and what we saw of them."""
