"""The waiting work of the shared ground: dead letters, clocks, holds past their end, notices nobody could be sent."""

from datetime import date

from django.db import models
from django.utils import timezone

from kyc_portal.calendars import add_days
from kyc_portal.notices.models import Notice
from kyc_portal.policy.models import Deadline, Product
from kyc_portal.records.models import ClockWatch, LegalHold, RowChange
from kyc_portal.staff.models import BreakGlass
from kyc_portal.staff.policy_table import rows_for
from kyc_portal.staff.site import Tile
from kyc_portal.work.models import Job

NEAR = 7  # how far ahead the list and its tile look; nothing in the law rests on it


def near(rows: models.QuerySet, today: date) -> models.QuerySet:
    """Clocks due from today on, within the days the list looks ahead."""
    return rows.due_within(today, add_days(today, NEAR))


def clocks_for(user) -> models.QuerySet:
    """The clocks on records of kinds this person may see: a clock tells that its record exists."""
    return rows_for(user, Deadline.objects.all())


TILES = (
    Tile(
        "Overdue clocks", "A day of law, of the proposed rule or of our own policy is past.", "policy.view_deadline",
        lambda user, today: clocks_for(user).overdue(today),
        "admin:policy_deadline_changelist", "due=overdue", "danger",
    ),
    Tile(
        "Clocks due soon", f"Due within {NEAR} days.", "policy.view_deadline",
        lambda user, today: near(clocks_for(user), today),
        "admin:policy_deadline_changelist", "due=near", "warning",
    ),
    Tile(
        "Dead letters", "Work that failed five times and waits for a decision.", "work.revive",
        lambda user, today: Job.objects.dead(),
        "admin:work_job_changelist", "state=dead", "danger",
    ),
    Tile(
        "Products to countersign", "A colleague proposed a version; agree or decline.", "policy.keep_products",
        lambda user, today: Product.objects.awaiting_second(user),
        "admin:policy_product_changelist", "state=proposed", "warning",
    ),
    Tile(
        "Changes without an event", "Rows were changed and no event says why.", "records.view_rowchange",
        lambda user, today: RowChange.objects.unexplained(),
        "admin:records_rowchange_changelist", "standing=unexplained", "danger",
    ),
    Tile(
        "The clock jumped", "Nothing is destroyed until somebody confirms the clock.", "records.confirm_clock",
        lambda user, today: ClockWatch.objects.filter(jumped_from__isnull=False),
        "admin:records_clockwatch_changelist", "", "danger",
    ),
    Tile(
        "Holds past their end", "Release them, or note why they stay.", "records.release_hold",
        lambda user, today: LegalHold.objects.past_their_end(today),
        "admin:records_legalhold_changelist", "state=past", "warning",
    ),
    Tile(
        "Break-glass accesses", "Ended, and no auditor has looked at them yet.", "staff.review_breakglass",
        lambda user, today: BreakGlass.objects.to_review(timezone.now()),
        "admin:staff_breakglass_changelist", "state=to_review", "warning",
    ),
    Tile(
        "Notices without an address", "Reach these people another way.", "cases.assign",
        lambda user, today: Notice.objects.without_address(),
        "admin:notices_notice_changelist", "state=no_address", "warning",
    ),
)  # fmt: skip
