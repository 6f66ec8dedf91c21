"""The second order of hits: among equal scores, whose evidence is stronger comes first (requirement R35).

Four questions in this order, each answered by a digit; the number they make is stored with the hit and sorts it. A
sanctions programme is no evidence of who somebody is, so it does not count. Last of all stands the entry's key, so that
the order never changes by chance.
"""

from collections.abc import Iterable

SAME_VALUE = ("same_wallet", "same_email", "same_identifier")
BIRTH = {
    "same_birth_date": 3, "same_birth_year": 2, "near_birth_year": 1, "other_birth_date": 0,
}  # fmt: skip
BIRTH_UNKNOWN = 1
BIRTH_WORDS = ("the births differ", "a birth is unknown or a year off", "the same year of birth", "the same birth date")
COUNTRY = {"same_country": 2, "other_country": 0}
COUNTRY_UNKNOWN = 1
COUNTRY_WORDS = ("different countries", "a country is unknown", "a country in common")
MAIN_NAME, ALIAS, WEAK_ALIAS = 3, 2, 1  # never 0, which stands for a hit that was found before this order was kept
SPELLING_WORDS = ("", "listed as a weak alias", "listed as an alias", "listed under its main name")


def evidence(codes: Iterable[str], spelling: int) -> int:
    """Return how strong the evidence is, 1 to 1323: digits for a shared number, birth, country and spelling.

    `codes` are those of the score's reasons, `spelling` one of MAIN_NAME, ALIAS, WEAK_ALIAS.
    """
    codes = set(codes)
    number = any(code in codes for code in SAME_VALUE)
    birth = max((digit for code, digit in BIRTH.items() if code in codes), default=BIRTH_UNKNOWN)
    country = max((digit for code, digit in COUNTRY.items() if code in codes), default=COUNTRY_UNKNOWN)
    return number * 1000 + birth * 100 + country * 10 + spelling


def evidence_in_words(found: int) -> str:
    """The sentence that says why a hit stands where it does among those of its score; "" where it is not known."""
    if not found:
        return ""
    number, birth, country, spelling = found // 1000, found // 100 % 10, found // 10 % 10, found % 10
    words = [
        *(["a number, wallet or e-mail address in common"] if number else []),
        BIRTH_WORDS[birth], COUNTRY_WORDS[country], SPELLING_WORDS[spelling],
    ]  # fmt: skip
    sentence = ", ".join(words)
    return f"{sentence[0].upper()}{sentence[1:]}."
