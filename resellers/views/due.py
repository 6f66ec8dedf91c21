"""What a reseller's managers are to do, soonest first: each part of their pages says its own (R55, R59, R62)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, Min, OuterRef
from django.urls import reverse

from kyc_portal.policy.current import regime_on
from kyc_portal.staff.sections import Clock
from resellers.flows import coverage
from resellers.models import Attestation, CertifiedEntry, Finding, Reseller, ResellerCip, ResellerMessage, RosterUpload
from resellers.rules.cip import CipStatus
from resellers.rules.findings import FindingState
from resellers.rules.roster import UploadState

MOST_OF_EACH = 20


@dataclass(frozen=True)
class Due:
    """One thing to do: the sentence, where it is done, for which reseller, and until when if a day is set."""

    sentence: str
    url: str
    reseller: str
    due_on: date | None = None
    standing: str = ""

    def clock(self, today: date):
        """The day as a mark for a page; None when no day is set."""
        return Clock(self.due_on, self.standing).seen_on(today) if self.due_on else None


def _findings(user, today: date) -> Iterator[Due]:
    rows = Finding.objects.visible_to(user).filter(state__in=[FindingState.OPEN.value, FindingState.PLANNED.value])
    for finding in rows.select_related("reseller", "citation").order_by("due_on", "pk")[:MOST_OF_EACH]:
        what = "Carry out your plan for" if finding.state == FindingState.PLANNED else "Tell us how you will cure"
        yield Due(
            f"{what} {finding.reference}.", reverse("resellers:finding", args=[finding.reference]),
            finding.reseller.reference, finding.due_on, finding.citation.standing,
        )  # fmt: skip


def _cips(user, today: date) -> Iterator[Due]:
    newer = ResellerCip.objects.filter(reseller=OuterRef("reseller"), number__gt=OuterRef("number"))
    rows = ResellerCip.objects.visible_to(user).filter(~Exists(newer), status=CipStatus.RETURNED.value)
    for version in rows.select_related("reseller").order_by("reseller__reference", "-number")[:MOST_OF_EACH]:
        yield Due(
            f"Hand in the next version of your CIP: version {version.number} came back with gaps.",
            reverse("resellers:cip", args=[version.reseller.reference]), version.reseller.reference,
        )  # fmt: skip


def _uploads(user, today: date) -> Iterator[Due]:
    waiting = (UploadState.READ.value, UploadState.STOPPED.value)
    rows = RosterUpload.objects.visible_to(user).filter(state__in=waiting)
    for upload in rows.select_related("reseller").order_by("received_at", "pk")[:MOST_OF_EACH]:
        yield Due(
            f"Accept the file {upload.reference}, or discard it.", reverse("resellers:upload", args=[upload.reference]),
            upload.reseller.reference,
        )  # fmt: skip


def _messages(user, today: date) -> Iterator[Due]:
    rows = ResellerMessage.objects.visible_to(user).unread()
    for message in rows.select_related("reseller").order_by("sent_at", "pk")[:MOST_OF_EACH]:
        yield Due(
            f"Read our message {message.reference}.", reverse("resellers:message", args=[message.reference]),
            message.reseller.reference,
        )  # fmt: skip


def _attestations(user, today: date) -> Iterator[Due]:
    rows = Attestation.objects.visible_to(user).unsigned().select_related("reseller", "citation")
    for row in rows.order_by("due_on", "pk")[:MOST_OF_EACH]:
        yield Due(
            f"Sign the yearly attestation {row.reference}.", reverse("resellers:attestation", args=[row.reference]),
            row.reseller.reference, row.due_on, row.citation.standing,
        )  # fmt: skip


def _lapsing(user, today: date) -> Iterator[Due]:
    """Certifications that end soon, and customers who should be certified by now."""
    regime, own = regime_on(today), Reseller.objects.visible_to(user)
    lines = CertifiedEntry.objects.in_force(today).filter(reseller__in=own)
    soon = lines.filter(lapses_on__lte=coverage.soon_on(today, regime)).values_list(
        "reseller__reference", "certification__citation__standing"
    )
    there = f"{reverse('resellers:certification')}?reseller="
    for reseller, standing, first in soon.annotate(Min("lapses_on")).order_by("reseller__reference")[:MOST_OF_EACH]:
        yield Due(
            "Certify again the customers whose certification lapses soon.", f"{there}{reseller}&state=soon", reseller,
            first, standing,
        )  # fmt: skip
    late = coverage.with_late_customers(own, on=today, regime=regime).order_by("reference")
    for reseller in late.values_list("reference", flat=True)[:MOST_OF_EACH]:
        yield Due("Certify the customers who should be certified by now.", f"{there}{reseller}", reseller)


PARTS: tuple[Callable[[object, date], Iterable[Due]], ...] = (
    _findings, _attestations, _lapsing, _cips, _uploads, _messages,
)  # fmt: skip


def due_for(user, today: date) -> list[Due]:
    """What waits for this person, those with a day first and the soonest before the others; a few queries a part."""
    found = [due for part in PARTS for due in part(user, today)]
    return sorted(found, key=lambda due: (due.due_on is None, due.due_on or today))
