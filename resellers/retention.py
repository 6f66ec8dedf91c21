"""How long resellers, their links to customers and their rosters are kept (R47-R50).

A reseller and a link go with the account they speak of. What a reseller stated of a customer goes some years after it
was stated anew or the customer left the roster, or with the reseller.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from accounts.flows.belonging import with_owners
from accounts.flows.keeping import ended_before, guarded_rows, periods_of
from accounts.models import Account
from accounts.models.screening import HitStatus
from kyc_portal.calendars import keep_through
from kyc_portal.policy.clocks import forget_clocks
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.retention import Period, RetentionRule, register
from kyc_portal.work import queue
from resellers.flows import cip_requests
from resellers.models import (
    Attestation,
    AuthorityReport,
    Certification,
    CertifiedEntry,
    CipJudgement,
    CipRequest,
    DownstreamCustomer,
    Finding,
    Reseller,
    ResellerCip,
    ResellerContact,
    ResellerContract,
    ResellerManager,
    ResellerMessage,
    RosterEntry,
    RosterFault,
    RosterHit,
    RosterScreening,
    RosterUpload,
    Sample,
    SampledFile,
    Termination,
    TerminationStep,
)
from resellers.rules.roster import UploadState

OWN_LAYERS = ("accounts", "resellers")  # what they keep of an account goes with it; what stands above holds it back


def _still_needed(account: Account) -> list[Period]:
    """A period without end while an app above (a case, a bundle) refers to the account or its party."""
    for record in (account, account.party):
        for relation in record._meta.get_fields(include_hidden=True):
            if relation.concrete or not (relation.auto_created and relation.is_relation) or relation.many_to_many:
                continue
            if relation.related_model._meta.app_label in OWN_LAYERS:
                continue
            first = relation.related_model._base_manager.filter(**{relation.field.name: record}).first()
            if first is not None:
                return [Period("referred_to", date.max, f"{RecordRef.of(first).name} still refers to the customer.")]
    return []


def periods_with_account(root: DownstreamCustomer | Reseller) -> list[Period]:
    """The account's own periods, so that the link goes in the same purge as the account and not before."""
    return [*periods_of(root.account), *_still_needed(root.account)]


def _guarded(root: DownstreamCustomer | Reseller) -> list[models.Model]:
    return guarded_rows(root.account)


def _ended_links(as_of: date) -> models.QuerySet[DownstreamCustomer]:
    return DownstreamCustomer.objects.filter(account__in=ended_before(as_of)).select_related("account__party")


def _ended_resellers(as_of: date) -> models.QuerySet[Reseller]:
    return Reseller.objects.filter(account__in=ended_before(as_of)).select_related("account__party")


def _forget_account(link: DownstreamCustomer) -> None:
    """A roster may still name the account, which goes next: what its reseller stated stays, without our account."""
    RosterEntry.objects.filter(account=link.account_id).update(account=None)


# --- rosters ----------------------------------------------------------------------------------------------------------


def _over_on_rosters(as_of: date) -> models.QuerySet[RosterEntry]:
    """What ended before that day, by itself or with its reseller's account, and what never will be in force."""
    midnight = datetime.combine(as_of, time.min, ZoneInfo(settings.LEGAL_TIME_ZONE))
    never = models.Q(from_at__isnull=True, upload__state=UploadState.DISCARDED.value, upload__ended_at__lt=midnight)
    ended = models.Q(from_at__isnull=False, reseller__account__in=ended_before(as_of)) | models.Q(ended_at__lt=midnight)
    return RosterEntry.objects.filter(ended | never).select_related("upload", "reseller__account__party")


def _periods_of_entry(entry: RosterEntry) -> list[Period]:
    if entry.from_at is None:
        discarded_on = legal_day(entry.upload.ended_at)
        regime, figure = regime_on(discarded_on), "roster_discarded_days"
        sentence = (
            f"{regime.whole(figure)} days after its file was discarded on {discarded_on} ({regime.cite(figure)})."
        )
        return [Period(figure, discarded_on + timedelta(days=regime.whole(figure)), sentence)]
    ended_on = legal_day(entry.ended_at or entry.reseller.account.closed_at)
    regime, figure = regime_on(ended_on), "retention_years"
    years, source = regime.whole(figure), regime.cite(figure)
    if years < settings.RETENTION_YEARS:
        years, source = settings.RETENTION_YEARS, "own policy"
    sentence = f"{years} years after it was stated anew or left the roster on {ended_on} ({source})."
    return [Period(figure, keep_through(ended_on, years=years), sentence), *_periods_after_hits(entry)]


def _periods_after_hits(entry: RosterEntry) -> list[Period]:
    """R50: what a confirmed likeness to a list entry rested on."""
    last = entry.hits.filter(status=HitStatus.CONFIRMED).aggregate(last=models.Max("judged_at"))["last"]
    if last is None:
        return []
    regime, figure = regime_on(legal_day(last)), "sanctions_retention_years"
    years = regime.whole(figure)
    sentence = f"{years} years after a confirmed list hit on {legal_day(last)} ({regime.cite(figure)})."
    return [Period(figure, keep_through(legal_day(last), years=years), sentence)]


