"""Customers from a file: every fault with its line, all or nothing, a second time harmless."""

import io

import pytest
from django.db import connection

from accounts.flows import customer_files, intake
from accounts.flows.customer_files import RowsRefused
from accounts.formats.tables import TableRefused
from accounts.models import Account, CustomerFile, Party, PaymentMethod
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.records.models import AuditEvent, AuditPending, SubjectKey
from tests.builders import new_person
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

HEAD = "kind,legal_name,external_key,email,birth_date,citizenship,national_id,aliases,use_countries\n"
GOOD = "individual,Maria Muster,K{n},m{n}@customer.example,1985-05-17,DE,X{n},Mary|Ria,DE|FR\n"


def take(text, by, **given):
    data = text if isinstance(text, bytes) else text.encode()
    return customer_files.take_in_file(io.BytesIO(data), **{"most_rows": 1000, "by": by, "at": NOON, **given})


def refused(text, by) -> list[tuple[int, str]]:
    with pytest.raises(RowsRefused) as refusal:
        take(text, by)
    assert not Party.objects.exists() and not CustomerFile.objects.exists()
    return [(row.line, row.reason) for row in refusal.value.outcome.bad_rows]


class TestTakeIn:
    def test_it_opens_a_prospect_for_each_row(self, analyst):
        outcome = take(HEAD + GOOD.format(n=1) + GOOD.format(n=2), analyst)

        account = Account.objects.get(external_key="K1")
        assert (outcome.read, outcome.new, outcome.known, outcome.refused) == (2, 2, 0, 0)
        assert account.party.national_id.reveal() == "X1"
        assert sorted(account.party.names.values_list("name", flat=True)) == ["Mary", "Ria"]
        assert sorted(str(row.country) for row in account.party.addresses.all()) == ["DE", "FR"]
        event = AuditEvent.objects.get(verb="accounts.prospect_opened", about_key=str(account.pk))
        assert event.facts == {"source": "customer file", "row": 2}
        assert AuditEvent.objects.get(verb="accounts.customers_imported").facts["new"] == 2

    def test_r14_r32_payment_and_document_come_with_the_customer(self, analyst):
        head = (
            "kind,legal_name,payment_kind,payment_identifier,payment_institution,payment_holder,payment_transactions,"
            "document_kind,document_number,document_country,document_expires_on\n"
        )
        paid = "bank,DE89 3704 0044 0532 0130 00,Bank,Eva Payer,T-1|T-2|T-1"
        row = f"individual,Maria Muster,{paid},passport,X1,DE,2031-05-17\n"

        take(head + row + "individual,Otto Plain,,,,,,,,,\n", analyst)

        party = Party.objects.get(legal_name="Maria Muster")
        payment, document = party.payment_methods.get(), party.documents.get()
        assert (payment.kind, payment.identifier.reveal()) == ("bank", "DE89370400440532013000")
        assert (payment.holder.reveal(), payment.transactions.reveal()) == ("Eva Payer", "T-1\nT-2")
        assert (document.kind, document.number.reveal(), str(document.country)) == ("passport", "X1", "DE")
        assert (str(document.expires_on), document.added_by) == ("2031-05-17", analyst.label)
        assert set(party.identifiers.values_list("kind", flat=True)) >= {"iban", "document"}
        assert not PaymentMethod.objects.exclude(party=party).exists()

    @pytest.mark.parametrize(
        ("columns", "row", "says"),
        [
            ("payment_kind,payment_identifier", "bank,DE89370400440532013001", "IBAN"),
            ("payment_kind,payment_identifier", "card,4111111111111111", "whole card number"),
            ("payment_kind,payment_identifier", ",DE89370400440532013000", "Kind of payment"),
            ("payment_kind,payment_transactions", "card,T1|4111111111111111", "whole card number"),
            ("payment_kind,payment_country", "bank,Germany", "Country"),
            ("document_kind,document_number", "shoe,1", "shoe"),
            ("document_kind,document_expires_on", "passport,17.05.2031", "YYYY-MM-DD"),
            ("document_kind,document_issued_on", "passport,2099-01-01", "future"),
        ],
    )
    def test_what_is_wrong_with_them_refuses_the_file(self, columns, row, says, analyst):
        ((line, reason),) = refused(f"kind,legal_name,{columns}\nindividual,Maria Muster,{row}\n", analyst)

        assert line == 2 and says in reason and "4111" not in reason

    @pytest.mark.parametrize(
        "text",
        [
            ("\ufeff" + HEAD + GOOD.format(n=1)).encode(),
            (HEAD + GOOD.format(n=1)).encode("utf-16"),
            (HEAD + GOOD.format(n=1)).replace("\n", "\r").encode(),
            (HEAD + GOOD.format(n=1)).replace("\n", "\r\n").encode(),
            b"legal_name,kind,birth_date\nMaria,Individual,1985-05-17\n",
        ],
        ids=["A1 mark", "A2 UTF-16", "A11 lone CR", "CRLF", "A12 reordered, only the required"],
    )
    def test_it_reads_the_usual_spellings(self, text, analyst):
        assert take(text, analyst).new == 1

    def test_another_encoding_must_be_named(self, analyst):
        text = (HEAD + GOOD.format(n=1).replace("Muster", "Müller")).encode("cp1252")
        with pytest.raises(TableRefused, match="--encoding"):
            take(text, analyst)

        take(text, analyst, encoding="cp1252")

        assert Party.objects.get().legal_name == "Maria Müller"

    def test_a18_formulas_are_stored_as_typed(self, analyst):
        take(HEAD + GOOD.format(n=1).replace("Maria Muster", "=cmd|' /C calc'!A0"), analyst)

        assert Party.objects.get().legal_name == "=cmd|' /C calc'!A0"

    BAD = {
        "A4 NUL": (GOOD.format(n=1).replace("Maria", "Ma\x00ria"), "Column legal_name holds a NUL"),
        "A5 huge field": (GOOD.format(n=1).replace("Maria", "x" * 200_000), "longer"),
        "A8 short": ("individual,Maria\n", "too few columns"),
        "A9 long": (GOOD.format(n=1).strip() + ",extra\n", "too many columns"),
        "A21 exponent": (GOOD.format(n=1).replace("X1", "1E+15"), "rewritten by a spreadsheet"),
        "C5 blank name": (GOOD.format(n=1).replace("Maria Muster", "\u200b"), "Legal name is empty"),
        "C8 marks": (GOOD.format(n=1).replace("Maria", "e" + "\u0301" * 9), "combining marks"),
        "B19 override": (GOOD.format(n=1).replace("Maria", "a\u202eb"), "direction control"),
        "D2 no such day": (GOOD.format(n=1).replace("1985-05-17", "2023-02-29"), "Column birth_date holds 2023-02-29"),
        "D6 not ISO": (GOOD.format(n=1).replace("1985-05-17", "02/03/2024"), "Write it as YYYY-MM-DD"),
        "D3 before 1900": (GOOD.format(n=1).replace("1985", "1899"), "lies before 1900"),
        "E7 e-mail": (GOOD.format(n=1).replace("m1@customer.example", "a@b"), "no e-mail address"),
        "kind": (GOOD.format(n=1).replace("individual", "robot"), "Kind robot is not known"),
        "country": (GOOD.format(n=1).replace(",DE,X1", ",ZZ,X1"), "Citizenship ZZ"),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_a_bad_row_refuses_the_file_with_its_line(self, case, analyst):
        row, expected = self.BAD[case]

        ((line, reason),) = refused(HEAD + GOOD.format(n=8) + row + GOOD.format(n=9), analyst)

        assert line == 3 and expected in reason and len(reason) < 300

    def test_a14_both_lines_of_a_doubled_key_are_named(self, analyst):
        rows = refused(HEAD + GOOD.format(n=1) + GOOD.format(n=2) + GOOD.format(n=1), analyst)

        assert [line for line, _ in rows] == [2, 4]
        assert "line 4 as well" in rows[0][1] and "line 2 as well" in rows[1][1]

    def test_without_a_key_name_birth_and_country_tell_customers_apart(self, analyst):
        head = "kind,legal_name,birth_date,citizenship\n"
        same = "individual,Zoe\u0301 A,1985-05-17,DE\nindividual,zo\u00e9  a,1985-05-17,de\n"
        assert [line for line, _ in refused(head + same, analyst)] == [2, 3]

        take(head + "individual,Zoe A,1985-05-17,DE\nindividual,Zoe A,1985-05-18,DE\n", analyst)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "empty"),
            ("kind,legal_name,kind\n", "more than once"),
            ("kind,name\n", "lacks legal_name"),
            (HEAD + GOOD.format(n=1).replace("Maria", '"Maria'), "quotation mark"),
            (HEAD + "".join(GOOD.format(n=n) for n in range(4)), "more than 3 rows"),
        ],
        ids=["empty", "A7 doubled", "A12 missing", "open quote", "A17 too many"],
    )
    def test_a_fault_of_the_whole_file_is_refused_before_any_work(self, text, expected, analyst):
        with pytest.raises(TableRefused, match=expected):
            take(text, analyst, most_rows=3)

        assert not Party.objects.exists()


