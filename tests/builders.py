"""The shortest valid thing of each kind; keywords override. Builders call flows, so that what they make is real."""

import itertools
from datetime import date

from accounts.flows import intake
from accounts.models import Account, Party
from kyc_portal.policy.cip import approve_cip
from kyc_portal.policy.models import CipVersion
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON

_numbers = itertools.count(1)


def make_cip() -> CipVersion:
    """The CIP version in force, made on first use."""
    there = CipVersion.objects.first()
    return there or approve_cip(
        title="CIP", text="How we verify.", effective_from=date(2020, 1, 1), by=SCHEDULER, at=NOON
    )


def new_person(**changes) -> intake.NewParty:
    """An individual with an e-mail and a residence."""
    number = next(_numbers)
    given = {
        "kind": "individual",
        "legal_name": f"Maria Example{number}",
        "citizenship": "DE",
        "birth_date": date(1985, 5, 17),
        "email": f"maria{number}@customer.example",
        "addresses": (intake.NewAddress(kind="residence", lines=f"{number} Long Street", region="", country="DE"),),
    }
    return intake.NewParty(**{**given, **changes})


def make_party(**changes) -> Party:
    return intake.add_party(new_person(**changes), by=SCHEDULER, at=NOON)


def make_account(*, at=NOON, by=SCHEDULER, product="compute", **changes) -> Account:
    """A prospect: an individual's account that is not open yet."""
    return intake.open_prospect(new_person(**changes), source="test", product=product, by=by, at=at)


def make_company(*, at=NOON, by=SCHEDULER, **changes) -> Account:
    """A prospect: an entity's account that is not open yet."""
    given = {"kind": "entity", "legal_name": f"Example Works {next(_numbers)} GmbH", "citizenship": "", "birth_date": None}
    return make_account(at=at, by=by, **{**given, "formation_country": "DE", **changes})
