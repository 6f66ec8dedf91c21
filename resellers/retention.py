"""How long resellers and their links to customers are kept: as long as the account they speak of (R47-R50)."""

from datetime import date

from django.db import models

from accounts.flows.belonging import with_owners
from accounts.flows.keeping import ended_before, guarded_rows, periods_of
from accounts.models import Account
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.retention import Period, RetentionRule, register
from resellers.models import (
    Attestation,
    Certification,
    CertifiedEntry,
    CipJudgement,
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


register(
    RetentionRule(
        code="downstream",
        title="Links of customers to the reseller who brought them",
        covers=(DownstreamCustomer,),
        why="Go with the customer's account, just before it.",
        figures=("retention_years", "sanctions_retention_years"),
        candidates=_ended_links,
        periods=periods_with_account,
        guarded=_guarded,
        contents=lambda link: [DownstreamCustomer.objects.filter(pk=link.pk)],
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
            Certification,
            CertifiedEntry,
            Attestation,
            RosterScreening,
            RosterHit,
            Sample,
            SampledFile,
        ),
        why="Go with the reseller's own account, once none of its customers is left.",
        figures=("retention_years", "sanctions_retention_years"),
        candidates=_ended_resellers,
        periods=periods_with_account,
        guarded=_guarded,
        contents=lambda reseller: [
            CertifiedEntry.objects.filter(reseller=reseller),
            Certification.objects.filter(reseller=reseller),
            Attestation.objects.filter(reseller=reseller),
            SampledFile.objects.filter(sample__reseller=reseller),
            Sample.objects.filter(reseller=reseller),
            RosterHit.objects.filter(reseller=reseller),
            RosterScreening.objects.filter(upload__reseller=reseller),
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
                    Certification,
                    CertifiedEntry,
                    Attestation,
                    RosterHit,
                    Sample,
                )
            },
            SampledFile: with_owners("sample__reseller__account"),
            RosterScreening: with_owners("upload__reseller__account"),
            RosterFault: with_owners("upload__reseller__account"),
            CipJudgement: with_owners("cip__reseller__account"),
        },
    ),
)
