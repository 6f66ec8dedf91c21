"""How long resellers and their links to customers are kept: as long as the account they speak of (R47-R50)."""

from datetime import date

from django.db import models

from accounts.flows.belonging import with_owners
from accounts.flows.keeping import ended_before, guarded_rows, periods_of
from accounts.models import Account
from kyc_portal.policy.clocks import forget_clocks
from kyc_portal.records.clock import moment
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.retention import Period, RetentionRule, register
from kyc_portal.work import queue
from resellers.flows import cip_requests
from resellers.models import (
    AuthorityReport,
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
    RosterUpload,
    Termination,
    TerminationStep,
)

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


def _steps_of_ended_resellers(as_of: date) -> models.QuerySet[TerminationStep]:
    """Those that outlive the reseller, because the customer stays with us or with another one."""
    rows = TerminationStep.objects.filter(termination__reseller__account__in=ended_before(as_of))
    return rows.select_related("termination__reseller__account__party", "link__account__party")


def _before_reseller(reseller: Reseller) -> None:
    """The copies' folders are deleted by a job after the purge has committed; clocks go at once."""
    now = moment(None)
    for request in reseller.cip_requests.all():
        queue.ask(cip_requests.DELETE, request.reference, due_at=now, at=now)
    for rows in (reseller.cip_requests, reseller.reports, reseller.findings, reseller.cips):
        for row in rows.all():
            forget_clocks(row)


register(
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
        subjects=lambda link: [],
        roots={DownstreamCustomer: with_owners("account")},
    ),
    RetentionRule(
        code="resellers",
        title="Resellers with their CIPs, contracts, contacts and the bindings of their managers",
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
            RosterEntry,
            ResellerMessage,
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
            AuthorityReport.objects.filter(reseller=reseller),
            CipRequest.objects.filter(reseller=reseller),
            Termination.objects.filter(reseller=reseller),
            RosterEntry.objects.filter(reseller=reseller),
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
                    RosterEntry,
                    ResellerMessage,
                    Termination,
                    AuthorityReport,
                    CipRequest,
                )
            },
            RosterFault: with_owners("upload__reseller__account"),
            CipJudgement: with_owners("cip__reseller__account"),
        },
    ),
)
