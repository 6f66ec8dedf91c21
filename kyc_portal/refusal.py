"""The one exception whose text a user may read."""


class Refusal(Exception):
    """Says what is wrong and where, then what to do; every refusal of a flow or a format descends from it."""
