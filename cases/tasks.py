"""Doors: build what is approved, let go what was preserved long enough, take in reports."""

from pathlib import Path

from celery import shared_task
from django.conf import settings

from cases.flows import (
    absences,
    bundles,
    clocks,
    commerce,
    effects,
    legal_requests,
    measure_effects,
    measure_hits,
    report_folder,
    stored_bundles,
)
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import SCHEDULER


@shared_task
def build_approved_bundles(at=None):
    """Every 15 seconds: build the bundles that were approved, and try again those that failed."""
    return bundles.build_approved(by=SCHEDULER, at=moment(at))


@shared_task
def take_in_abuse_reports(at=None):
    """Each minute: take in the abuse reports that others put into the watched folder, if there is one (T24)."""
    if not settings.ABUSE_REPORTS_DIR:
        return None
    return report_folder.take_in_folder(Path(settings.ABUSE_REPORTS_DIR), by=SCHEDULER, at=moment(at))


@shared_task
def bring_decisions_into_effect(at=None):
    """Each minute: what was signed takes effect when nobody has undone it in time (R37)."""
    return effects.bring_due_into_effect(by=SCHEDULER, at=moment(at))


@shared_task
def lapse_preservations(at=None):
    """Nightly: release the holds of preservations whose last day is past (R111)."""
    now = moment(at)
    return legal_requests.lapse_preservations(on=legal_day(now), by=SCHEDULER, at=now)


@shared_task
def hold_flagged(at=None):
    """Nightly: hold the accounts that came to fit what Commerce looks at (R80)."""
    return commerce.hold_what_fits(by=SCHEDULER, at=moment(at))


@shared_task
def reconcile_bundles(at=None):
    """Each night: delete folders of bundles that no row names, and fail loudly when a built bundle's is missing."""
    return stored_bundles.reconcile()


@shared_task
def give_back_cases_of_absent(at=None):
    """Each hour, because days of the law begin in their own zone: cases of who is away go back into the queue."""
    return absences.give_back_of_absent(by=SCHEDULER, at=moment(at))


@shared_task
def recompute_due_moments(at=None):
    """Nightly: count the business hours of every open case by today's calendar and figures."""
    return clocks.recompute(by=SCHEDULER, at=moment(at))


@shared_task
def bring_measures_into_effect(at=None):
    """Every five minutes: bring measures into effect whose first day has come, and do to accounts what they say."""
    return measure_effects.bring_due_into_effect(by=SCHEDULER, at=moment(at))


@shared_task
def lift_expired_measures(at=None):
    """Every five minutes: end measures whose last day is past, and lift what rests on those that were reviewed."""
    now = moment(at)
    return measure_effects.lift_expired(on=legal_day(now), by=SCHEDULER, at=now)


@shared_task
def compute_measure_hits(at=None):
    """Nightly: look at every customer for every measure that is in effect or will be."""
    return measure_hits.recompute_live(by=SCHEDULER, at=moment(at))
