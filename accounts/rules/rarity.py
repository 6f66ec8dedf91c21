"""How rare a shared value is, in words: what two customers alone hold says most, what many hold says little."""

# By at most how many holders: the steps at which the weight of a tie is halved, and halved again (rules/links.py).
WORDS = ((2, "nobody else holds it"), (4, "few hold it"), (16, "several hold it"))
COMMON = "many hold it, so it says little"


def rarity(holders: int) -> str:
    """In words how many hold a value that at least two hold."""
    return next((words for most, words in WORDS if holders <= most), COMMON)


def counted(holders: int) -> str:
    """ "1 of 3 holders", as it stands at a tie; two at least hold what is shared."""
    return f"1 of {max(holders, 2):,} holders"
