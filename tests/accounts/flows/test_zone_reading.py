"""A zone off a picture: asked for, read by a worker, proposed, and no fact before a person has confirmed it."""

import io
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.flows import identification, verification, zone_reading
from accounts.flows.texts import BadField
from accounts.formats.mrz import UnreadableMrz
from accounts.formats.zone_ocr import NotInstalled
from accounts.models import IdentityDocument, ZoneReading
from accounts.models.zone_reading import ReadingState
from kyc_portal.records import changes
from kyc_portal.records.models import AuditEvent, RowChange, Standing
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.roles import ROLES
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.accounts.flows.test_verification import T1, T7
from tests.accounts.formats.printed_zones import answering, page_with, pdf_of, with_tesseract
from tests.accounts.formats.test_mrz import TD3
from tests.builders import make_account, make_cip, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def party():
    make_cip()
    return make_account(legal_name="Anna Maria Eriksson", birth_date=date(1974, 8, 12)).party


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Sets what the program outside answers."""
    return lambda script: answering(tmp_path, script, monkeypatch)


@pytest.fixture
def reads_t1(says):
    says("printf '%s\\n%s\\n' '{}' '{}'".format(*TD3))


def scan(party, data=None, *, name="p.png", kind="passport", **given):
    return identification.add_document(
        party, kind=kind, file=io.BytesIO(data or png_bytes()), file_name=name, by=SCHEDULER, at=NOON, **given
    )


def ask_and_read(document, by):
    zone_reading.ask(document, by=by, at=NOON)
    assert queue.run_due(NOON)["failed"] == 0
    return document.zone_readings.get()


class TestTrail:
    def test_every_change_of_a_reading_has_its_event(self, party, reads_t1, analyst):
        document = scan(party)
        changes.reconcile(by=SCHEDULER, at=NOON)
        RowChange.objects.unexplained().update(standing=Standing.SETTLED)

        ask_and_read(document, analyst)

        told = changes.reconcile(by=SCHEDULER, at=NOON)
        assert told.rows > 2 and told.missing == 0, list(RowChange.objects.unexplained().values())
        assert AuditEvent.objects.get(verb="accounts.zone_page").facts["number"] == 1


class TestAsk:
    def test_it_becomes_a_job_that_names_no_value(self, party, reads_t1, analyst):
        document = scan(party)

        reading = zone_reading.ask(document, by=analyst, at=NOON)

        job = Job.objects.get(kind="accounts.read_zone")
        assert (job.key, reading.state) == (str(reading.pk), "asked")

    def test_without_the_program_it_says_what_to_do(self, party, tmp_path, monkeypatch, analyst):
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(NotInstalled, match="Type the zone"):
            zone_reading.ask(scan(party), by=analyst, at=NOON)
        assert not ZoneReading.objects.exists()

    def test_it_refuses_what_has_nothing_to_read(self, party, reads_t1, analyst):
        bare = identification.add_document(party, kind="passport", number="X1", by=analyst, at=NOON)
        for document, says in (
            (bare, "No file was uploaded"),
            (scan(party, kind="driving_licence"), "no machine-readable zone"),
            (scan(party, mrz=T1), "on file already"),
        ):
            with pytest.raises(zone_reading.NothingToRead, match=says):
                zone_reading.ask(document, by=analyst, at=NOON)

    def test_it_is_asked_once_at_a_time(self, party, reads_t1, analyst):
        document = scan(party)
        zone_reading.ask(document, by=analyst, at=NOON)

        with pytest.raises(zone_reading.AlreadyAsked, match=document.reference):
            zone_reading.ask(document, by=analyst, at=NOON)


class TestRead:
    def test_what_is_found_is_sealed_and_no_fact(self, party, reads_t1, analyst):
        document = scan(party)

        reading = ask_and_read(document, analyst)

        assert (reading.state, reading.proposal.reveal()) == ("proposed", T1)
        assert (reading.source, reading.pages_done) == ("tesseract 9.9", 1)
        document.refresh_from_db()
        assert not document.mrz and not document.number and document.expires_on is None

    def test_doubts_name_places_and_no_characters(self, party, says, analyst):
        says("printf '%s\\n%s\\n' '{}' '{}'".format(TD3[0].replace("UTO", "UT0"), TD3[1].replace("7408122", "7408123")))

        doubts = ask_and_read(scan(party), analyst).doubts

        assert "The check digit of the birth date does not fit." in doubts
        assert "Line 1, position 5: a letter belongs there. Compare it with the picture." in doubts

    def test_nothing_found_is_told_and_may_be_asked_again(self, party, says, analyst):
        says("echo")
        document = scan(party)

        reading = ask_and_read(document, analyst)

        assert (reading.state, reading.told) == ("nothing", zone_reading.NOTHING_FOUND)
        zone_reading.ask(document, by=analyst, at=LATER)

    def test_a_program_that_fails_ends_it_with_a_sentence(self, party, says, analyst):
        says("exit 1")

        assert "could not be read by the program" in ask_and_read(scan(party), analyst).told

    def test_it_is_done_once_however_often_the_job_runs(self, party, reads_t1, analyst):
        reading = ask_and_read(scan(party), analyst)
        events = AuditEvent.objects.count()

        zone_reading.read(str(reading.pk), by=SCHEDULER, at=LATER)
        zone_reading.read("00000000-0000-0000-0000-000000000000", by=SCHEDULER, at=LATER)

        assert AuditEvent.objects.count() == events

    def test_nothing_of_it_stands_in_the_trail(self, party, reads_t1, analyst):
        document = scan(party)
        ask_and_read(document, analyst)
        zone_reading.confirm(document, mrz=T1, by=analyst, at=LATER)

        facts = str(list(AuditEvent.objects.values_list("facts", flat=True)))
        assert "L898902C3" not in facts and "ERIKSSON" not in facts

    @with_tesseract
    def test_e9_off_the_second_page_of_a_pdf_for_real(self, party, analyst):
        document = scan(party, pdf_of(page_with(()), page_with(TD3)), name="p.pdf")

        reading = ask_and_read(document, analyst)

        assert (reading.state, reading.pages) == ("proposed", 2)
        assert "ERIKSSON<<ANNA<MARIA" in reading.proposal.reveal()


class TestConfirm:
    def test_it_becomes_the_documents_zone_and_the_checks_run(self, party, reads_t1, analyst):
        under_way = verification.start(party.accounts.get(), party, trigger="opening", by=analyst, at=NOON)
        document = scan(party)
        ask_and_read(document, analyst)

        zone_reading.confirm(document, mrz=T1, by=analyst, at=LATER)

        document.refresh_from_db()
        assert (document.mrz.reveal(), document.number.reveal()) == (T1, "L898902C3")
        assert document.expires_on == date(2012, 4, 15)
        reading = document.zone_readings.get()
        assert (reading.state, reading.settled_by) == ("confirmed", "ana") and not reading.proposal
        assert [row.outcome for row in under_way.checks.filter(code="machine_zones").order_by("turn")] == [
            "could_not_run", "passed",
        ]  # fmt: skip

    def test_what_the_person_corrects_counts_and_what_was_typed_stays(self, party, reads_t1, analyst):
        document = scan(party, number="TYPED1", country="SE")
        ask_and_read(document, analyst)

        zone_reading.confirm(document, mrz=T7, by=analyst, at=LATER)

        document.refresh_from_db()
        assert document.mrz_failed == ["birth_date", "composite"]
        assert (document.number.reveal(), str(document.country)) == ("TYPED1", "SE")

    @pytest.mark.parametrize(
        ("mrz", "error"), [("", BadField), (TD3[0], UnreadableMrz), (T1.replace("P<", "V<", 1), BadField)]
    )
    def test_a_senseless_zone_is_refused_and_the_proposal_stays(self, party, reads_t1, analyst, mrz, error):
        document = scan(party)
        ask_and_read(document, analyst)

        with pytest.raises(error):
            zone_reading.confirm(document, mrz=mrz, by=analyst, at=LATER)

        assert document.zone_readings.get().state == ReadingState.PROPOSED
        assert not IdentityDocument.objects.get(pk=document.pk).mrz

    def test_set_aside_forgets_it(self, party, reads_t1, analyst):
        document = scan(party)
        ask_and_read(document, analyst)

        zone_reading.set_aside(document, by=analyst, at=LATER)

        assert not document.zone_readings.get().proposal
        for act in (lambda: zone_reading.set_aside(document, by=analyst, at=LATER),
                    lambda: zone_reading.confirm(document, mrz=T1, by=analyst, at=LATER)):  # fmt: skip
            with pytest.raises(zone_reading.NotProposed, match=document.reference):
                act()


class TestPages:
    def page(self, document):
        return reverse("admin:accounts_identitydocument_change", args=[document.pk])

    def button(self, document, name):
        return reverse("admin:accounts_identitydocument_do", args=[document.pk, name])

    @pytest.fixture
    def reviewer(self, client, analyst_user):
        client.force_login(analyst_user)
        return client

    def test_from_the_picture_to_the_zone_on_the_pages(self, party, reads_t1, analyst, reviewer):
        document = scan(party)
        under_way = verification.start(party.accounts.get(), party, trigger="opening", by=analyst, at=NOON)
        workspace = reverse("admin:accounts_verification_workspace", args=[under_way.pk])
        assert self.button(document, "read-zone") in reviewer.get(workspace).content.decode()

        reviewer.post(self.button(document, "read-zone"))
        assert "Pages looked at" in reviewer.get(self.page(document)).content.decode()
        queue.run_due(document.zone_readings.get().asked_at)
        body = reviewer.get(self.page(document)).content.decode()
        assert "waits for somebody to confirm it" in body and "L898902C3" not in body
        assert self.button(document, "confirm-zone") in reviewer.get(workspace).content.decode()

        form = reviewer.get(self.button(document, "confirm-zone")).content.decode()
        assert "L898902C36UTO7408122F1204159ZE184226B&lt;&lt;&lt;&lt;&lt;10" in form
        assert reverse("accounts:copy", args=[document.pk, 1]) in form
        assert AuditEvent.objects.filter(facts__field="zone read off the picture").exists()
        reviewer.post(self.button(document, "confirm-zone"), {"mrz": T1})

        assert IdentityDocument.objects.get(pk=document.pk).mrz.reveal().splitlines() == T1.splitlines()

    def test_without_the_program_the_page_says_what_to_do(self, party, tmp_path, monkeypatch, reviewer):
        monkeypatch.setenv("PATH", str(tmp_path))
        document = scan(party)

        assert "Type it from the picture" in reviewer.get(self.page(document)).content.decode()

    def test_whoever_may_confirm_may_also_see_what_was_read(self):
        for role, rights in ROLES.items():
            assert "accounts.verify" not in rights or "accounts.reveal" in rights, role
