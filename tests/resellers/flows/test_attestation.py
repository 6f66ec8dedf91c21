"""The yearly attestation of a reseller: opened, signed with its figures, in the way of selling past its day (R63)."""

from datetime import date, timedelta

import pytest

from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.models import Deadline
from kyc_portal.policy.statements import WordingChanged, approve_statement
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor
from resellers import tasks
from resellers.flows import attestation, cip, ending_accounts, file, onboarding, termination
from resellers.flows.authority import NoAuthority
from resellers.models import Attestation
from tests.builders import approve_reseller_cip, make_applicant, make_entry, make_reseller
from tests.conftest import NOON
from tests.resellers import ending
from tests.resellers.signing import change_roster, make_signer

pytestmark = pytest.mark.django_db
YEAR_ON = NOON.replace(year=2027)  # the first approved CIP is of 2 March 2026


@pytest.fixture
def signer(db):
    return make_signer()


def night(at=YEAR_ON) -> dict:
    return tasks.open_attestations(at=at.isoformat())


def sign(signer, row: Attestation, *, at=YEAR_ON, **changes) -> Attestation:
    given = {"statement_number": "1", "binding": signer.binding, "by": signer.actor, "at": at}
    return attestation.sign_attestation(row, **{**given, **changes})


class TestOpening:
    def test_r63_a_year_after_the_first_approved_cip_and_every_year(self, signer):
        assert night(YEAR_ON - timedelta(days=1))["done"] == 0

        opened = [night(YEAR_ON.replace(year=year))["done"] for year in (2027, 2027, 2028)]

        assert opened == [1, 0, 1]
        rows = signer.reseller.attestations.order_by("number").values_list(
            "number", "from_on", "to_on", "opened_on", "due_on"
        )
        assert list(rows) == [
            (1, date(2026, 3, 2), date(2027, 3, 1), date(2027, 3, 2), date(2027, 4, 1)),
            (2, date(2027, 3, 2), date(2028, 3, 1), date(2028, 3, 2), date(2028, 4, 1)),
        ]

    def test_a_later_version_of_the_cip_starts_no_new_year(self, signer):
        later = NOON + timedelta(days=100)
        approve_reseller_cip(
            cip.submit_cip(signer.reseller, title="Second", text="Look twice.", by=SCHEDULER, at=later), at=later
        )

        assert night()["done"] == 1

    def test_years_that_went_by_are_attested_together(self, signer):
        night(YEAR_ON.replace(year=2029))

        row = signer.reseller.attestations.get()
        assert (row.from_on, row.to_on, night(YEAR_ON.replace(year=2029))["done"]) == (
            date(2026, 3, 2), date(2029, 3, 1), 0,
        )  # fmt: skip

    def test_none_without_an_approved_cip_or_a_contract(self):
        make_applicant()
        ended = make_reseller()
        file.end_contract(ended.contracts.get(), to_on=NOON.date(), by=SCHEDULER, at=NOON)

        assert night() == {"done": 0, "failed": 0}

    def test_its_clock_is_our_own_policy_and_told_in_the_trail(self, signer):
        night()

        row = signer.reseller.attestations.get()
        clock = clocks_of(row).get()
        assert (clock.due_on, clock.standing, str(row.citation)) == (row.due_on, "own_policy", "own policy")
        assert AuditEvent.objects.get(verb="resellers.attestation.opened").facts["due_on"] == "2027-04-01"


