"""The copy of their data that a person gets: what is theirs, nothing of others, nothing that would tip anybody off."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import BinaryIO

from django.db import models

from accounts.flows import document_files, privacy
from accounts.flows.personal_data import rows_about
from accounts.formats.person_archive import PersonArchive
from accounts.models import (
    AccessRecord,
    Account,
    Address,
    AddressAllocation,
    ContactConfirmation,
    ContactPoint,
    CustomerLink,
    ExternalCheck,
    IdentityDocument,
    Objection,
    OwnershipCertification,
    OwnershipStake,
    Party,
    PartyName,
    PaymentMethod,
    PrivacyRequest,
    Restriction,
    Verification,
)
from accounts.rules.privacy import Outcome
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.records.sealed import SealedText
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal

# What is handed over, with its columns. Of the rest, the table below says why it is not.
HANDED_OVER: dict[type[models.Model], tuple[str, ...]] = {
    Party: (
        "reference", "kind", "entity_type", "legal_name", "birth_date", "citizenship", "formation_country",
        "registration_number", "national_id", "us_status", "created_at",
    ),
    PartyName: ("kind", "name", "script", "added_at"),
    Address: ("kind", "lines", "region", "country", "contact_name", "added_at"),
    ContactPoint: ("kind", "value", "confirmed_at", "confirmed_how", "added_at"),
    ContactConfirmation: ("asked_at", "expires_at", "tries", "confirmed_at"),
    IdentityDocument: (
        "reference", "kind", "number", "country", "place_of_issue", "issued_on", "expires_on", "mrz", "file_name",
        "file_sha256", "added_at",
    ),
    PaymentMethod: (
        "kind", "institution", "identifier", "last_four", "country", "holder", "source", "customer_number",
        "transactions", "added_at", "ended_at",
    ),
    OwnershipStake: ("percent", "has_control", "from_on", "to_on"),
    OwnershipCertification: ("text_version", "signed_on", "signed_by", "broken_at"),
    Account: (
        "reference", "external_key", "product", "status", "created_at", "opened_at", "closed_at", "last_access_at",
    ),
    Verification: ("reference", "status", "started_at", "concluded_at"),
    ExternalCheck: ("reference", "verifier_title", "asked_about", "asked_at", "handed_over_at"),
    Restriction: ("reference", "level", "public_wording", "applied_at", "until", "lifted_at"),
    CustomerLink: ("reference", "purpose", "issued_at", "used_at", "notice_number", "given", "handed_in_at"),
    Objection: ("reference", "text", "raised_at", "due_on", "state"),
    AccessRecord: (  # as it was judged; the verdicts themselves say of an address what lists say, whoever used it
        "at", "kind", "action", "principal", "address", "source_system", "country", "anonymiser", "special_use",
    ),
    AddressAllocation: ("addresses", "from_at", "to_at"),
    PrivacyRequest: ("reference", "kind", "received_on", "due_on", "state"),
}  # fmt: skip
OF_AUTHORITIES = "Requests of authorities are secret."
HOW_WE_CHECK = "How we check identities would help others to deceive us."
WITHHELD = {
    "accounts.checkresult": HOW_WE_CHECK,
    "accounts.zonereading": f"{HOW_WE_CHECK} The zone itself is handed over.",
    "accounts.externalanswer": f"{HOW_WE_CHECK} Whom we asked about what is handed over.",
    "accounts.methodresult": HOW_WE_CHECK,
    "accounts.discrepancy": HOW_WE_CHECK,
    "accounts.couldnotverify": "Internal judgements; what they led to was told in a notice.",
    "accounts.identifier": "Fingerprints hold nothing that can be read; what they were made of is handed over.",
    "accounts.screening": "Comparisons with sanctions lists: telling of them could tip somebody off.",
    "accounts.screeningmark": "Fingerprints hold nothing that can be read; what they were made of is handed over.",
    "accounts.screeninghit": "Comparisons with sanctions lists: telling of them could tip somebody off.",
    "accounts.risksignal": "Red flags: telling of them could tip somebody off.",
    "accounts.riskoverride": "How the risk is judged: telling of it could tip somebody off.",
    "accounts.accessday": "Sums of access records, which are handed over.",
    "accounts.cloudaccount": "How the provider's own systems number the account; its records are handed over.",
    "accounts.seenbefore": "Comparisons with whom we shut out: telling of them could tip somebody off.",
    "accounts.accessbatch": "Files of the provider's own systems; the records in them are handed over.",
    "accounts.refusedline": "Lines nobody could read; they hold no data of the person.",
    "resellers.reseller": "Speaks of the business with others.",
    "resellers.resellermanager": "Speaks of other people.",
    "resellers.resellercip": "Speaks of the business with others.",
    "resellers.cipjudgement": "Speaks of the business with others.",
    "resellers.termination": "Speaks of the business with others.",
    "resellers.terminationstep": "Speaks of the business with others; what it led to was told in a notice.",
    "resellers.authorityreport": OF_AUTHORITIES,
    "resellers.ciprequest": OF_AUTHORITIES,
    "resellers.finding": "Speaks of the business with others.",
    "resellers.resellercontract": "Speaks of the business with others.",
    "resellers.resellercontact": "Speaks of other people.",
    "resellers.resellermessage": "Speaks of the business with others.",
    "accounts.accessanswer": "Follows from the account's state, which is handed over.",
    "resellers.rosterupload": "Speaks of the business with others.",
    "resellers.rosterfault": "Speaks of the business with others.",
    "resellers.certification": "Speaks of the business with others.",
    "resellers.certifiedentry": "Speaks of the business with others.",
    "resellers.attestation": "Speaks of the business with others.",
    "resellers.rosterentry": "Stated by a reseller of its own customers, who ask it.",
    "resellers.rosterscreening": "Speaks of the business with others.",
    "resellers.rosterhit": "Tells of suspicions about a reseller's customers, which stay secret as all hits do.",
    "resellers.sample": "Speaks of the business with others.",
    "resellers.sampledfile": "Handed in by a reseller of its own customers, who ask it.",
    "resellers.downstreamcustomer": "Speaks of the business with others.",
    "cases.abusereport": "Told by others, who must not fear the person; what it led to was told in a notice.",
    "cases.abuseevidence": "Told by others, who must not fear the person; what it led to was told in a notice.",
    "cases.case": "Internal judgements and legal matters.",
    "cases.casesubject": "Internal judgements and legal matters.",
    "cases.casesignal": "Internal judgements and legal matters.",
    "cases.caselock": "Internal judgements and legal matters.",
    "cases.casenote": "Internal judgements and legal matters.",
    "cases.casereader": "Internal judgements and legal matters.",
    "cases.casecheck": "Internal judgements and legal matters.",
    "cases.casemerge": "Internal judgements and legal matters.",
    "cases.assignment": "Internal judgements and legal matters.",
    "cases.decision": "Internal judgements and legal matters; what they led to was told in a notice.",
    "cases.specialmeasure": "Determinations of an authority; what they led to was told in a notice.",
    "cases.measurefactor": "Determinations of an authority; what they led to was told in a notice.",
    "cases.measurehit": "Internal judgements; what they led to was told in a notice.",
    "cases.measureoverride": "Internal judgements; what they led to was told in a notice.",
    "cases.appeal": "Internal judgements; what the person said is an objection, and the answer was told in a notice.",
    "cases.legalrequest": OF_AUTHORITIES,
    "cases.bundle": OF_AUTHORITIES,
    "cases.bundleitem": OF_AUTHORITIES,
    "cases.bundlereceipt": OF_AUTHORITIES,
    "cases.bundleredaction": OF_AUTHORITIES,
    "cases.requestcheck": OF_AUTHORITIES,
    "cases.challenge": OF_AUTHORITIES,
    "cases.backupcopy": OF_AUTHORITIES,
    "cases.voluntarydisclosure": OF_AUTHORITIES,
    "cases.propertyreport": OF_AUTHORITIES,
    "records.subjectkey": "The key that protects the data.",
    "records.auditpayload": "The trail of what staff did.",
}


class NoCopyReady(Refusal):
    """No answer to this request gives a copy."""


@flow
def export_data(request: PrivacyRequest, out: BinaryIO, *, by: Actor, at: datetime) -> str:
    """Write the copy into `out`, a file that can be read again; returns its SHA-256. Memory stays flat.

    Only for an answered request for a copy whose party is still on file: raises NoCopyReady.
    """
    party = privacy.party_of(request)
    if request.outcome != Outcome.COPY_READY or party is None:
        raise NoCopyReady(f"There is no copy for {request.reference}: it is handed over once its answer is approved.")
    with closing(PersonArchive(out, f"Data about {party.reference}")) as archive:
        for model, columns in HANDED_OVER.items():
            name = str(model._meta.verbose_name_plural)
            rows = rows_about(model, party.pk).order_by("pk").iterator(chunk_size=500)
            archive.add_rows(name.replace(" ", "-"), name, _plain_rows(rows, columns))
        archive.add_rows("notices", "what we told you", _notices(party))
        for document in party.documents.exclude(file_sha256="").order_by("pk").iterator():
            name = f"documents/{document.reference}.{document.file_type.rpartition('/')[2]}"
            archive.add_file(name, f"the {document.kind.replace('_', ' ')} you gave us", _bytes_of(document))
    sha256 = _digest(out)
    audit.record(Verb.EXPORTED, request, by=by, at=at, what="copy for the person", sha256=sha256, rows=archive.rows)
    return sha256


def _bytes_of(document: IdentityDocument) -> bytes:
    return document_files.read(document.party_id, document.file_sha256)


def _plain_rows(rows: Iterable[models.Model], columns: tuple[str, ...]) -> Iterator[dict]:
    for row in rows:
        yield {column.replace("_", " "): _plain(getattr(row, column)) for column in columns}


def _plain(value) -> object:
    if isinstance(value, SealedText):
        return value.reveal()
    return value if value is None or isinstance(value, bool | int) else str(value)


def _notices(party: Party) -> Iterator[dict]:
    for notice in Notice.objects.filter(subject=party.pk).order_by("queued_at").iterator(chunk_size=500):
        subject, body = wording_of(notice)
        yield {"sent at": _plain(notice.sent_at), "subject": subject, "text": body}


def _digest(out: BinaryIO) -> str:
    out.seek(0)
    digest = hashlib.file_digest(out, "sha256").hexdigest()
    out.seek(0)
    return digest