class TestGoodRowsOnly:
    def test_a20_the_good_rows_are_kept_and_the_others_counted(self, analyst):
        text = HEAD + GOOD.format(n=1) + "robot,X,,,,,,,\n" + GOOD.format(n=2) + GOOD.format(n=2)

        outcome = take(text, analyst, keep_good_rows=True)

        assert (outcome.read, outcome.new, outcome.refused) == (4, 1, 3)
        assert [row.line for row in outcome.bad_rows] == [3, 4, 5]
        assert list(Account.objects.values_list("external_key", flat=True)) == ["K1"]

    def test_only_looking_stores_nothing(self, analyst):
        outcome = take(HEAD + GOOD.format(n=1) + "robot,X,,,,,,,\n", analyst, dry_run=True)

        assert (outcome.new, outcome.refused) == (1, 1)
        assert not Party.objects.exists() and not CustomerFile.objects.exists()


class TestSecondTime:
    def test_the_same_file_changes_nothing(self, analyst):
        text = HEAD + GOOD.format(n=1).replace("K1", "")
        first = take(text, analyst)

        second = take(text, analyst)

        assert second.was_known and second.file == first.file
        assert (Party.objects.count(), CustomerFile.objects.count()) == (1, 1)

    def test_known_customers_are_counted_and_stay_as_they_are(self, analyst):
        take(HEAD + GOOD.format(n=1), analyst)

        outcome = take(HEAD + GOOD.format(n=1).replace("Maria", "Other") + GOOD.format(n=2), analyst)

        assert (outcome.new, outcome.known) == (1, 1)
        assert Account.objects.get(external_key="K1").party.legal_name == "Maria Muster"

    def test_a_failure_midway_leaves_nothing(self, analyst, monkeypatch):
        def fail(outcome, **given):
            raise OSError("the disk is full")

        monkeypatch.setattr(customer_files, "_record", fail)
        with pytest.raises(OSError, match="full"):
            take(HEAD + GOOD.format(n=1), analyst)

        assert not Party.objects.exists() and not AuditEvent.objects.filter(verb__startswith="accounts.").exists()

    def test_a_customer_number_taken_in_the_meantime_costs_only_its_own_row(self, analyst, monkeypatch):
        write_all = intake.write_prospects

        def somebody_is_faster(prospects):
            monkeypatch.setattr(intake, "write_prospects", write_all)
            intake.open_prospect(new_person(), source="form", external_key="K2", by=analyst, at=NOON)
            write_all(prospects)

        monkeypatch.setattr(intake, "write_prospects", somebody_is_faster)

        outcome = take(HEAD + "".join(GOOD.format(n=n) for n in range(4)), analyst)

        assert (outcome.new, outcome.known) == (3, 1)
        assert Account.objects.get(external_key="K2").source == "form"
        assert AuditEvent.objects.filter(verb="accounts.prospect_opened", facts__source="customer file").count() == 3


