"""A roster from the file to the rows in force: at once, once only, and never half (R24, R64; trust.md A14, A20, G1)."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import document_files
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.changes import reconcile
from kyc_portal.records.models import AuditEvent, RowChange
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job
from resellers.events import roster_changed
from resellers.flows import onboarding, roster_files, roster_reading, roster_taking
from resellers.models import RosterEntry, RosterFault, RosterUpload
from resellers.rules.roster import UploadState
from tests.builders import make_downstream, make_entry, make_reseller
from tests.conftest import NOON
from tests.resellers.rosters import REMY, agree, as_csv, as_xlsx, read, row, run, send, take_in

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1)
STATED = (
    "number", "parent_number", "depth", "kind", "name", "country", "product", "customer_since", "verified_on", "method",
    "account_id", "name_key", "email_key", "registration_key", "digest",
)  # fmt: skip


def in_force(reseller) -> dict[str, RosterEntry]:
    return {entry.number: entry for entry in RosterEntry.objects.in_force().filter(reseller=reseller)}


def stated(reseller) -> list[tuple]:
    """What is in force, without references and moments."""
    rows = RosterEntry.objects.in_force().filter(reseller=reseller).select_related("reseller__account")
    return sorted(
        (
            *(str(getattr(entry, name)) for name in STATED),
            *(
                value.reveal() if (value := getattr(entry, name)) else ""
                for name in ("email", "birth_date", "registration_number")
            ),
        )
        for entry in rows
    )


class TestRead:
    def test_it_is_read_in_full_and_nothing_is_in_force(self):
        reseller = make_reseller()

        upload = read(reseller, row("1"), row("2", country="XX"), row("3"))

        assert (upload.state, upload.read_count, upload.bad_count, upload.new_count) == ("read", 3, 1, 2)
        fault = upload.faults.get()
        assert (fault.line, fault.reason) == (
            3, "Column country is no country code. Use the two letters of ISO 3166, such as DE.",
        )  # fmt: skip
        assert not RosterEntry.objects.exists()

    def test_it_tells_what_is_new_changed_the_same_and_gone(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2"), row("3"))

        upload = read(reseller, row("1"), row("2", name="Other"), row("4"), at=LATER)

        assert (upload.new_count, upload.changed_count, upload.same_count, upload.gone_count) == (1, 1, 1, 1)

    def test_a_number_that_stands_twice_is_refused_in_both_lines(self):
        upload = read(make_reseller(), row("1"), row("2"), row("1"), row("1"))

        assert [(fault.line, fault.reason[:48]) for fault in upload.faults.order_by("line")] == [
            (2, "The customer number stands in line 4 as well. Ke"),
            (4, "The customer number stands in line 2 as well. Ke"),
            (5, "The customer number stands in line 2 as well. Ke"),
        ]

    def test_no_reason_repeats_what_stood_in_the_cell(self):
        bad = {name: f"Canary{name}" for name in ("kind", "country", "customer_since", "email", "method", "account")}
        rows = [row(f"N{number}", **{name: value}) for number, (name, value) in enumerate(bad.items())]

        upload = read(make_reseller(), *rows, row("Canaryparent", parent_number="Canaryother"))

        assert upload.bad_count == len(rows) + 1
        assert not [fault for fault in upload.faults.all() if "canary" in fault.reason.lower()]

    def test_a_file_that_is_wrong_as_a_whole_is_refused_and_forgotten(self):
        reseller = make_reseller()
        data = as_csv(row("1")).replace(b"country", b"Maria Canary")

        upload = send(reseller, data)
        run()

        upload.refresh_from_db()
        assert (upload.state, upload.file_sha256) == ("refused", "")
        assert upload.problem == (
            "The header in line 1 lacks country and has 1 unknown columns. Expected, in any order: customer_number, "
            "name, kind, country, customer_since; parent_number, email, birth_date, registration_number, product, "
            "verified_on, method, account may be there too."
        )
        assert not document_files.path_of(reseller.account.party_id, upload.sha256).exists()

    def test_a_file_without_rows_is_refused(self):
        assert read(make_reseller()).problem == "The file has a header and no rows. Fill it in and send it again."

    def test_the_job_may_be_repeated(self):
        upload = read(make_reseller(), row("1"), row("1"))

        roster_files.read(upload.reference, by=SCHEDULER, at=LATER)

        assert RosterFault.objects.count() == 2

    def test_progress_is_written_while_it_is_read(self, monkeypatch):
        monkeypatch.setattr(roster_reading, "BATCH", 2)
        monkeypatch.setattr(roster_reading, "TOLD_EVERY", 2)
        told, real = [], roster_files.tell_progress
        monkeypatch.setattr(roster_files, "tell_progress", lambda *args, **named: told.append(args[2]) or real(
            *args, **named))  # fmt: skip

        upload = read(make_reseller(), *(row(str(number)) for number in range(5)))

        assert told == [2, 4] and upload.done_count == 5


class TestAccount:
    def test_an_account_the_reseller_brought_is_linked(self):
        reseller = make_reseller()
        link = make_downstream(reseller)

        take_in(reseller, row("1", account=link.account.reference.lower()))

        assert in_force(reseller)["1"].account == link.account

    def test_every_other_account_gets_the_same_sentence(self, django_assert_num_queries):
        reseller, other = make_reseller(), make_reseller()
        theirs, free = make_downstream(other).account, other.account
        rows = [row("1", account=theirs.reference), row("2", account=free.reference), row("3", account="ACC-2222-2222")]

        upload = read(reseller, *rows)

        assert upload.bad_count == 3
        assert {fault.reason for fault in upload.faults.all()} == {roster_reading.NO_SUCH_ACCOUNT}

    def test_one_account_is_one_customers(self):
        reseller = make_reseller()
        reference = make_downstream(reseller).account.reference

        upload = read(reseller, row("1", account=reference), row("2", account=reference))

        assert [fault.line for fault in upload.faults.order_by("line")] == [2, 3]

    def test_a_customer_taken_to_another_reseller_meanwhile_stops_it(self, monkeypatch):
        reseller, other = make_reseller(), make_reseller()
        link = make_downstream(reseller)
        upload = read(reseller, row("1", account=link.account.reference), row("2"))
        agree(upload)
        onboarding.change_reseller(link, reseller=other, by=SCHEDULER, at=NOON)

        run()

        upload.refresh_from_db()
        assert (upload.state, upload.bad_count) == ("stopped", 1)
        assert "no longer can" in upload.problem and not in_force(reseller)
        agree(upload, keeps_good_rows=True)
        run()
        assert set(in_force(reseller)) == {"2"}


class TestAccept:
    def test_all_rows_come_in_force_at_once_and_the_file_goes(self):
        reseller = make_reseller()
        given = {"email": "a+b@Customer.example", "registration_number": "HRB 7", "product": "compute"}

        upload = take_in(reseller, row("1", **given), row("2", parent_number="1"))

        entry = RosterEntry.objects.select_related("reseller__account").get(number="1")
        assert (upload.state, upload.new_count, upload.file_sha256) == ("accepted", 2, "")
        assert (entry.from_at, entry.line, entry.depth, entry.name) == (NOON + timedelta(seconds=1), 2, 0, "Customer 1")
        assert (entry.email.reveal(), entry.registration_number.reveal()) == ("a+b@customer.example", "HRB 7")
        assert RosterEntry.objects.get(number="2").depth == 1
        assert not document_files.path_of(reseller.account.party_id, upload.sha256).exists()
        event = AuditEvent.objects.get(verb="resellers.roster.accepted")
        assert {name: event.facts[name] for name in ("new", "changed", "same", "gone")} == {
            "new": 2, "changed": 0, "same": 0, "gone": 0,
        }  # fmt: skip

    def test_a_complete_roster_ends_who_is_not_in_it_and_rewrites_nothing_unchanged(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2"), row("3"))
        before = in_force(reseller)

        upload = take_in(reseller, row("1"), row("2", name="Other"), row("4"), at=LATER)

        now = in_force(reseller)
        assert set(now) == {"1", "2", "4"} and now["1"] == before["1"] and now["2"] != before["2"]
        ended = {each.number: each.ended_why for each in RosterEntry.objects.filter(ended_at__isnull=False)}
        assert ended == {"2": "changed", "3": "gone"}
        assert (upload.new_count, upload.changed_count, upload.same_count, upload.gone_count) == (1, 1, 1, 1)
        assert {each.number for each in RosterEntry.objects.as_of(NOON + timedelta(hours=1))} == {"1", "2", "3"}

    def test_a_part_ends_nobody(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2"))

        take_in(reseller, row("3"), extent="part", at=LATER)

        assert set(in_force(reseller)) == {"1", "2", "3"}

    def test_bad_rows_left_out_of_a_complete_roster_end_nobody(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2"))

        take_in(reseller, row("1", name="Other"), row("", name="Who is it?"), at=LATER, keeps_good_rows=True)

        assert set(in_force(reseller)) == {"1", "2"} and in_force(reseller)["1"].name == "Other"

    def test_bad_rows_can_be_corrected_and_sent_again(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2", country="XX"), keeps_good_rows=True)

        take_in(reseller, row("2", country="FR"), extent="part", at=LATER)

        assert {number: entry.country.code for number, entry in in_force(reseller).items()} == {"1": "DE", "2": "FR"}

    def test_others_are_not_touched(self):
        reseller, other = make_reseller(), make_reseller()
        take_in(other, row("1"), row("2"))

        take_in(reseller, row("1"))

        assert set(in_force(other)) == {"1", "2"}, "A15: the same numbers belong to another reseller as well"

    def test_certification_is_told_who_ended(self):
        reseller, told = make_reseller(), []

        def receiver(sender, upload, ended, by, at, **named):
            told.append((upload.reference, sorted(ended.values_list("number", flat=True)), by, at))

        roster_changed.connect(receiver)
        try:
            take_in(reseller, row("1"), row("2"))
            upload = take_in(reseller, row("1", name="Other"), at=LATER)
        finally:
            roster_changed.disconnect(receiver)

        assert told[1] == (upload.reference, ["1", "2"], SCHEDULER, LATER + timedelta(seconds=1))

    def test_every_change_of_a_row_is_explained(self):
        reseller = make_reseller()
        reconcile(by=SCHEDULER, at=NOON)
        take_in(reseller, row("1"), row("2"))

        found = reconcile(by=SCHEDULER, at=LATER)

        unexplained = RowChange.objects.unexplained().filter(label__startswith="resellers.")
        assert found.rows > 0 and not list(unexplained.values_list("label", "act", "fields"))


class TestAgree:
    def test_bad_rows_must_be_left_out_by_word(self):
        upload = read(make_reseller(), row("1"), row("2", kind="robot"))

        with pytest.raises(roster_taking.BadRowsLeft, match="1 of 2 rows cannot be used"):
            agree(upload)

    def test_a_file_of_bad_rows_alone_is_not_accepted(self):
        upload = read(make_reseller(), row("1", kind="robot"))

        with pytest.raises(roster_taking.NothingToTakeIn):
            agree(upload, keeps_good_rows=True)

    def test_one_at_a_time(self):
        reseller = make_reseller()
        first, second = read(reseller, row("1")), read(reseller, row("2"))
        agree(first)

        with pytest.raises(roster_taking.AnotherUnderWay):
            agree(second)

    def test_twice_is_once(self):
        upload = read(make_reseller(), row("1"))
        agree(upload)

        with pytest.raises(MoveNotAllowed):
            agree(upload)

    def test_it_is_not_agreed_to_before_it_is_read(self):
        with pytest.raises(MoveNotAllowed):
            agree(send(make_reseller(), as_csv(row("1"))))

    def test_somebody_whose_binding_ended_or_is_elsewhere_is_refused(self, reseller_manager_user):
        reseller, other = make_reseller(), make_reseller()
        elsewhere = onboarding.bind_manager(other, user=reseller_manager_user, by=SCHEDULER, at=NOON)
        over = onboarding.bind_manager(reseller, user=reseller_manager_user, by=SCHEDULER, at=NOON)
        onboarding.end_binding(over, by=SCHEDULER, at=NOON)
        upload = read(reseller, row("1"))

        for binding in (elsewhere, over):
            with pytest.raises(roster_files.NotBound):
                agree(upload, binding=binding)
            with pytest.raises(roster_files.NotBound):
                send(reseller, as_csv(row("9")), binding=binding)

        upload.refresh_from_db()
        assert upload.state == "read"

    def test_discarded_it_leaves_nothing(self):
        reseller = make_reseller()
        upload = read(reseller, row("1"))

        roster_files.discard(upload, by=REMY, at=NOON)
        run()

        upload.refresh_from_db()
        assert (upload.state, upload.file_sha256) == ("discarded", "") and not RosterEntry.objects.exists()
        assert not document_files.path_of(reseller.account.party_id, upload.sha256).exists()
        with pytest.raises(MoveNotAllowed):
            roster_files.discard(upload, by=REMY, at=NOON)


class TestAgain:
    def test_g1_a_double_submit_is_one_upload(self):
        reseller = make_reseller()

        first, second = (send(reseller, as_csv(row("1"))) for _ in range(2))

        assert second == first and second.is_repeat and not first.is_repeat
        assert Job.objects.filter(kind=roster_files.READ).count() == 1

    def test_an_accepted_file_sent_again_adds_nothing(self):
        reseller = make_reseller()
        first = take_in(reseller, row("1"))

        assert send(reseller, as_csv(row("1")), at=LATER) == first
        assert send(reseller, as_csv(row("1")), at=LATER, extent="part") != first

    def test_a_former_file_takes_the_roster_back(self):
        reseller = make_reseller()
        take_in(reseller, row("1"))
        take_in(reseller, row("2"), at=LATER)

        take_in(reseller, row("1"), at=LATER + timedelta(days=1))

        assert set(in_force(reseller)) == {"1"}

    def test_another_resellers_same_file_is_its_own(self):
        first, second = (send(make_reseller(), as_csv(row("1"))) for _ in range(2))

        assert first != second and not second.is_repeat


class TestStopped:
    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch):
        monkeypatch.setattr(roster_taking, "BATCH", 2)

    def test_a_manager_removed_in_the_middle_stops_it_and_a_colleague_goes_on(self, reseller_manager_user, monkeypatch):
        reseller = make_reseller()
        binding = onboarding.bind_manager(reseller, user=reseller_manager_user, by=SCHEDULER, at=NOON)
        upload = read(reseller, *(row(str(number)) for number in range(6)), binding=binding)
        agree(upload, binding=binding)
        real, seen = roster_taking._stage, []

        def stage(*args, **named):
            seen.append(args)
            if len(seen) == 2:
                onboarding.end_binding(binding, by=SCHEDULER, at=NOON)
            return real(*args, **named)

        monkeypatch.setattr(roster_taking, "_stage", stage)
        run()

        upload.refresh_from_db()
        assert (upload.state, upload.done_count, upload.entries.count()) == ("stopped", 2, 2)
        assert "no longer acts" in upload.problem and not in_force(reseller)
        agree(upload)
        run()
        assert len(in_force(reseller)) == 6 and upload.entries.count() == 6

    def test_a_relationship_that_ends_in_the_middle_stops_it(self, monkeypatch):
        reseller = make_reseller()
        upload = read(reseller, row("1"))
        agree(upload)
        monkeypatch.setattr(roster_files, "ENDED_STATUSES", (reseller.account.status,))

        run()

        upload.refresh_from_db()
        assert upload.state == "stopped" and not in_force(reseller)
        with pytest.raises(roster_files.RelationOver):
            agree(upload)
        with pytest.raises(roster_files.RelationOver):
            send(reseller, as_csv(row("2")))

    def test_it_does_not_go_on_over_a_later_roster(self, monkeypatch):
        reseller = make_reseller()
        upload = read(reseller, row("1"))
        agree(upload)
        RosterUpload.objects.filter(pk=upload.pk).update(state=UploadState.STOPPED.value)
        take_in(reseller, row("2"), at=LATER)

        with pytest.raises(roster_taking.Overtaken):
            agree(upload, at=LATER)

    def test_a_complete_file_read_before_another_came_in_force_is_sent_again(self):
        reseller = make_reseller()
        take_in(reseller, row("1"))
        complete = read(reseller, row("1"), row("2"), extent="complete", at=LATER)
        some = read(reseller, row("3"), extent="part", at=LATER)
        take_in(reseller, row("4"), extent="part", at=LATER + timedelta(minutes=1))

        assert roster_taking.is_overtaken(complete) and not roster_taking.is_overtaken(some)
        with pytest.raises(roster_taking.Overtaken):
            agree(complete, at=LATER)
        agree(some, at=LATER)

    @pytest.mark.parametrize("seam", range(1, 10))
    def test_killed_at_any_seam_and_resumed_it_gives_the_same(self, monkeypatch, seam):
        rows = [row(str(number), parent_number=str(number - 1) if number % 3 == 1 else "") for number in range(7)]
        whole, killed = make_reseller(), make_reseller()
        for reseller in (whole, killed):
            take_in(reseller, row("0", name="Before"), row("99"))
        take_in(whole, *rows, at=LATER)
        upload = read(killed, *rows, at=LATER)
        agree(upload, at=LATER)

        class Killed(BaseException):
            pass

        passed = []

        def dies(real):
            def run_it(*args, **named):
                passed.append(1)
                if len(passed) == seam:
                    raise Killed
                result = real(*args, **named)
                passed.append(1)
                if len(passed) == seam:
                    raise Killed
                return result

            return run_it

        with monkeypatch.context() as patch:
            patch.setattr(roster_taking, "_stage", dies(roster_taking._stage))
            patch.setattr(roster_taking, "_bring_in_force", dies(roster_taking._bring_in_force))
            with pytest.raises(Killed):
                roster_taking.accept(upload.reference, by=SCHEDULER, at=LATER)
        if seam < 10:
            assert RosterUpload.objects.get(pk=upload.pk).state == "accepting"
        roster_taking.accept(upload.reference, by=SCHEDULER, at=LATER)

        plain = [list(each[:-4]) for each in stated(killed)]  # the digest is under each one's own key
        assert plain == [list(each[:-4]) for each in stated(whole)]
        assert RosterEntry.objects.filter(reseller=killed).count() == RosterEntry.objects.filter(reseller=whole).count()


class TestSublessees:
    def test_r24_depth_is_counted_across_the_file_and_the_roster(self):
        reseller = make_reseller()
        take_in(reseller, row("a"), row("b", parent_number="a"))

        take_in(reseller, row("c", parent_number="b"), row("d", parent_number="c"), extent="part", at=LATER)

        assert {number: entry.depth for number, entry in in_force(reseller).items()} == {"a": 0, "b": 1, "c": 2, "d": 3}

    def test_in_a_complete_roster_the_parent_must_be_in_the_file(self):
        reseller = make_reseller()
        take_in(reseller, row("a"))

        upload = read(reseller, row("b", parent_number="a"), at=LATER)

        assert "names no customer of this roster" in upload.faults.get().reason

    def test_another_resellers_customer_is_no_parent(self):
        make_entry(make_reseller(), "theirs")

        upload = read(make_reseller(), row("b", parent_number="theirs"), row("c", parent_number="nobodys"))

        assert len({fault.reason for fault in upload.faults.all()}) == 1 and upload.bad_count == 2

    def test_who_moves_others_that_are_not_in_the_file_is_refused(self):
        reseller = make_reseller()
        take_in(reseller, row("a"), row("b"), row("c", parent_number="b"))

        alone = read(reseller, row("b", parent_number="a"), extent="part", at=LATER)
        together = take_in(
            reseller, row("b", parent_number="a"), row("c", parent_number="b"), extent="part", at=LATER
        )  # fmt: skip

        assert alone.faults.get().reason == roster_reading.LEFT_BEHIND
        assert together.changed_count == 2 and in_force(reseller)["c"].depth == 2

    def test_who_sublets_from_a_bad_row_is_bad(self):
        upload = read(make_reseller(), row("a", kind="robot"), row("b", parent_number="a"), row("c", parent_number="b"))

        assert [fault.line for fault in upload.faults.order_by("line")] == [2, 3, 4]


ROWS = st.lists(
    st.fixed_dictionaries({
        "name": st.text("aé=+-@Ω<'\" ", min_size=1, max_size=12).map(lambda text: f"n{text}n"),
        "country": st.sampled_from(["DE", "fr", " US "]),
        "kind": st.sampled_from(["individual", "Entity"]),
        "product": st.sampled_from(["", "compute", "=1+1", "+49", "@SUM", "007"]),
        "email": st.sampled_from(["", "a@customer.example", "A.b+c@CUSTOMER.example"]),
        "registration_number": st.sampled_from(["", "HRB 1", "0012"]),
    }),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_csv_and_xlsx_of_the_same_rows_give_the_same_entries_and_a_repeat_adds_nothing(db, rows):
    rows = [row(f"0{number}", **values) for number, values in enumerate(rows)]
    reseller = make_reseller()
    first = take_in(reseller, *rows)
    from_csv, count = stated(reseller), RosterEntry.objects.filter(reseller=reseller).count()

    upload = send(reseller, as_xlsx(*rows), name="roster.xlsx", at=LATER)
    run(LATER)
    upload.refresh_from_db()

    assert (upload.state, upload.same_count, upload.new_count) == ("read", len(rows), 0)
    agree(upload, at=LATER)
    run(LATER)
    assert stated(reseller) == from_csv and first.new_count == len(rows)
    assert RosterEntry.objects.filter(reseller=reseller).count() == count
