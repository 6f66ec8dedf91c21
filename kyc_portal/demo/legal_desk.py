"""The demo's legal desk: a block to report, a challenge, a bundle and a ground to approve, a review by Commerce."""

from datetime import date, timedelta

from accounts.models import Account
from cases.flows import (
    bundle_redactions,
    bundles,
    challenges,
    commerce,
    legal_requests,
    property_reports,
    voluntary,
)
from cases.models import LegalRequest, PropertyReport
from cases.rules.commerce import ReviewKind
from cases.rules.disclosure import Ground, Recipient
from cases.rules.redaction import Exemption
from cases.rules.request_checks import points_of
from cases.rules.stages import ChallengedBy, ChallengedWhy
from kyc_portal.demo import deciding, stories
from kyc_portal.demo.stories import Stage, person

LISTED = "Zoltan Hegyes"  # on the newest version of the list, files.LISTED_LATELY


def customer_is_taken_in(stage: Stage) -> None:
    """Opened before being listed."""
    stories.open_person(stage, person(LISTED, "HU", "Pecs", date(1981, 11, 30)), code="HUN", days=130)


def customer_is_blocked(stage: Stage) -> None:
    """Listed days ago: two people confirm it and block the account; its report is drafted, and to be approved."""
    account = Account.objects.get(party__legal_name=LISTED)
    stories.load_list(stage, days=7, with_malicious=True, newest=True)
    deciding.confirm_listed(stage, account, days=7)
    deciding.decide(stage, account, outcome="block", reason="list_match_confirmed", note="See the hit.", days=5)
    property_reports.draft(
        PropertyReport.objects.to_do().get(account=account), legal_authority="31 CFR part 578", value_usd="1250.00",
        parties=[account.party.reference], documents=[account.party.documents.get().reference],
        texts={
            "property": "Credit balance of the account, paid in advance for machines.",
            "transaction": "The customer asked to have the balance paid out.",
            "places": "Books of the provider; data hall in Stockholm.",
            "contact_name": "Laszlo, legal desk", "contact_phone": "+1 202 555 0100",
            "contact_email": "legal@provider.example",
        },
        by=stage.actor("laszlo"), at=stage.ago(4),
    )  # fmt: skip


def request_is_challenged(stage: Stage) -> None:
    """A court order that asks for more than it carries: everything that rests on it stands still."""
    laszlo, ground = stage.actor("laszlo"), Ground.COURT_ORDER.value
    request = legal_requests.log_request(
        accounts=[Account.objects.get(party__legal_name="Jonas Brandt")], authority="District Court",
        authority_reference="25-mc-117", ground=ground, received_on=stage.ago(9).date(), by=laszlo, at=stage.ago(9),
    )  # fmt: skip
    legal_requests.validate(request, checked=points_of(ground), by=laszlo, at=stage.ago(8))
    challenges.challenge(
        request, by_whom=ChallengedBy.US.value, why=ChallengedWhy.TOO_BROAD.value, docket="25-mc-131", by=laszlo,
        at=stage.ago(3),
    )  # fmt: skip


def bundle_waits(stage: Stage) -> None:
    """A second bundle of a subpoena, with one field taken out by hand, and a ground that nobody ordered: to approve."""
    laszlo = stage.actor("laszlo")
    case = LegalRequest.objects.get(case__subjects__account__party__legal_name="Pavel Dvorsky").case
    bundle = bundles.collect(
        case, ground=Ground.SUBPOENA.value, recipient=Recipient.LAW_ENFORCEMENT.value, by=laszlo, at=stage.ago(2)
    )
    bundle_redactions.redact(
        bundle, place="facts/customers, row 1, product", code=Exemption.FILING_PRIVACY.value,
        reason="The paper does not ask what was bought.", by=laszlo, at=stage.ago(2, 10),
    )  # fmt: skip
    voluntary.propose(
        case, ground=Ground.EMERGENCY.value, by=laszlo, at=stage.ago(1),
        facts="The officer on duty says that a person is held against their will and was last heard of through this "
        "account. We called the station back under its published number.",
    )  # fmt: skip


def commerce_asks(stage: Stage) -> None:
    """Commerce assesses us: one question is answered, one is not, and one measure is to be proven."""
    laszlo, today = stage.actor("laszlo"), stage.now.date()
    matter = commerce.log_review(
        kind=ReviewKind.ASSESSMENT.value, about="How resellers verify their customers", opened_on=stage.ago(30).date(),
        their_reference="BIS-A-0042", by=laszlo, at=stage.ago(29),
    )  # fmt: skip
    for question, days in (
        ("How many of your customers are foreign persons?", 28), ("Which of your resellers state a full roster?", 6),
    ):  # fmt: skip
        asked = {"asked_on": stage.ago(days).date(), "due_on": stage.ago(days).date() + timedelta(days=14)}
        ask = commerce.add_ask(matter, question=question, **asked, by=laszlo, at=stage.ago(days))
        if asked["due_on"] < today:
            commerce.answer(ask, words="See the export enclosed.", by=stage.actor("livia"), at=stage.ago(days - 5))
    commerce.recommend(
        matter, action="Verify customers of resellers again each year", owner="Reseller desk",
        due_on=today + timedelta(days=40), by=laszlo, at=stage.ago(5),
    )  # fmt: skip