class TestManyRows:
    def test_each_row_has_what_an_account_opened_by_hand_has(self, analyst, monkeypatch):
        monkeypatch.setattr(customer_files, "BATCH", 4)

        take(HEAD + "".join(GOOD.format(n=n) for n in range(10)), analyst)

        verbs = ("accounts.prospect_opened", "notices.queued")
        events = AuditEvent.objects.filter(verb__in=verbs).order_by("id")
        assert [event.verb for event in events] == [*verbs] * 10
        assert [event.facts["row"] for event in events[::2]] == list(range(2, 12))
        assert AuditPending.objects.filter(event_id__in=events.values("pk")).count() == 20
        assert SubjectKey.objects.count() == Notice.objects.queued().count() == 10
        for account in Account.objects.select_related("party"):
            number = account.external_key.removeprefix("K")
            notice = Notice.objects.get(key=str(account.pk))
            assert notice.address.reveal() == f"m{number}@customer.example"
            assert account.reference in wording_of(notice)[1]
            assert account.party.national_id.reveal() == f"X{number}"
            assert account.party.identifiers.count() == 3

    def test_its_statements_grow_with_the_batches_and_not_with_the_rows(self, analyst):
        def statements(count, first):
            seen = []

            def note(execute, sql, params, many, context):
                seen.append(sql)
                return execute(sql, params, many, context)

            with connection.execute_wrapper(note):
                take(HEAD + "".join(GOOD.format(n=first + n) for n in range(count)), analyst)
            return len(seen)

        assert statements(30, first=100) == statements(3, first=200) <= 40
