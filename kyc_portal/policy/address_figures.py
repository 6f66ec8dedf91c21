"""How much an address may count, and for how long data about addresses is believed: (name, value, unit, reason).

All of it is our own policy: no text gives a figure. Kept apart from regimes.py, which takes it into every profile.
"""

ADDRESS_FIGURES = (
    ("address_counts_plain", "100", "of 100", "Nothing speaks against the place; it is still one sign among others."),
    ("address_counts_vpn", "10", "of 100", "The place is that of the exit; many honest people use a VPN."),
    ("address_counts_tor", "5", "of 100", "The exit was drawn by lot."),
    ("address_counts_proxy", "10", "of 100", "The place is that of the proxy."),
    ("address_counts_residential_proxy", "5", "of 100", "Somebody else's line at home, lent or taken."),
    ("address_counts_relay", "20", "of 100", "Relays of device makers keep the region, not more."),
    ("address_counts_hosting", "20", "of 100", "A machine in a data centre stands between; whose, it does not say."),
    ("address_counts_anonymous", "10", "of 100", "Some kind of anonymiser, the list does not say which."),
    ("address_counts_satellite", "30", "of 100", "The place is that of the ground station, often another country."),
    ("address_counts_mobile", "60", "of 100", "Thousands share one exit, and it serves a whole country."),
    ("address_counts_disagreeing", "30", "of 100", "Lists name different countries: at most one is right."),
    ("address_counts_old_place", "50", "of 100", "Networks move; the place was true once."),
    ("address_counts_old_kinds", "60", "of 100", "Exits change within days: silence of an old list says little."),
    ("address_counts_unasked", "50", "of 100", "No list of anonymisers was there to be asked."),
    ("address_place_days", "90", "days", "Some percent of networks change their place in a quarter."),
    ("address_kinds_days", "30", "days", "Publishers of such lists renew them every day to every month."),
    ("address_high_from", "70", "of 100", "From here on the place is called well founded."),
    ("address_medium_from", "40", "of 100", "From here on it is called likely; below, a hint."),
    ("address_judged_anew_days", "30", "days", "Who looks at an account looks at its last weeks."),
    ("address_verdict_days", "90", "days", "An address often comes back within a quarter; then it need not be judged."),
    ("address_accounts_days", "30", "days", "Addresses go from hand to hand: who had one last year says nothing."),
    ("address_accounts_most", "20", "accounts", "More of them is a shared exit, whoever they are."),
)
