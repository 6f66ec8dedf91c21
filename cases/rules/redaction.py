"""Which field is blacked out for which recipient, and under which exemption (requirements R52, R114).

A court's file may become public, so identity numbers and birth dates are shortened for it as court rules on privacy in
filings ask; a customer reads everything about themselves, but neither how misuse is found nor who reported it.
"""

from dataclasses import dataclass

from cases.rules.disclosure import Ground, Recipient
from cases.rules.wording import Worded
from kyc_portal.refusal import Refusal

SHORTENED_FROM = 8  # characters; the last four of anything shorter would tell most of it


class UnknownField(Refusal):
    """The field or the recipient stands in no table, so nobody decided whether it may be shown."""


class FieldClass(Worded):
    """What kind of thing a field holds."""

    NAME = "name", "name of the customer"
    BIRTH_DATE = "birth_date", "date of birth"
    IDENTITY_NUMBER = "identity_number", "identity number"
    DOCUMENT_IMAGE = "document_image", "image of a document"
    ADDRESS = "address", "postal address"
    CONTACT = "contact", "e-mail address or phone"
    PAYMENT_NUMBER = "payment_number", "number of a means of payment"
    NETWORK_ADDRESS = "network_address", "network address"
    ACTIVITY = "activity", "what was done, by which principal"
    OTHER_PERSON = "other_person", "details of another person"
    REPORTER = "reporter", "who reported the abuse"
    STAFF = "staff", "name of a member of staff"
    DETECTION = "detection", "signal, score or how it was found"
    LIST_MATCH = "list_match", "match on a list"
    NOTE = "note", "internal note"
    LEGAL_ADVICE = "legal_advice", "legal advice"


class Exemption(Worded):
    """Why a field is blacked out; the code stands on the redaction and in the redaction log."""

    FILING_PRIVACY = "P1", "privacy of identifiers in court filings"
    OTHER_PERSON = "P2", "personal data of another person"
    REPORTER = "P3", "protection of whoever reported"
    STAFF = "P4", "safety of staff"
    DETECTION = "S1", "how misuse is found"
    SCREENING = "S2", "screening is not told to the person screened"
    DELIBERATION = "S3", "internal deliberation"
    PRIVILEGE = "L1", "legal privilege"
    BEYOND_GROUND = "L2", "beyond what the ground reaches"


# Where each code stands written, by citation in kyc_portal/policy/regimes.py; most are our own list, shown as such.
EXEMPTION_CITATIONS: dict[Exemption, str] = {
    Exemption.FILING_PRIVACY: "court-privacy",
    Exemption.OTHER_PERSON: "own",
    Exemption.REPORTER: "own",
    Exemption.STAFF: "own",
    Exemption.DETECTION: "own",
    Exemption.SCREENING: "own",
    Exemption.DELIBERATION: "own",
    Exemption.PRIVILEGE: "own",
    Exemption.BEYOND_GROUND: "usc-2703c",
}


class Kept(Worded):
    """What remains readable of a redacted field."""

    NOTHING = "nothing", "nothing"
    LAST_FOUR = "last_four", "the last four characters"
    YEAR = "year", "the year"


@dataclass(frozen=True)
class Redaction:
    """One redaction: why, and what remains."""

    exemption: Exemption
    kept: Kept = Kept.NOTHING

    def of(self, text: str) -> str:
        """Return what stands in the bundle instead of `text` (a birth date comes as YYYY-MM-DD)."""
        rest = ""
        if self.kept == Kept.LAST_FOUR and len(text) > SHORTENED_FROM:
            rest = f"…{text[-4:]} "
        if self.kept == Kept.YEAR and text[:4].isdecimal() and text[4:5] == "-":
            rest = f"{text[:4]} "
        return f"{rest}[redacted {self.exemption}]"


