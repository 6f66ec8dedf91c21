"""Doors: screen, end restrictions, ask again, look for red flags. Each may be lost or run twice."""

from celery import shared_task
from celery.signals import worker_init

from accounts.flows import (
    access_answer,
    external_checks,
    rating,
    restrictions,
    reverification,
    screening,
    seen_before,
    signals,
    stored_files,
    unverified,
)
from accounts.rules.spelling import load_tables
from kyc_portal.records.clock import moment
from kyc_portal.records.refs import SCHEDULER


@worker_init.connect
def load_name_tables(**signal):
    """Once, before a worker divides itself: the first screening would otherwise wait some ten seconds for them."""
    load_tables()


@shared_task
def screen_new_and_changed(at=None):
    """Every minute: screen whoever is new, has changed, or has not been compared with a list's newest version."""
    return screening.screen_due(by=SCHEDULER, at=moment(at))


@shared_task
def look_back_due(at=None):
    """Every minute: compare whoever is new, or has new values, with everybody we shut out."""
    return seen_before.look_back_due(by=SCHEDULER, at=moment(at))


@shared_task
def end_expired_restrictions(at=None):
    """Each hour: lift the restrictions whose time is over."""
    return restrictions.end_expired(by=SCHEDULER, at=moment(at))


@shared_task
def look_at_access_answers(at=None):
    """Each minute: compare the answers to other systems that time may have changed."""
    return access_answer.look_again(by=SCHEDULER, at=moment(at))


@shared_task
def request_due_reverifications(at=None):
    """Each night: ask for proof again, remind who has not answered, flag who let the last day pass."""
    return reverification.request_due(by=SCHEDULER, at=moment(at))


@shared_task
def run_detectors(at=None):
    """Each night: look at every open account for red flags."""
    return signals.run_due(by=SCHEDULER, at=moment(at))


@shared_task
def end_tiers_set_by_hand(at=None):
    """Each night: where the last day of a risk tier set by hand is past, the red flags decide again."""
    return rating.end_expired(by=SCHEDULER, at=moment(at))


@shared_task
def make_watches_due(at=None):
    """Each night: accounts kept under watch whose day has come are to be looked at again."""
    return unverified.make_due(by=SCHEDULER, at=moment(at))


@shared_task
def end_unanswered_checks(at=None):
    """Each hour: end what an outside verifier did not answer in time; the result says that no answer came."""
    return external_checks.end_unanswered(by=SCHEDULER, at=moment(at))


@shared_task
def reconcile_files(at=None):
    """Each night: delete files of documents that no row names, and fail loudly when a row's file is missing."""
    return stored_files.reconcile()
