"""Which ground allows which data to whom (requirements R52, R111, R113; 18 USC 2702 and 2703).

What no row allows is not handed over. A row is the most a ground can carry; the paper on file may allow less.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cases.rules.wording import Worded
from kyc_portal.refusal import Refusal


class NotCovered(Refusal):
    """The ground does not allow this to be handed over."""


class Ground(Worded):
    """Why something may be handed over."""

    SUBPOENA = "subpoena", "subpoena"
    COURT_ORDER = "court_order", "court order"
    SEARCH_WARRANT = "search_warrant", "search warrant"
    PRESERVATION = "preservation", "preservation request"
    BACKUP_ORDER = "backup_order", "backup copy order"
    CONSENT = "consent", "consent of the customer"
    CUSTOMER_REQUEST = "customer_request", "the customer's request for their own data"
    EMERGENCY = "emergency", "emergency with danger to life"
    PROTECTION = "protection", "protection of our rights and property"
    REGULATOR_REQUEST = "regulator_request", "regulator's request"
    SANCTIONS_REPORT = "sanctions_report", "report on blocked or rejected property"


class Recipient(Worded):
    """Who receives it."""

    COURT = "court", "court"
    LAW_ENFORCEMENT = "law_enforcement", "law enforcement"
    REGULATOR = "regulator", "regulator"
    CUSTOMER = "customer", "customer"


class DataClass(Worded):
    """What is handed over; CUSTODY and AUDIT prove the rest and go with every bundle."""

    SUBSCRIBER = "subscriber", "name, address, contact and account details"
    PAYMENT = "payment", "means of payment"
    ACCESS = "access", "access records"
    IDENTITY = "identity", "identity documents and numbers"
    OWNERSHIP = "ownership", "owners and shares"
    VERIFICATION = "verification", "how the identity was checked"
    SCREENING = "screening", "list screening"
    RISK = "risk", "risk signals and scores"
    DECISIONS = "decisions", "decisions and their reasons"
    NOTES = "notes", "internal notes"
    CONTENT = "content", "what the customer stores or sends"
    CUSTODY = "custody", "chain of custody"
    AUDIT = "audit", "excerpt of the audit trail"


@dataclass(frozen=True)
class GroundRule:
    """What one ground allows, to whom, and which paper must be on file first (in words, after “the case lacks”)."""

    recipients: frozenset[Recipient]
    data_classes: frozenset[DataClass]
    paper: str


_R, _D = Recipient, DataClass
_AUTHORITIES = frozenset({_R.COURT, _R.LAW_ENFORCEMENT, _R.REGULATOR})
_POLICE = frozenset({_R.LAW_ENFORCEMENT})
_NOTHING = frozenset()
_PROOF = frozenset({_D.CUSTODY, _D.AUDIT})
_BASIC = _PROOF | {_D.SUBSCRIBER, _D.PAYMENT, _D.ACCESS}
_OWN = _BASIC | {_D.IDENTITY, _D.OWNERSHIP, _D.VERIFICATION}
_RECORDS = _OWN | {_D.SCREENING, _D.RISK, _D.DECISIONS}
_REPORTED = _PROOF | {_D.SUBSCRIBER, _D.PAYMENT, _D.OWNERSHIP, _D.SCREENING, _D.DECISIONS}

GROUNDS = {
    Ground.SUBPOENA: GroundRule(_AUTHORITIES, _BASIC, "the subpoena"),
    Ground.COURT_ORDER: GroundRule(_AUTHORITIES, _RECORDS, "the court order"),
    Ground.SEARCH_WARRANT: GroundRule(_AUTHORITIES, _RECORDS | {_D.NOTES, _D.CONTENT}, "the search warrant"),
    Ground.PRESERVATION: GroundRule(frozenset(), _NOTHING, "the preservation request"),
    Ground.BACKUP_ORDER: GroundRule(frozenset(), _NOTHING, "the order to make a backup copy"),
    Ground.CONSENT: GroundRule(_AUTHORITIES | {_R.CUSTOMER}, _OWN, "the signed consent that names what and to whom"),
    Ground.CUSTOMER_REQUEST: GroundRule(frozenset({_R.CUSTOMER}), _OWN | {_D.DECISIONS}, "proof of who is asking"),
    Ground.EMERGENCY: GroundRule(_POLICE, _BASIC | {_D.IDENTITY}, "the written statement of the danger"),
    Ground.PROTECTION: GroundRule(_POLICE, _BASIC, "the note on which right or property is at stake"),
    Ground.REGULATOR_REQUEST: GroundRule(frozenset({_R.REGULATOR}), _RECORDS, "the regulator's letter"),
    Ground.SANCTIONS_REPORT: GroundRule(frozenset({_R.REGULATOR}), _REPORTED, "the draft of the report"),
}


def may_include(ground: str, data_class: str) -> bool:
    """Does this ground allow this class of data at all? Unknown codes allow nothing."""
    return ground in GROUNDS and data_class in GROUNDS[Ground(ground)].data_classes


def may_receive(ground: str, recipient: str) -> bool:
    """May this kind of recipient be handed anything on this ground? Unknown codes allow nothing."""
    return ground in GROUNDS and recipient in GROUNDS[Ground(ground)].recipients


def hands_over(ground: str) -> bool:
    """Does this ground hand anything over? A preservation request only freezes what exists (R111)."""
    return ground in GROUNDS and bool(GROUNDS[Ground(ground)].data_classes)


def require_ground(ground: str | None, *, recipient: str, data_classes: Iterable[str]) -> GroundRule:
    """Return the ground's row when it allows all these classes to this recipient; else raise NotCovered."""
    if ground not in GROUNDS:
        raise NotCovered("Nothing may be handed over without a lawful ground. Choose the ground first.")
    name = Ground(ground).label
    rule = GROUNDS[Ground(ground)]
    if not rule.data_classes:
        raise NotCovered(f"A {name} hands nothing over. Preserve the records and wait for further process.")
    if recipient not in rule.recipients:
        allowed = _words(Recipient, rule.recipients)
        raise NotCovered(f"This recipient may receive nothing on the ground “{name}”. It allows only: {allowed}.")
    if unfit := set(data_classes) - rule.data_classes:
        odd = _words(DataClass, unfit) or "an unknown class of data"
        raise NotCovered(f"The ground “{name}” does not cover: {odd}. Leave it out, or choose a ground that covers it.")
    return rule


def _words(kind: type[Worded], codes: Iterable[str]) -> str:
    chosen = set(codes)
    return ", ".join(member.label for member in kind if member in chosen)
