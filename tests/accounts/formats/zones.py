"""Write machine-readable zones of all five layouts as ICAO 9303 lays them out, apart from the reader under test."""

import string
from dataclasses import dataclass
from datetime import date

from hypothesis import strategies as st

TODAY = date(2026, 3, 2)
UPPER, DIGITS = string.ascii_uppercase, string.digits
LAYOUTS = ("TD1", "TD2", "TD3", "MRV-A", "MRV-B")


def digit(text: str) -> str:
    """The check digit by 9303 part 3, section 4.9, written anew."""
    worth = {**{letter: 10 + place for place, letter in enumerate(UPPER)}, **{d: int(d) for d in DIGITS}, "<": 0}
    return str(sum(worth[character] * (7, 3, 1)[place % 3] for place, character in enumerate(text)) % 10)


@dataclass(frozen=True)
class Zone:
    """What a zone says; `optional` is at most as long as its layout's field."""

    layout: str
    issuer: str
    surname: str
    given_names: str
    number: str
    nationality: str
    birth: date
    sex: str
    expiry: date
    optional: str

    @property
    def code(self) -> str:
        return {"TD1": "I", "TD2": "I", "TD3": "P"}.get(self.layout, "V")

    def lines(self) -> tuple[str, ...]:
        names = f"{self.surname}<<{self.given_names}".replace(" ", "<")
        born, until = f"{self.birth:%y%m%d}", f"{self.expiry:%y%m%d}"
        if self.layout == "TD1":
            return self._three(names, born, until)
        width = 44 if self.layout in ("TD3", "MRV-A") else 36
        number = self.number.ljust(9, "<")
        second = (
            f"{number}{digit(number)}{self.nationality.ljust(3, '<')}{born}{digit(born)}{self.sex}{until}{digit(until)}"
        )
        if self.layout.startswith("MRV"):
            second += self.optional.ljust(width - 28, "<")
        elif self.layout == "TD2":
            second += self.optional.ljust(7, "<")
            second += digit(second[0:10] + second[13:20] + second[21:35])
        else:
            optional = self.optional.ljust(14, "<")
            second += optional + digit(optional)
            second += digit(second[0:10] + second[13:20] + second[21:43])
        return (f"{self.code}<{self.issuer.ljust(3, '<')}{names}".ljust(width, "<"), second)

    def _three(self, names: str, born: str, until: str) -> tuple[str, ...]:
        number = self.number.ljust(9, "<")
        first = f"I<{self.issuer.ljust(3, '<')}{number}{digit(number)}".ljust(30, "<")
        second = f"{born}{digit(born)}{self.sex}{until}{digit(until)}{self.nationality.ljust(3, '<')}"
        second += self.optional.ljust(11, "<")
        second += digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
        return (first, second, names.ljust(30, "<"))


NAME = st.lists(st.text(UPPER, min_size=1, max_size=5), min_size=1, max_size=2).map(" ".join)
CODE = st.sampled_from(("UTO", "FRA", "USA", "D", "JPN", "GBR"))
LONGEST_OPTIONAL = {"TD1": 11, "TD2": 7, "TD3": 14, "MRV-A": 16, "MRV-B": 8}


@st.composite
def zones(draw, layouts=LAYOUTS) -> Zone:
    """Any zone whose names are not cut short and whose number has one to nine places."""
    layout = draw(st.sampled_from(layouts))
    return Zone(
        layout=layout,
        issuer=draw(CODE),
        surname=draw(NAME),
        given_names=draw(NAME),
        number=draw(st.text(UPPER + DIGITS, min_size=1, max_size=9)),
        nationality=draw(CODE),
        birth=draw(st.dates(date(1927, 1, 1), date(2026, 3, 1))),
        sex=draw(st.sampled_from("MFX<")),
        expiry=draw(st.dates(date(1960, 1, 1), date(2056, 12, 31))),
        optional=draw(st.text(UPPER + DIGITS, max_size=LONGEST_OPTIONAL[layout])),
    )
