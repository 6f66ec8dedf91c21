"""How strongly shared values tie customers, and what follows (own policy). A part of regimes.py, which reads it.

Each row: name, value, unit, why.
"""

_WEIGHTS = (
    ("document", "95", "One document has one holder."),
    ("national_id", "95", "One number has one holder."),
    ("wallet", "90", "Whoever holds its key pays; exchanges give out one address to many, which rarity shows."),
    ("card", "85", "Families and companies share cards."),
    ("iban", "85", "Families and companies share accounts."),
    ("bank_account", "85", "As an account in the international form."),
    ("ssh_key", "85", "Whoever holds its key gets in; copied machine images carry keys of others."),
    ("owner", "80", "The same name and birth date, seldom of two people."),
    ("email", "80", "A mailbox has few readers."),
    ("email_root", "70", "The mailbox behind an address, without its tag."),
    ("device", "70", "Shared in families and offices, and sold on."),
    ("phone", "60", "Families and offices share one, and carriers hand numbers on."),
    ("address", "40", "Neighbours, landlords, office centres."),
    ("access_address", "35", "Changes hands within days; behind one address there may be a whole house."),
    ("access_network", "15", "A town or a company may be behind it."),
    ("access_exit", "5", "Behind an anonymiser's exit are strangers: next to nothing."),
)

LINKS = (
    *((f"link_weight_{kind}", value, "of 100", why) for kind, value, why in _WEIGHTS),
    (
        "link_most_holders",
        "100",
        "customers",
        "What more hold, such as a switchboard, ties nobody to anybody.",
    ),
    ("link_keep_percent", "20", "percent", "Weaker ties are noise; they stay on the page of shared values."),
    ("link_flag_percent", "50", "percent", "As likely as not the same people: worth somebody's look."),
    ("link_stop_percent", "75", "percent", "So much is seldom chance: nobody is let in before somebody has looked."),
    ("link_access_days", "14", "days", "Who comes back works from where they were at the end, and at the beginning."),
    (
        "link_access_most",
        "5",
        "addresses",
        "The most used places say who somebody is, the others little.",
    ),
    ("link_access_records", "5000", "records", "Of a busy account the newest of the window; more say the same."),
)
