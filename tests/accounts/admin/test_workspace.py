"""The workspace of a verification: picture beside data, masked until asked for, each look recorded (R27-R34, R53)."""

import io
import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.flows import identification, parties, verification
from kyc_portal.records.models import AuditEvent, IdentityView
from tests.accounts.flows.test_verification import T1
from tests.builders import make_account, make_cip, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(analyst):
    """A verification of somebody born in 1980 whose passport's zone says 1974."""
    make_cip()
    account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1980, 1, 1))
    identification.add_document(
        account.party, kind="passport", number="L898902C3", country="SE", expires_on=date(2034, 4, 15), mrz=T1,
        file=io.BytesIO(png_bytes()), file_name="pass.png", by=analyst, at=NOON,
    )  # fmt: skip
    return verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)


@pytest.fixture
def reviewer(client, analyst_user):
    client.force_login(analyst_user)
    return client


def address(record, query="") -> str:
    return reverse("admin:accounts_verification_workspace", args=[record.pk]) + query


def shown(response) -> str:
    return " ".join(response.content.decode().split())


class TestPage:
    def test_it_shows_the_picture_and_marks_what_differs(self, reviewer, record):
        body = shown(reviewer.get(address(record)))

        document = record.party.documents.get()
        assert reverse("accounts:copy", args=[document.pk, 1]) in body
        row = body[body.index("Birth date</th>") :].partition("</tr>")[0]
        assert "differs" in row
        name = body[body.index("Name</th>") :].partition("</tr>")[0]
        assert "agrees" in name

    def test_what_is_sealed_stays_dots(self, reviewer, record):
        body = shown(reviewer.get(address(record)))

        assert "1980-01-01" not in body and "1974-08-12" not in body and "L898902C3" not in body
        assert not AuditEvent.objects.filter(verb="accounts.revealed").exists()

    def test_asked_for_it_is_shown_once_with_an_event_for_each_value(self, reviewer, record):
        response = reviewer.post(address(record))

        body = shown(response)
        assert "1980-01-01" in body and "1974-08-12" in body and "L898902C3" in body
        assert "no-store" in response["Cache-Control"]
        told = AuditEvent.objects.filter(about_name=record.party.reference, facts__why="to verify the customer")
        assert {event.facts["field"] for event in told} == {
            "birth date", "document number", "machine-readable zone",
        }  # fmt: skip

    def test_who_may_not_unmask_sees_dots_and_cannot_post(self, client, record, compliance_user):
        client.force_login(compliance_user)

        assert "Show the values" not in shown(client.get(address(record)))
        answer = client.post(address(record))
        assert answer.status_code == 403 and "1980-01-01" not in answer.content.decode()

    def test_each_button_has_its_key(self, reviewer, record):
        body = shown(reviewer.get(address(record)))

        assert all(f'data-key="{key}"' in body for key in "mdsc")

    def test_the_document_can_be_chosen(self, reviewer, record, analyst):
        card = identification.add_document(record.party, kind="identity_card", number="X1", by=analyst, at=NOON)

        body = shown(reviewer.get(address(record, f"?document={card.pk}")))

        assert "No file was uploaded with this document" in body
        assert reverse("accounts:copy", args=[record.party.documents.exclude(pk=card.pk).get().pk, 1]) not in body

    @pytest.mark.parametrize("key", ["x", "' OR 1=1", "00000000-0000-0000-0000-000000000000"])
    def test_an_unknown_document_falls_back_to_the_newest(self, reviewer, record, key):
        assert reviewer.get(address(record, f"?document={key}")).status_code == 200

    def test_without_a_document_it_says_what_to_do(self, reviewer, analyst):
        make_cip()
        account = make_account()
        bare = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)

        assert "No document is on file. Add one" in shown(reviewer.get(address(bare)))

    def test_a_concluded_one_offers_nothing(self, reviewer, record, analyst):
        verification.record_method(
            record, method="public_database", result="no_match", source="register", by=analyst, at=NOON
        )
        verification.conclude(record, verified=False, reason="In doubt.", by=analyst, at=NOON)

        assert 'data-key="m"' not in shown(reviewer.get(address(record)))

    def test_looking_is_counted_like_any_page_of_a_person(self, reviewer, record, analyst_user):
        reviewer.get(address(record))

        assert IdentityView.objects.filter(actor_key=str(analyst_user.pk), about_key=str(record.pk)).exists()

    def test_the_form_of_what_was_stated_is_checked_without_showing_it(self, reviewer, record, analyst):
        parties.add_contact(record.party, kind="email", value="anna@mailinator.com", by=analyst, at=NOON)
        identification.add_payment_method(
            record.party, kind="bank", identifier="DE89370400440532013000", country="DE", by=analyst, at=NOON
        )

        body = shown(reviewer.get(address(record)))

        checks = body[body.index('id="checks"') :].partition("</section>")[0]
        assert "throw-away mailboxes" in checks and re.search(r"\d+ passed\.", checks), "the rest is counted only"
        assert "The check digits fit." not in checks and "#checks" in checks
        assert "mailinator" not in body and "DE8937" not in body

    def test_its_queries_do_not_grow_with_what_is_on_file(self, reviewer, record, analyst):
        counts = []
        for _ in range(3):
            for number in range(3):
                mail = f"anna{number}{len(counts)}@example.org"
                parties.add_contact(record.party, kind="email", value=mail, by=analyst, at=NOON)
            with CaptureQueriesContext(connection) as queries:
                reviewer.get(address(record))
            counts.append(len(queries))

        assert counts[1] == counts[2] <= 45


class TestChecks:
    def section(self, reviewer, url) -> str:
        body = shown(reviewer.get(url))
        return body[body.index('id="checks"') :].partition("</section>")[0]

    def test_each_answer_stands_on_both_pages_on_one_with_source_and_evidence(self, reviewer, record):
        row = record.checks.get(code="stated")
        change = reverse("admin:accounts_verification_change", args=[record.pk])

        for url in (address(record), change):
            checks = self.section(reviewer, url)
            assert "Document against what was stated" in checks and "date of birth" in checks
        assert "own comparison" in checks and row.evidence[:12] in checks

    def test_what_failed_comes_first(self, reviewer, record, analyst):
        identification.add_payment_method(record.party, kind="card", identifier="tok_1Nabcdef", by=analyst, at=NOON)
        checks = self.section(reviewer, reverse("admin:accounts_verification_change", args=[record.pk]))
        in_short = self.section(reviewer, address(record))

        assert checks.index("look again") < checks.index("could not run") < checks.index("fits")
        assert in_short.index("look again") < in_short.index("could not run") and ">fits<" not in in_short

    def test_the_button_runs_them_again_and_says_what_is_new(self, reviewer, record):
        button = reverse("admin:accounts_verification_do", args=[record.pk, "run-checks"])
        assert button in shown(reviewer.get(address(record)))
        record.checks.model._base_manager.filter(verification=record, code="emails").update(source="older 1")

        first, second = (shown(reviewer.post(button, follow=True)) for _ in range(2))

        assert "1 of the answers are new." in first
        assert "The checks answer as before." in second

    def test_who_only_looks_has_no_button(self, client, record, compliance_user):
        client.force_login(compliance_user)

        assert client.post(reverse("admin:accounts_verification_do", args=[record.pk, "run-checks"])).status_code == 403

    def test_before_any_check_ran_it_says_what_to_do(self, reviewer, record):
        record.checks.model._base_manager.filter(verification=record)._raw_delete("default")

        assert "No check has answered yet." in self.section(reviewer, address(record))
