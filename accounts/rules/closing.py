"""Why an account is closed (requirements R40, R47)."""

REASONS = {
    "own_request": "The customer asked for it",
    "unused": "Not used for a long time",
    "not_verifiable": "Identity could not be verified",
    "terms_broken": "Our terms were broken",
    "authority_order": "Order of a court or an authority",
    "product_ended": "We no longer offer the product",
}
CHOICES = list(REASONS.items())
