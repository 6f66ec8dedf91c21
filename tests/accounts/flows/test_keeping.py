"""The purge of a customer's file: when, what goes, what stays, and what keeps it."""

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models

from accounts.flows import (
    access_log,
    closing,
    document_files,
    identification,
    keeping,
    restrictions,
    reverification,
    verification,
)
from accounts.models import (
    AccessBatch,
    AccessRecord,
    Account,
    Identifier,
    Party,
    RefusedLine,
    Restriction,
    RiskSignal,
)
from kyc_portal.notices.models import Notice
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit, destroying, holds, retention
from kyc_portal.records.models import Destruction, SubjectKey, Tombstone
from kyc_portal.records.refs import SCHEDULER, RecordRef
from kyc_portal.work import queue
from tests.accounts import logs
from tests.accounts.verifier import deliver, make_check, read
from tests.builders import make_account, make_company, make_hit, make_open_account, make_party, make_verified
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

CLOSED = datetime(2024, 2, 29, 12, tzinfo=UTC)
LAST_DAY, FIRST_DAY_AFTER = date(2026, 2, 28), date(2026, 3, 1)
PNG = bytes.fromhex(  # one grey pixel
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000"
    "000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)
TRAIL = {"auditevent", "auditpending", "identityview", "heldrecord", "legalhold", "tombstone", "rowchange", "job"}


def end(account, *, at=CLOSED) -> Account:
    Account.objects.filter(pk=account.pk).update(status="closed", closed_at=at)
    account.refresh_from_db()
    return account


def purge(as_of=FIRST_DAY_AFTER, *, execute=True):
    return retention.purge_due(as_of=as_of, today=NOON.date(), execute=execute, by=SCHEDULER, at=NOON)


def gone(report) -> set[str]:
    return {stone.name for stone in report.gone}


def why(report, account) -> str:
    return next(sentence for ref, sentence in report.kept if ref.name == account.reference)


def full_file() -> Account:
    """An account with a row of every kind that an account's file can hold."""
    account = make_company()
    owner = make_party(legal_name="Owner Of It")
    identification.add_owner(account.party, owner=owner, percent=Decimal(60), by=SCHEDULER, at=NOON)
    identification.certify_owners(
        account, signed_on=NOON.date(), signed_by="Eva Signer", text_version="1", by=SCHEDULER, at=NOON
    )
    image = io.BytesIO(PNG)
    document = identification.add_document(
        owner, kind="passport", number="X77", expires_on=date(2034, 1, 1), file=image, file_name="p.png",
        by=SCHEDULER, at=NOON,
    )  # fmt: skip
    identification.add_payment_method(
        account.party, kind="bank", identifier="123456789", institution="Bank", source="sales", by=SCHEDULER, at=NOON
    )
    make_hit(owner, status="dismissed")
    assert document.file_sha256
    done = make_verified(account, owner)
    later = NOON + timedelta(hours=1)
    again = verification.start(account, owner, trigger="doubt", by=SCHEDULER, at=later)
    verification.find_discrepancy(again, field="address", stated="A", found="B", by=SCHEDULER, at=later)
    read(deliver(make_check(again, at=later)))
    account.refresh_from_db()
    RiskSignal.objects.create(account=account, code="expired_document", weight=1, sentence="–", known_at=NOON)
    Restriction.objects.create(
        account=account, level="limited", reason="x", public_wording="–", basis=done.reference, applied_at=NOON,
        applied_by="lea",
    )  # fmt: skip
    batch = AccessBatch.objects.create(
        account=account, format="lines", file_name="a.log", sha256="0" * 64, read_count=2, new_count=1, known_count=0,
        refused_count=1, imported_at=NOON, imported_by="ana",
    )  # fmt: skip
    RefusedLine.objects.create(batch=batch, line=2, reason="unreadable")
    AccessRecord.objects.create(
        account=account, batch=batch, at=NOON, kind="access", action="login", source_system="s", event_id="1"
    )
    return end(account)


class TestPeriods:
    def test_t18_closed_on_29_february_it_goes_on_1_march_two_years_later(self):
        account = end(make_open_account())

        kept = purge(LAST_DAY)
        assert (kept.gone, "Kept through 2026-02-28" in why(kept, account)) == ([], True)

        assert gone(purge(FIRST_DAY_AFTER)) == {account.reference}

    def test_the_sentence_names_the_text_and_that_it_is_proposed(self):
        account = end(make_open_account())

        (period,) = keeping.periods_of(account)

        assert "2 years after it was closed on 2024-02-29" in period.sentence
        assert "15 CFR 7.302 (89 FR 5698) (proposed)" in period.sentence

    def test_t19_an_open_account_never_goes_however_long_unused(self):
        account = make_open_account()
        Account.objects.filter(pk=account.pk).update(last_access_at=NOON - timedelta(days=3 * 365))

        report = purge(NOON.date())

        assert (report.gone, report.kept, report.due) == ([], [], [])

    def test_r48_a_last_access_after_the_closing_counts(self):
        account = end(make_open_account())
        Account.objects.filter(pk=account.pk).update(last_access_at=CLOSED + timedelta(days=1))

        report = purge(FIRST_DAY_AFTER)

        assert "the last access on 2024-03-01" in why(report, account)
        assert gone(purge(date(2026, 3, 2))) == {account.reference}

    def test_our_own_longer_period_wins(self, settings):
        settings.RETENTION_YEARS = 5
        account = end(make_open_account())

        assert "5 years after it was closed on 2024-02-29 (own policy)" in why(purge(), account)

    def test_a_shorter_one_of_our_own_does_not(self, settings):
        settings.RETENTION_YEARS = 1
        account = end(make_open_account())

        assert why(purge(LAST_DAY), account).startswith("Kept through 2026-02-28")

    def test_r50_a_confirmed_hit_keeps_it_ten_years(self):
        account = make_open_account()
        make_hit(account.party, status="confirmed", at=CLOSED)
        end(account)

        told = why(purge(), account)

        assert told.startswith("Kept through 2034-02-28")
        assert "10 years after a confirmed list hit" in told
        assert "31 CFR 501.601" in told

    def test_a_confirmed_hit_on_an_owner_counts_as_well(self):
        account, owner = make_company(), make_party()
        identification.add_owner(account.party, owner=owner, percent=Decimal(30), by=SCHEDULER, at=NOON)
        make_hit(owner, status="confirmed", at=CLOSED)
        end(account)

        assert "Kept through 2034-02-28" in why(purge(), account)

    def test_a_block_that_stands_has_no_end_and_one_lifted_counts_from_then(self, lead):
        account = make_open_account()
        block = restrictions.block(account, reason="listed", public_wording="–", basis="D", by=lead, at=CLOSED)
        end(account)
        assert "A block stands" in why(purge(), account)

        restrictions.lift(block, why="delisted", by=lead, at=CLOSED)

        assert "10 years after the last block was lifted" in why(purge(), account)

    def test_r49_a_bank_keeps_methods_by_a_clock_of_their_own(self, settings):
        account = make_open_account()  # verified at NOON
        settings.REGIME = "BANK_CIP"
        end(account, at=NOON - timedelta(days=400))
        by_basis = {period.basis: period for period in keeping.periods_of(account)}

        assert by_basis["retention_years"].kept_through == date(2030, 1, 26)
        assert by_basis["method_retention_years"].kept_through == date(2031, 3, 2)
        assert "5 years after the last record of a verification on 2026-03-02" in why(purge(), account)

    @pytest.mark.parametrize(("beyond", "last_day"), [(0, date(2026, 3, 1)), (-1, date(2026, 2, 28))])
    def test_d9_a_microsecond_decides_the_day_of_the_last_access(self, beyond, last_day):
        account = end(make_open_account())
        access = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(microseconds=beyond)
        Account.objects.filter(pk=account.pk).update(last_access_at=access)
        account.refresh_from_db()

        assert retention.longest(keeping.periods_of(account)).kept_through == last_day

    def test_taking_it_up_again_takes_the_clock_away_and_closing_again_begins_anew(self):
        account = end(make_open_account())
        assert keeping.ended_before(FIRST_DAY_AFTER).exists()

        closing.reopen_account(account, reason="a mistake", by=SCHEDULER, at=NOON)
        account.refresh_from_db()
        assert (account.closed_at, list(keeping.ended_before(date(2099, 1, 1)))) == (None, [])

        closing.close_account(account, reason="own_request", by=SCHEDULER, at=NOON)
        account.refresh_from_db()
        assert retention.longest(keeping.periods_of(account)).kept_through == date(2028, 3, 2)

    def test_an_access_that_is_taken_in_later_moves_the_clock(self):
        account = end(make_open_account())
        line = logs.event(1, at="2025-05-05T08:00:00Z")

        access_log.import_access_lines(
            account, logs.jsonl(line), format="jsonl", file_name="a.jsonl", by=SCHEDULER, at=NOON
        )

        account.refresh_from_db()
        assert retention.longest(keeping.periods_of(account)).kept_through == date(2027, 5, 5)

    def test_nothing_is_added_to_a_file_whose_destruction_has_begun(self):
        account = end(make_open_account())
        ref = RecordRef.of(account)
        file = Destruction(
            label=ref.label, key=ref.key, name=ref.name, rule="customer_file", basis="x", kept_through=LAST_DAY,
            holds_looked_at=1, begun_at=NOON, begun_by="x",
        )  # fmt: skip
        destroying.mark(file, keeping.guarded_rows(account))
        line = logs.jsonl(logs.event(1, at="2026-02-02T08:00:00Z"))

        with pytest.raises(holds.AlreadyDestroyed, match="has begun"):
            closing.reopen_account(account, reason="a mistake", by=SCHEDULER, at=NOON)
        with pytest.raises(holds.AlreadyDestroyed, match="has begun"):
            access_log.import_access_lines(account, line, format="jsonl", file_name="a", by=SCHEDULER, at=NOON)

    def test_an_app_above_adds_its_reasons(self, monkeypatch):
        account = end(make_open_account())
        monkeypatch.setattr(keeping, "_FURTHER_PERIODS", [])
        keeping.add_periods(lambda one: [retention.Period("x", date(2030, 1, 1), "A decision rests on it.")])

        assert why(purge(), account) == "Kept through 2030-01-01: A decision rests on it."


class TestContents:
    def test_everything_of_the_file_goes_and_no_row_mentions_the_people(self):
        account = full_file()
        people = {account.party_id, Party.objects.get(legal_name="Owner Of It").pk}
        events = audit.history_of(account).count()

        report = purge()

        assert gone(report) == {account.reference}
        assert not Account.objects.exists()
        assert not SubjectKey.objects.filter(subject__in=people).exists()
        assert not Deadline.objects.filter(name=account.reference).exists()
        assert mentions(people | {account.pk}) == []
        assert audit.history_of(account).count() == events + 1
        counts = Tombstone.objects.get().counts
        assert counts["accounts.party"] == 2
        assert counts["accounts.discrepancy"] == 1
        assert counts["accounts.accessrecord"] == 1

    def test_the_files_are_deleted_once_the_rows_are_gone(self):
        full_file()
        owner = Party.objects.get(legal_name="Owner Of It")
        document = owner.documents.get()
        path = document_files.path_of(owner.pk, document.file_sha256)
        assert path.exists()

        purge()
        document_files.delete_file(str(owner.pk), by=SCHEDULER, at=NOON)

        assert queue.Job.objects.filter(kind="accounts.delete_file", key=str(owner.pk)).exists()
        assert not path.exists()

    def test_a_dry_run_changes_nothing(self):
        account = full_file()
        before = row_counts()

        report = purge(execute=False)

        assert [ref.name for ref, _ in report.due] == [account.reference]
        assert row_counts() == before

    def test_a_party_with_an_open_account_stays(self):
        account = end(make_open_account())
        other = Account.objects.create(party=account.party, source="test", created_at=NOON, status="active")

        report = purge()

        assert gone(report) == {account.reference}
        assert Account.objects.get() == other
        assert other.party.documents.exists()
        assert SubjectKey.objects.filter(subject=other.party_id).exists()
        assert not Notice.objects.filter(key=str(account.pk)).exists()

    def test_an_owner_shared_with_another_company_stays(self):
        going, staying = make_company(), make_company()
        shared, alone = make_party(), make_party()
        for account, owner in ((going, shared), (going, alone), (staying, shared)):
            identification.add_owner(account.party, owner=owner, percent=Decimal(30), by=SCHEDULER, at=NOON)
        end(going)

        purge()

        assert set(Party.objects.all()) == {staying.party, shared}
        assert not Identifier.objects.filter(party=going.party_id).exists()

    def test_whoever_stands_above_a_shared_owner_stays_too(self):
        going, staying = make_company(), make_company()
        holding, person = make_company(), make_party()
        for owned, owner in ((going.party, holding.party), (staying.party, holding.party), (holding.party, person)):
            identification.add_owner(owned, owner=owner, percent=Decimal(50), by=SCHEDULER, at=NOON)
        Account.objects.filter(pk=holding.pk)._raw_delete("default")
        end(going)

        assert keeping.parties_to_erase(going) == [going.party_id]

    def test_owners_in_a_circle_go_together(self):
        account, one, two = make_company(), make_company(), make_company()
        chain = ((account.party, one.party), (one.party, two.party), (two.party, one.party))
        for owned, owner in chain:
            identification.add_owner(owned, owner=owner, percent=Decimal(10), by=SCHEDULER, at=NOON)
        Account.objects.filter(pk__in=[one.pk, two.pk])._raw_delete("default")
        end(account)

        assert set(keeping.parties_to_erase(account)) == {account.party_id, one.party_id, two.party_id}

    def test_a_purge_that_was_done_is_not_done_again(self):
        end(make_open_account())
        purge()

        assert purge().gone == []


class TestHolds:
    @pytest.mark.parametrize("held", ["account", "party"])
    def test_a_hold_keeps_the_whole_file(self, held, counsel):
        account = end(make_open_account())
        row = account if held == "account" else account.party
        hold = holds.place_hold([row], reason="preservation", ground="LEG-1", by=counsel, at=NOON)

        report = purge()
        assert (report.gone, hold.reference in why(report, account)) == ([], True)

        holds.release_hold(hold, reason="over", by=counsel, at=NOON)
        assert gone(purge()) == {account.reference}

    def test_a_hold_on_an_owner_who_would_go_keeps_it(self, counsel):
        account, owner = make_company(), make_party()
        identification.add_owner(account.party, owner=owner, percent=Decimal(30), by=SCHEDULER, at=NOON)
        end(account)
        hold = holds.place_hold([owner], reason="preservation", ground="LEG-1", by=counsel, at=NOON)

        assert hold.reference in why(purge(), account)

    def test_clocks_go_with_the_account(self, lead):
        account = make_open_account()
        reverification.ask(account, trigger="by hand", by=lead, at=NOON)
        end(account)

        purge()

        assert not Deadline.objects.exists()

    def test_a_refused_prospect_goes_as_well(self):
        account = make_account()
        Account.objects.filter(pk=account.pk).update(status="refused", closed_at=CLOSED)

        assert gone(purge()) == {account.reference}


def row_counts() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def mentions(keys: set[UUID]) -> list[str]:
    """Every row of every table, but the trail and the work list, that holds one of these keys in any column."""
    wanted = {form for key in keys for form in (str(key), key.hex)}
    found = []
    for model in apps.get_models():
        if model._meta.model_name in TRAIL:
            continue
        columns = [field.attname for field in model._meta.concrete_fields if not isinstance(field, models.BinaryField)]
        plain = [name for name in columns if model._meta.get_field(name).get_internal_type() != "BinaryField"]
        for row in model._base_manager.values_list(*plain):
            if any(key in str(value) for value in row for key in wanted):
                found.append(model._meta.label)
    return found
