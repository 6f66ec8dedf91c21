"""Read the machine-readable zone off a picture, with the program tesseract when it is installed (E9).

Nothing leaves this machine, and the picture goes to the program through a pipe, so that no clear copy touches the disk.
What comes back is a proposal for a person to compare; the check digits say how good it is.
"""

import io
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from PIL import Image, ImageOps

from accounts.formats.mrz import MrzReading, UnreadableMrz, read_mrz
from accounts.formats.mrz_misreadings import Misreading, propose, zone_in
from kyc_portal.refusal import Refusal

PROGRAM = "tesseract"
MOST_SECONDS = 30  # for one page, all attempts together
MOST_SIDE = 2_000  # dots; the side of a viewing copy
LOWER_PART = 0.55  # a zone stands at the foot of a page
TURNS = (0, 180, 90, 270)
KINDS = "PVACI"  # how zones begin
LANGUAGE = ("--oem", "1", "--psm", "6", "-c", "load_system_dawg=0", "-c", "load_freq_dawg=0")
ALPHABET = "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"


class NotInstalled(Refusal):
    """There is no program here that reads text off pictures."""


class NotReadable(Refusal):
    """The program gave up on the picture."""


@dataclass(frozen=True)
class FoundZone:
    """The lines as they were probably printed, what was changed in them for it, and how they read."""

    text: str
    misreadings: tuple[Misreading, ...]
    reading: MrzReading


def program() -> str:
    """The program's path; "" when it is not installed."""
    return shutil.which(PROGRAM) or ""


def require_program() -> str:
    """The program's path. Raises NotInstalled, saying what to do instead."""
    if path := program():
        return path
    raise NotInstalled(
        f"The program {PROGRAM} is not installed, so no zone can be read off a picture. Type the zone as it is "
        "printed, or have the operator install it."
    )


def version() -> str:
    """Name and version of the program, as a source. Raises NotInstalled, NotReadable."""
    told = _run([require_program(), "--version"], b"", 10)
    return " ".join(told.split()[:2])


def read_zone(picture: bytes, *, today: date, seconds: float = MOST_SECONDS) -> FoundZone | None:
    """The zone on one page, a PNG of at most 2000 dots a side; None when there is none.

    The foot of the page is looked at first, then the whole page, then both turned. Takes at most `seconds`.
    Raises NotInstalled, and NotReadable when the program fails or is too slow.
    """
    path, until, best = require_program(), time.monotonic() + seconds, None
    for attempt in _attempts(picture):
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            text = _run([path, "stdin", "stdout", *LANGUAGE, "-c", ALPHABET], attempt, left)
        except NotReadable:
            if best:
                break
            raise
        found = _best_in(text, today)
        if found and (best is None or len(found.reading.failed) < len(best.reading.failed)):
            best = found
        if best and best.reading.all_ok:
            break
    return best


def _attempts(picture: bytes) -> Iterator[bytes]:
    with Image.open(io.BytesIO(picture), formats=["PNG"]) as opened:
        opened.thumbnail((MOST_SIDE, MOST_SIDE))
        page = ImageOps.autocontrast(opened.convert("L"))
    for turn in TURNS:
        turned = page.rotate(turn, expand=True)
        width, height = turned.size
        yield _png(turned.crop((0, int(height * LOWER_PART), width, height)))
        yield _png(turned)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()


def _run(command: list[str], given: bytes, seconds: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603, the program's own path and fixed words; the picture goes in by pipe
            command, input=given, capture_output=True, timeout=seconds, check=True,
            env={"PATH": os.environ.get("PATH", ""), "OMP_THREAD_LIMIT": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotReadable("Reading the picture took too long. Type the zone as it is printed.") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotReadable("The picture could not be read by the program. Type the zone as it is printed.") from error
    return done.stdout.decode(errors="replace")


def _best_in(text: str, today: date) -> FoundZone | None:
    """Of the runs of lines that may be a zone the one with fewest wrong check digits; with most wrong it is none."""
    found = []
    for lines in zone_in(text):
        try:
            proposed, misreadings = propose(lines, today=today)
            reading = read_mrz(proposed, today=today)
        except UnreadableMrz:
            continue
        if proposed[0] in KINDS and len(reading.failed) * 2 <= len(reading.checks):
            found.append(FoundZone(proposed, misreadings, reading))
    return min(found, key=lambda each: len(each.reading.failed), default=None)
