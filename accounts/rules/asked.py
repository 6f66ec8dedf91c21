"""What a customer may be asked for on their own page, in the customer's words; none tells of lists, cases, risk."""

from dataclasses import dataclass

from accounts.rules.privacy import Worded


class Purpose(Worded):
    """Why a link was sent."""

    DATA = "data_requested", "data asked for before opening"
    REVIEW = "reverification", "proof asked for again"
    REDRESS = "redress", "redress offered"


class EndedWhy(Worded):
    """Why nothing is asked by a link any more."""

    REPLACED = "replaced", "replaced by a new one"
    WITHDRAWN = "withdrawn", "withdrawn by staff"
    ANSWERED = "answered", "answered"
    OVER = "over", "the account or the request ended"


class ObjectionOutcome(Worded):
    """What came of an objection, as staff see it; the customer reads OBJECTION_ANSWERS."""

    RIGHT = "right", "the customer is right"
    STANDS = "stands", "what was done stands"
    MORE = "more", "we need to hear more"


OBJECTION_ANSWERS = {
    "right": "You are right. We have put it right, or will do so within the next days.",
    "stands": "We have looked at everything again and stay with what we told you.",
    "more": "We cannot answer yet. Please tell us more by answering this message.",
}


@dataclass(frozen=True)
class Part:
    """One thing that is asked for: `code` as in rules/elements.py."""

    code: str
    title: str
    sentence: str


PARTS = {
    part.code: part
    for part in (
        Part("kind", "Person or company", "Tell us whether the account is for a person or for a company."),
        Part("address", "Street address", "Tell us where you live, or where the company has its place of business."),
        Part("use_location", "Place of use", "Tell us in which country our services are used."),
        Part("email", "E-mail address", "Tell us an e-mail address at which we reach you."),
        Part("phone", "Telephone number", "Tell us a telephone number at which we reach you."),
        Part("payment", "Means of payment", "Tell us how you pay, and explain it where it is unusual."),
        Part("payment_source", "Source of payment", "Tell us which bank or service the payment comes from."),
        Part("payment_holder", "Holder of the account", "Tell us who holds the account the payment comes from."),
        Part("formation_country", "Country of formation", "Tell us under which country's law the company was formed."),
        Part("registration_number", "Register number", "Tell us the company's number in the business register."),
        Part("owners", "Owners", "Name everybody who owns or controls a substantial part of the company."),
        Part("owners_certification", "Certification of owners", "Confirm that the owners you named are all there are."),
        Part("birth_date", "Date of birth", "Tell us the date of birth."),
        Part("national_id", "National identification number", "Tell us the number as it is printed."),
        Part("identity_document", "Document", "Upload a valid document, as a PDF, PNG or JPEG."),
        Part("unchanged", "Your details", "Confirm that the details you gave us before still hold."),
    )
}  # fmt: skip

# What can be told anew when proof is asked again, besides the documents; only the statement must be there.
OF_REVIEW = ("unchanged",)
IF_CHANGED = ("address", "email", "phone")

STATES = {
    "prospect": "We are waiting for your answer.",
    "data_requested": "We are waiting for your answer.",
    "verifying": "We are looking at what you gave us.",
    "active": "Your account can be used.",
}
OTHER_STATE = "Your account is not available at present."


def key_of(code: str, owner: str = "") -> str:
    """How one thing asked for is named in an address: its code, and the reference of the owner it is about."""
    return f"{code}-{owner.lower()}" if owner else code