_COURT, _POLICE = Recipient.COURT, Recipient.LAW_ENFORCEMENT
_REGULATOR, _CUSTOMER = Recipient.REGULATOR, Recipient.CUSTOMER
_SHORT = Redaction(Exemption.FILING_PRIVACY, Kept.LAST_FOUR)
_YEAR_ONLY = Redaction(Exemption.FILING_PRIVACY, Kept.YEAR)
_FILING = Redaction(Exemption.FILING_PRIVACY)
_OTHER = Redaction(Exemption.OTHER_PERSON)
_REPORTER = Redaction(Exemption.REPORTER)
_STAFF = Redaction(Exemption.STAFF)
_DETECTION = Redaction(Exemption.DETECTION)
_SCREENING = Redaction(Exemption.SCREENING)
_DELIBERATION = Redaction(Exemption.DELIBERATION)
_PRIVILEGE = Redaction(Exemption.PRIVILEGE)
_BEYOND = Redaction(Exemption.BEYOND_GROUND)

REDACTIONS: dict[FieldClass, dict[Recipient, Redaction]] = {
    FieldClass.NAME: {},
    FieldClass.BIRTH_DATE: {_COURT: _YEAR_ONLY},
    FieldClass.IDENTITY_NUMBER: {_COURT: _SHORT},
    FieldClass.DOCUMENT_IMAGE: {_COURT: _FILING},
    FieldClass.ADDRESS: {},
    FieldClass.CONTACT: {},
    FieldClass.PAYMENT_NUMBER: {_COURT: _SHORT},
    FieldClass.NETWORK_ADDRESS: {},
    FieldClass.ACTIVITY: {},
    FieldClass.OTHER_PERSON: {_COURT: _OTHER, _CUSTOMER: _OTHER},
    FieldClass.REPORTER: {_COURT: _REPORTER, _CUSTOMER: _REPORTER},
    FieldClass.STAFF: {_COURT: _STAFF, _POLICE: _STAFF, _CUSTOMER: _STAFF},
    FieldClass.DETECTION: {_COURT: _DETECTION, _CUSTOMER: _DETECTION},
    FieldClass.LIST_MATCH: {_CUSTOMER: _SCREENING},
    FieldClass.NOTE: {_COURT: _DELIBERATION, _REGULATOR: _DELIBERATION, _CUSTOMER: _DELIBERATION},
    FieldClass.LEGAL_ADVICE: dict.fromkeys(Recipient, _PRIVILEGE),
}

# What a ground takes away whoever the recipient is: who consents speaks for themselves, and what nobody ordered us to
# hand over tells of nobody else and of no member of staff. A subpoena reaches when and from where somebody came, and
# not what they did (18 U.S.C. 2703(c)(2)).
BY_GROUND: dict[Ground, dict[FieldClass, Redaction]] = {
    Ground.SUBPOENA: {FieldClass.ACTIVITY: _BEYOND},
    Ground.CONSENT: {FieldClass.OTHER_PERSON: _OTHER, FieldClass.DETECTION: _DETECTION, FieldClass.STAFF: _STAFF},
    Ground.EMERGENCY: {FieldClass.OTHER_PERSON: _OTHER, FieldClass.STAFF: _STAFF},
    Ground.PROTECTION: {FieldClass.OTHER_PERSON: _OTHER, FieldClass.STAFF: _STAFF},
}


def redacted(field_class: str, recipient: str, ground: str = "") -> Redaction | None:
    """How a field of this class is redacted for this recipient on this ground; None when it is shown in full.

    Raises UnknownField for codes that stand in no table: what nobody thought about is not shown.
    """
    if field_class not in REDACTIONS or recipient not in list(Recipient):
        raise UnknownField(
            "It is not settled who may see this field. Ask legal to settle it before the bundle goes out."
        )
    by_recipient = REDACTIONS[FieldClass(field_class)].get(Recipient(recipient))
    by_ground = BY_GROUND.get(Ground(ground), {}).get(FieldClass(field_class)) if ground in list(Ground) else None
    return by_recipient or by_ground
