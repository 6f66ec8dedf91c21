"""How rare a shared value is, in words: what two customers alone hold says most, what many hold says little."""

# By at most how many holders: the steps at which the weight of a tie is halved, and halved again (rules/links.py).
WORDS = ((2, "nobody else holds it"), (4, "few hold it"), (16, "several hold it"))
COMMON = "many hold it, so it says little"


def rarity(holders: int) -> str:
    """In words how many hold a value that at least two hold."""
    return next((words for most, words in WORDS if holders <= most), COMMON)


def counted(holders: int) -> str:
    """ "3 holders", as it stands at a tie; that two hold what they share needs no number."""
    return f"{holders:,} holders" if holders > 2 else rarity(holders)


def counted_in_full(holders: int) -> str:
    """The same with how rare that is: "3 holders (few hold it)"."""
    return f"{counted(holders)} ({rarity(holders)})" if holders > 2 else rarity(holders)