class TestSigning:
    @pytest.fixture
    def row(self, signer):
        for number, changes in {
            "C-1": {}, "C-2": {"country": "FR"}, "C-3": {"country": "FR", "method": ""}, "C-4": {"verified_on": None},
        }.items():  # fmt: skip
            make_entry(signer.reseller, number, **changes)
        make_entry(make_reseller(), "C-9")
        signer.certify(everybody=True)
        night()
        return signer.reseller.attestations.get()

    def test_r63_it_keeps_who_signed_what_and_the_figures_as_they_were(self, signer, row):
        signed = sign(signer, row, at=NOON + timedelta(days=365))

        assert (signed.signed_by, signed.signed_under, signed.statement.kind) == ("remy", signer.binding, "attestation")
        assert signed.counts == {
            "total": 4, "verified": 2, "certified": 2,
            "countries": {
                "DE": {"total": 2, "verified": 1, "certified": 1}, "FR": {"total": 2, "verified": 1, "certified": 1},
            },
        }  # fmt: skip
        assert signed.gaps == {"not_verified": 2, "not_certified": 2}
        assert not clocks_of(row).exists() and Deadline.objects.filter(key=str(row.pk)).count() == 1

    def test_the_figures_can_be_counted_again_whatever_happened_since(self, signer, row):
        signed = sign(signer, row, at=NOON + timedelta(days=100))
        entries = {entry.number: entry for entry in signer.reseller.entries.all()}
        later = NOON + timedelta(days=150)
        change_roster(entries["C-4"], entries["C-1"], at=later)
        change_roster(entries["C-3"], why="gone", at=later)
        signer.withdraw(signer.reseller.certifications.get(), at=later)

        signed.refresh_from_db()
        assert attestation.counted(signer.reseller, signed.signed_at) == (signed.counts, signed.gaps)
        assert attestation.counted(signer.reseller, later) != (signed.counts, signed.gaps)

    def test_it_is_counted_in_one_query(self, signer, row, django_assert_num_queries):
        with django_assert_num_queries(1):
            attestation.counted(signer.reseller, NOON)

    def test_g1_signed_twice_it_is_signed_once(self, signer, row):
        first = sign(signer, row)

        with pytest.raises(attestation.AlreadySigned, match="was signed by remy on 2027-03-02"):
            sign(signer, row, at=YEAR_ON + timedelta(days=1))

        row.refresh_from_db()
        assert row.signed_at == first.signed_at

    def test_r22_under_the_words_that_were_shown(self, signer, row, compliance):
        approve_statement(kind="attestation", text="Other.", effective_from=NOON.date(), by=compliance, at=NOON)

        with pytest.raises(WordingChanged):
            sign(signer, row)
        assert sign(signer, row, statement_number="2").statement.text == "Other."

    def test_without_authority_nothing_is_signed(self, signer, row):
        other = make_signer("rob")
        for changes in ({"binding": other.binding}, {"by": other.actor}, {"binding": None}):
            with pytest.raises(NoAuthority, match="no longer bound"):
                sign(signer, row, **changes)
        onboarding.end_binding(signer.binding, by=SCHEDULER, at=YEAR_ON)
        with pytest.raises(NoAuthority):
            sign(signer, row)

        row.refresh_from_db()
        assert row.signed_at is None and clocks_of(row).exists()


class TestEnded:
    def test_r59_once_the_relationship_ended_nothing_is_opened_signed_or_certified(self, signer):
        entry = make_entry(signer.reseller)
        night()
        row = signer.reseller.attestations.get()
        ending.decided(signer.reseller)

        for act in (lambda: sign(signer, row), lambda: signer.certify(entry)):
            with pytest.raises(file.Ended, match="Nothing is taken for it any more"):
                act()

        assert night(YEAR_ON.replace(year=2028))["done"] == 0 and not signer.reseller.certifications.exists()


class TestStanding:
    def test_past_its_day_it_keeps_the_reseller_from_selling_until_it_is_signed(self, signer):
        night()
        row = signer.reseller.attestations.get()
        assert file.standing_of(signer.reseller, on=row.due_on).may_sell

        late = row.due_on + timedelta(days=1)
        found = file.standing_of(signer.reseller, on=late)
        sign(signer, row, at=YEAR_ON + timedelta(days=60))

        assert found.reasons == (
            f"{row.reference} was not signed by 2027-04-01, its last day (own policy). Have its manager sign it.",
        )
        assert file.standing_of(signer.reseller, on=late).may_sell


def test_what_was_not_signed_when_the_relationship_ended_is_asked_no_more():
    """Neither its clock nor the desk's list goes on, and no reason of standing speaks of it."""
    signer = make_signer()
    attestation.open_due(on=YEAR_ON.date(), by=SCHEDULER, at=YEAR_ON)
    words = {"reason": "own_wish", "words": "They stop.", "outcome": "close"}
    row = termination.propose(signer.reseller, **words, by=Actor("person", "1", "one"), at=YEAR_ON)
    termination.agree(row, shown=termination.digest_of(row), by=Actor("person", "2", "two"), at=YEAR_ON)
    ending_accounts.carry_out(row.reference, by=SCHEDULER, at=YEAR_ON)

    late = YEAR_ON.date() + timedelta(days=100)
    assert Attestation.objects.get().signed_at is None
    assert not Attestation.objects.overdue(late).exists() and not Deadline.objects.overdue(late).exists()
