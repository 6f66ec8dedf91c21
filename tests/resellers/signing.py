"""A reseller with somebody who signs for it, and a roster that changes as an accepted file changes it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import SCHEDULER, Actor
from resellers import events
from resellers.flows import certification, file, onboarding
from resellers.models import Certification, Reseller, ResellerManager, RosterEntry, RosterUpload
from tests.builders import make_entry, make_reseller
from tests.conftest import NOON, person


@dataclass
class Signer:
    """Who signs for which reseller under which binding."""

    reseller: Reseller
    binding: ResellerManager

    @property
    def actor(self) -> Actor:
        return self.binding.user.as_actor

    def certify(self, *entries: RosterEntry | str, everybody: bool = False, at: datetime = NOON, **changes):
        """The shortest valid act over these customers, or over the whole roster."""
        names = [getattr(each, "reference", each) for each in entries]
        given = {"scope": "identity", "evidence": ["document"], "statement_number": "1", "form_key": uuid.uuid4()}
        given |= {"entries": None if everybody else names, "binding": self.binding, "by": self.actor, "at": at}
        return certification.certify(self.reseller, **{**given, **changes})

    def withdraw(self, act: Certification, *, why: str = "A mistake.", at: datetime = NOON, **changes):
        given = {"binding": self.binding, "by": self.actor, "why": why, "at": at}
        return certification.withdraw(act, **{**given, **changes})


def make_signer(username: str = "remy", reseller: Reseller | None = None) -> Signer:
    """A manager bound to a reseller that may sell."""
    reseller = reseller or make_reseller()
    user = person(username, "reseller manager")
    return Signer(reseller, onboarding.bind_manager(reseller, user=user, by=SCHEDULER, at=NOON))


def change_roster(*ended: RosterEntry, why: str = "changed", at: datetime, **changes) -> list[RosterEntry]:
    """What the acceptance of a file does: these rows end, and where they changed new ones are in force."""
    reseller, made = ended[0].reseller, []
    with one_flow(SCHEDULER):
        file.locked(reseller)
        RosterEntry.objects.filter(pk__in=[row.pk for row in ended]).update(ended_at=at, ended_why=why)
        if why == "changed":
            stated = {"verified_on": at.date(), **changes}
            made = [make_entry(reseller, row.number, name=f"{row.name} anew", at=at, **stated) for row in ended]
        upload = made[0].upload if made else ended[0].upload
        events.roster_changed.send(RosterUpload, upload=upload, by=SCHEDULER, at=at)
    return made


def outcomes(act: Certification) -> dict[str, str]:
    """What came of each customer of an act, by number."""
    return dict(act.lines.values_list("number", "outcome"))
