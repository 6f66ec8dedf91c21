"""Settle whether a party is a U.S. person (requirements R7, R8): foreign unless shown otherwise.

The finding ends identity checks, never screening (R35, T12): a U.S. person is screened like everybody.
"""

from dataclasses import fields
from datetime import datetime

from accounts.flows import parties, texts
from accounts.flows.texts import BadField
from accounts.models import Party
from accounts.models.party import UsStatus
from accounts.rules.us_status import StatusEvidence, StatusFinding, find_basis
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor


@flow
def settle_status(party: Party, *, evidence: StatusEvidence, by: Actor, at: datetime) -> StatusFinding:
    """Store the finding with its basis, who made it and when; the event names which evidence was shown.

    Raises BadField when the evidence speaks of another kind of party than the one on file.
    """
    party = parties.locked(party)
    if evidence.kind != party.kind:
        raise BadField(f"Kind of the evidence does not fit: the party is on file as {party.get_kind_display()}.")
    texts.country("Citizenship", evidence.citizenship)
    texts.country("Country of formation", evidence.formation_country)

    finding = find_basis(evidence)
    party.us_status = UsStatus.US if finding.us else UsStatus.FOREIGN
    party.us_basis, party.us_settled_at, party.us_settled_by = finding.basis, at, by.label
    party.save(update_fields=["us_status", "us_basis", "us_settled_at", "us_settled_by"])
    shown = sorted(field.name for field in fields(evidence) if field.name != "kind" and getattr(evidence, field.name))
    audit.record(
        Verb.STATUS_SETTLED, party, by=by, at=at, within=parties.account_of(party), party=party.reference,
        status=str(party.us_status), basis=finding.basis, shown=shown,
    )  # fmt: skip
    return finding
