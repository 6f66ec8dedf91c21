"""What tests of the outside verifier need: a question that is out, an answer, and its signature."""

import json
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.flows import external_answers, external_checks, verification
from accounts.formats.signed_messages import sign_message
from accounts.models import ExternalAnswer, ExternalCheck, Verification
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_cip
from tests.conftest import NOON

DOOR = "/api/v1/verifier-answers"


def make_verification(*, by=SCHEDULER, at=NOON, **changes) -> Verification:
    """One that is under way, of a person whose verifier stays silent unless the name says otherwise."""
    make_cip()
    account = make_account(**{"legal_name": "Maria Silence", **changes})
    return verification.start(account, account.party, trigger="opening", by=by, at=at)


def make_check(record: Verification | None = None, *, by=SCHEDULER, at=NOON, **changes) -> ExternalCheck:
    """A question that is out and was handed over."""
    check = external_checks.ask(record or make_verification(**changes), by=by, at=at)
    external_checks.hand_over(str(check.pk), by=SCHEDULER, at=at)
    check.refresh_from_db()
    return check


def answer_to(check: ExternalCheck, **changes) -> dict:
    """An answer in the portal's own form that says: everything agrees."""
    return {"reference": check.reference, "result": "match", "matched": list(check.asked_about), **changes}


def signed(text: str, *, id: str = "msg_1", at: datetime | None = None, secret: str = "") -> dict[str, str]:
    """The headers of a message that is sent now."""
    return sign_message(text, id=id, at=at or timezone.now(), secret=secret or settings.VERIFIER_SECRETS[0])


def deliver(check: ExternalCheck, document=None, *, id: str = "msg_1", at=NOON) -> ExternalAnswer:
    """Take in an answer as the door does, without HTTP; it is not read yet."""
    text = document if isinstance(document, str) else json.dumps(answer_to(check) if document is None else document)
    external_answers.take_in(text.encode(), signed(text, id=id), at=at)
    return ExternalAnswer.objects.get(webhook_id=id)


def read(answer: ExternalAnswer, *, at=NOON) -> ExternalAnswer:
    """Let the job read an answer."""
    external_answers.interpret(str(answer.pk), by=SCHEDULER, at=at)
    answer.refresh_from_db()
    return answer
