"""The stand-in for an outside identity verifier: for tests, development and the demo, and refused in production.

It asks nobody. Its answer depends on a word in the party's name alone and comes at once, signed, by the same way as a
real verifier's but for the network:

    nomatch   the birth date (or else the name) differs        error    it could not find out
    partial   one field agrees, nothing is said of the others   garbled  an answer nobody can use
    silence   no answer                                         gone     it cannot be reached
    anything else: everything agrees
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.flows import external_answers
from accounts.formats.signed_messages import HEADERS, sign_message
from accounts.rules import outside_verifier
from accounts.rules.outside_verifier import HandedOver, Question, Reading, VerifierGone

WORDS = ("nomatch", "partial", "error", "garbled", "silence", "gone")


class StandIn:
    """An adapter without a vendor; speaks the portal's own form of an answer."""

    code = "stand_in"
    title = "Stand-in verifier (made up)"

    def ask(self, question: Question, *, at: datetime) -> HandedOver:
        """Answer at once, as of `at`. The message's id rests on the question, so that a second asking is a repeat."""
        word = word_in(question)
        if word == "gone":
            raise VerifierGone("The stand-in cannot be reached.")
        if word != "silence":
            text = json.dumps(answer_to(question), ensure_ascii=False, indent=1)
            headers = sign_message(
                text, id=f"msg_{question.reference}", at=timezone.now(), secret=settings.VERIFIER_SECRETS[0]
            )
            external_answers.take_in(text.encode(), {name: headers[name] for name in HEADERS}, at=at)
        return HandedOver(f"SI-{question.reference[4:]}")

    def reference_of(self, message: Mapping) -> str:
        return outside_verifier.reference_of(message)

    def read(self, message: Mapping, asked: Collection[str]) -> Reading:
        return outside_verifier.read(message, asked)


def word_in(question: Question) -> str:
    """Which of the words the party's name holds; "" for none."""
    name = question.values.get("legal_name", "").lower()
    return next((word for word in WORDS if word in name), "")


def answer_to(question: Question) -> dict:
    """What the stand-in says, in the portal's own form."""
    word, fields = word_in(question), sorted(question.values)
    answer = {"reference": question.reference, "their_reference": f"SI-{question.reference[4:]}", "result": "match"}
    if word == "garbled":
        return {**answer, "result": "perhaps"}
    if word == "error":
        return {**answer, "result": "error"}
    if word == "partial":
        return {**answer, "result": "partial", "matched": fields[:1]}
    if word == "nomatch":
        field = "birth_date" if "birth_date" in fields else "legal_name"
        found = "1900-01-01" if field == "birth_date" else "Somebody Else"
        return {**answer, "result": "no_match", "differing": {field: found}}
    return {**answer, "matched": fields}
