"""The demo's evidence: who was seen from where, what belongs to nobody yet, and who came back under another name."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from accounts.flows import access_log, detector_counts, identification, intake, seen_before, us_status
from accounts.models import Account
from accounts.rules.us_status import StatusEvidence
from cases.flows import decisions, review, triage
from kyc_portal.demo import deciding, files, stories
from kyc_portal.demo.stories import Stage, person
from kyc_portal.records.refs import SCHEDULER

HOME, EXIT, FAR, ABROAD = files.HOME_SWEDEN, "81.2.69.171", "111.235.160.9", files.HOME_GERMANY
CARD, PHONE, STREET = "tok_9d4417c2", "+48 22 765 43 21", "4 Mill Lane, Gdansk"
COLUMNS = ("event_id", "at", "kind", "action", "principal", "source", "source_system", "account")


def customers_are_seen(stage: Stage) -> None:
    """One delivery of the gateway's log for many accounts: half a year of one customer, a line that cannot be used, and
    accesses of an account nobody knows."""
    account = stories.open_person(
        stage, person("Greta Holmberg", "SE", "Gothenburg", date(1986, 2, 11)), code="SWE", days=170
    )
    path = _write(stage.folder / "gateway.csv", _rows(stage, account))
    access_log.import_access_lines(
        None, path, format="csv", file_name=path.name, keep_good_rows=True, by=SCHEDULER, at=stage.ago(1, 14)
    )


def _rows(stage: Stage, account: Account) -> Iterator[tuple]:
    """Work from home, a day a week through a VPN, nine still weeks, a journey; then two far places within two hours."""
    days = [day for day in range(165, 1, -1) if not 25 < day < 89 and day % 7 not in (2, 3)]
    for day in days:
        place = EXIT if day % 7 == 0 else ABROAD if 95 < day < 105 else HOME
        for number in range(3 + day % 4):
            yield _row(stage, account, day, 8 + 2 * number, place, "admin" if number == 2 else "access")
    yield _row(stage, account, 4, 9, FAR, "access", minute=40)
    yield _row(stage, account, 3, 10, HOME, "look")
    for number in range(3):
        yield _row(stage, "prj-0815", 2, 11 + number, "2.125.160.218", "access")


def _row(stage: Stage, whose, day: int, hour: int, source: str, kind: str, minute: int = 0) -> tuple:
    key = getattr(whose, "reference", whose)
    at = stage.ago(day, hour, minute)
    action = "StartInstance" if kind == "admin" else "ListInstances"
    return f"{key}-{at:%y%m%d%H%M}", f"{at:%Y-%m-%dT%H:%M:%SZ}", kind, action, "operator", source, "gateway", key


def _write(path: Path, rows: Iterable[tuple]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows(rows)
    return path


def customer_comes_back(stage: Stage) -> None:
    """Closed because a controller of malicious programs ran there; months later somebody else brings the same card and
    telephone, and a person has to say whether they are the same."""
    home = intake.NewAddress(kind="residence", lines=STREET, region="", country="PL")
    used = intake.NewAddress(kind="use_location", lines="", region="", country="PL")
    first = stories.open_person(
        stage, person("Wiktor Beran", "PL", "Gdansk", date(1990, 7, 19), phone=PHONE), code="POL", days=330
    )
    _pay(stage, first, days=330)
    case = deciding.notice(stage, first, triage.Noticed.HINT, days=300)
    decision = decisions.propose(
        case, account=first, outcome="close", reason="malicious_use", by=stage.actor("rosa"), at=stage.ago(300, 11)
    )
    decisions.countersign(decision, by=stage.actor("lena"), at=stage.ago(300, 15))
    review.close_case(case, why="decided", by=stage.actor("lena"), at=stage.ago(299))

    new = intake.NewParty(
        kind="individual", legal_name="Lucas Moreau", citizenship="FR", birth_date=date(1993, 3, 4),
        email="lucas.moreau@customer.example", phone=PHONE, addresses=(home, used),
    )  # fmt: skip
    again = intake.open_prospect(
        new, source="web form", product="compute", by=stage.actor("ravi"), at=stage.now - timedelta(hours=6)
    )
    us_status.settle_status(
        again.party, evidence=StatusEvidence(kind="individual", citizenship="FR"), by=stage.actor("ravi"), at=stage.now
    )
    _pay(stage, again, days=0)
    seen_before.look_back_due(by=SCHEDULER, at=stage.now)


def _pay(stage: Stage, account: Account, *, days: int) -> None:
    identification.add_payment_method(
        account.party, kind="card", identifier=CARD, institution="Example Bank", country="PL", source="own salary",
        by=stage.actor("ravi"), at=stage.ago(days) if days else stage.now,
    )  # fmt: skip


def flags_are_counted(stage: Stage) -> None:
    """How often each detector fired and was right, for its page in the catalogue."""
    detector_counts.count_new_days(by=SCHEDULER, at=stage.now)