def _steps_of_ended_resellers(as_of: date) -> models.QuerySet[TerminationStep]:
    """Those that outlive the reseller, because the customer stays with us or with another one."""
    rows = TerminationStep.objects.filter(termination__reseller__account__in=ended_before(as_of))
    return rows.select_related("termination__reseller__account__party", "link__account__party")


def _before_reseller(reseller: Reseller) -> None:
    """The copies' folders are deleted by a job after the purge has committed; clocks go at once."""
    now = moment(None)
    for request in reseller.cip_requests.all():
        queue.ask(cip_requests.DELETE, request.reference, due_at=now, at=now)
    for rows in (
        reseller.cip_requests,
        reseller.reports,
        reseller.findings,
        reseller.cips,
        reseller.attestations,
        reseller.samples,
    ):
        for row in rows.all():
            forget_clocks(row)


register(
    RetentionRule(
        code="roster",
        title="What resellers stated of their customers, with what was found and certified of each",
        covers=(RosterEntry, CertifiedEntry, RosterHit, SampledFile),
        why="Kept for the regime's years after it was stated anew or the customer left; what was discarded goes soon.",
        figures=("retention_years", "sanctions_retention_years", "roster_discarded_days"),
        candidates=_over_on_rosters,
        periods=_periods_of_entry,
        guarded=lambda entry: guarded_rows(entry.reseller.account),
        contents=lambda entry: [
            CertifiedEntry.objects.filter(entry=entry),
            RosterHit.objects.filter(entry=entry),
            SampledFile.objects.filter(entry=entry),
            RosterEntry.objects.filter(pk=entry.pk),
        ],
        subjects=lambda entry: [],
        roots={
            RosterEntry: with_owners("reseller__account"),
            **{model: with_owners("entry__reseller__account") for model in (CertifiedEntry, RosterHit, SampledFile)},
        },
    ),
    RetentionRule(
        code="steps_of_ends",
        title="What became of a customer at the end of its reseller",
        covers=(TerminationStep,),
        why="Goes with the customer's file or with the reseller's, whichever goes first.",
        figures=("retention_years", "sanctions_retention_years"),
        candidates=_steps_of_ended_resellers,
        periods=lambda step: periods_of(step.termination.reseller.account),
        guarded=lambda step: guarded_rows(step.link.account),
        contents=lambda step: [TerminationStep.objects.filter(pk=step.pk)],
        subjects=lambda step: [],
        roots={TerminationStep: with_owners("link__account")},
    ),
    RetentionRule(
        code="downstream",
        title="Links of customers to the reseller who brought them",
        covers=(DownstreamCustomer,),
        why="Go with the customer's account, just before it.",
        figures=("retention_years", "sanctions_retention_years"),
        candidates=_ended_links,
        periods=periods_with_account,
        guarded=_guarded,
        contents=lambda link: [
            TerminationStep.objects.filter(link=link.pk),
            DownstreamCustomer.objects.filter(pk=link.pk),
        ],
        before=_forget_account,
        subjects=lambda link: [],
        roots={DownstreamCustomer: with_owners("account")},
    ),
    RetentionRule(
        code="resellers",
        title="Resellers with their CIPs, contracts, contacts, files and the bindings of their managers",
        covers=(
            Reseller,
            ResellerManager,
            ResellerCip,
            CipJudgement,
            ResellerContract,
            ResellerContact,
            Finding,
            RosterUpload,
            RosterFault,
            ResellerMessage,
            Certification,
            Attestation,
            RosterScreening,
            Sample,
            Termination,
            AuthorityReport,
            CipRequest,
        ),
        why="Go with the reseller's own account, once none of its customers is left.",
        figures=("retention_years", "sanctions_retention_years"),
        candidates=_ended_resellers,
        periods=periods_with_account,
        guarded=_guarded,
        before=_before_reseller,
        contents=lambda reseller: [
            Certification.objects.filter(reseller=reseller),
            Attestation.objects.filter(reseller=reseller),
            Sample.objects.filter(reseller=reseller),
            RosterScreening.objects.filter(upload__reseller=reseller),
            AuthorityReport.objects.filter(reseller=reseller),
            CipRequest.objects.filter(reseller=reseller),
            Termination.objects.filter(reseller=reseller),
            RosterFault.objects.filter(upload__reseller=reseller),
            RosterUpload.objects.filter(reseller=reseller),
            ResellerMessage.objects.filter(reseller=reseller),
            Finding.objects.filter(reseller=reseller),
            CipJudgement.objects.filter(cip__reseller=reseller),
            ResellerCip.objects.filter(reseller=reseller),
            ResellerContract.objects.filter(reseller=reseller),
            ResellerContact.objects.filter(reseller=reseller),
            ResellerManager.objects.filter(reseller=reseller),
            Reseller.objects.filter(pk=reseller.pk),
        ],
        subjects=lambda reseller: [],
        roots={
            Reseller: with_owners("account"),
            **{
                model: with_owners("reseller__account")
                for model in (
                    ResellerManager,
                    ResellerCip,
                    ResellerContract,
                    ResellerContact,
                    Finding,
                    RosterUpload,
                    ResellerMessage,
                    Certification,
                    Attestation,
                    Sample,
                    Termination,
                    AuthorityReport,
                    CipRequest,
                )
            },
            RosterScreening: with_owners("upload__reseller__account"),
            RosterFault: with_owners("upload__reseller__account"),
            CipJudgement: with_owners("cip__reseller__account"),
        },
    ),
)
