"""Samples, counts and hits as staff and managers see them; no manager sees another's, nor any hit (TH1, TH2)."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from resellers.flows import onboarding, sampling
from resellers.models import Finding, RosterHit, Sample, SampledFile
from tests import signing
from tests.builders import make_entry, make_list, make_reseller, png_bytes
from tests.conftest import NOON, person
from tests.matrix.worlds import RANDOM
from tests.resellers.flows.test_sampling import CARLA, RITA, hand_in, judge, make_roster

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller(reseller_manager_user):
    reseller = make_roster(3)
    onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
    return reseller


@pytest.fixture
def sample(reseller):
    return sampling.draw(reseller, by=RITA, at=timezone.now())


@pytest.fixture
def manager(client, reseller_manager_user):
    client.force_login(reseller_manager_user)
    return client


@pytest.fixture
def rita(client, reseller_desk_user):
    client.force_login(reseller_desk_user)
    return client


def upload(text="proof", name="proof.png"):
    return {"file": SimpleUploadedFile(name, png_bytes(text), content_type="image/png")}


def make_roster_hit(reseller, **changes) -> RosterHit:
    entry = make_entry(reseller, "C-77", name="Boris Volkov", birth_date="1970-07-04", kind="individual")
    given = {"entry_uid": "101", "entry_name": "VOLKOV, Boris", "score": "0.970", "is_strong": True, "compared": "x"}
    return RosterHit.objects.create(
        reseller=reseller, number=entry.number, entry=entry, snapshot=make_list(), found_at=NOON, **{**given, **changes}
    )


class TestManagersPages:
    def test_r64_the_manager_sees_what_is_missing_and_hands_it_in(self, manager, sample):
        assert sample.reference in manager.get("/resellers/samples/").content.decode()
        page = manager.get(f"/resellers/samples/{sample.reference}/").content.decode()
        assert "3 of 3 are missing" in page and "C-1" in page
        sampled = sample.files.get(entry__number="C-1")

        answer = manager.post(f"/resellers/sampled/{sampled.reference}/", upload(), follow=True)

        sampled.refresh_from_db()
        assert "2 of 3 are missing" in answer.content.decode() and "handed in" in answer.content.decode()
        assert (sampled.uploaded_by, sampled.uploaded_under.user.username) == ("remy", "remy")
        assert "proof.png" in manager.get(f"/resellers/sampled/{sampled.reference}/").content.decode()

    def test_it_tells_nothing_of_how_we_choose_or_who_judges(self, manager, sample):
        sampled = sample.files.get(entry__number="C-1")
        judge(hand_in(sampled), "fail", ["expired"], words="Looks forged.")
        during = manager.get(f"/resellers/samples/{sample.reference}/").content.decode()
        sampling.conclude(sample, by=CARLA, at=timezone.now() + timedelta(days=15))
        after = manager.get(f"/resellers/samples/{sample.reference}/").content.decode()
        file_page = manager.get(f"/resellers/sampled/{sampled.reference}/").content.decode()

        assert "looked at by us" in during and "expired" not in during
        assert "the document had expired" in after and "3 were not in order" in after
        for page in (during, after, file_page, manager.get("/resellers/samples/").content.decode()):
            for hidden in (sample.seed, "high", "stratum", "forged", "carla", "rita", sample.frame_sha256[:12]):
                assert hidden not in page

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_th1_another_resellers_sample_is_no_page(self, manager, sample, method):
        other = sampling.draw(make_roster(2), by=RITA, at=NOON)
        name = other.files.first().reference
        answers = [
            getattr(manager, method)(path, upload() if method == "post" else {})
            for path in (f"/resellers/sampled/{name}/", "/resellers/sampled/SPF-2222-2222/")
        ]
        answers += [manager.get(f"/resellers/samples/{each}/") for each in (other.reference, "SMP-2222-2222")]

        assert [answer.status_code for answer in answers] == [404] * 4
        assert other.reference not in manager.get("/resellers/samples/").content.decode()
        assert not SampledFile.objects.exclude(file_sha256="").exists()

    def test_the_page_of_another_reads_as_that_of_none(self, manager, sample):
        other = sampling.draw(make_roster(2), by=RITA, at=NOON)

        one, none = (
            RANDOM.sub("", manager.get(f"/resellers/samples/{name}/").content.decode().replace(name, ""))
            for name in (other.reference, "SMP-2222-2222")
        )
        assert one == none

    @pytest.mark.parametrize(
        ("sent", "says"),
        [
            ({}, b"This field is required"),
            ({"file": SimpleUploadedFile("a.pdf", b"")}, b"The submitted file is empty"),
            ({"file": SimpleUploadedFile("a.xlsm", b"PK\x03\x04 macro")}, b"Allowed are PDF, PNG and JPEG"),
            ({"file": SimpleUploadedFile("a.pdf", png_bytes())}, b"The name ends in .pdf"),
        ],
    )
    def test_a_wrong_file_is_said_at_the_form_and_nothing_is_kept(self, manager, sample, sent, says):
        sampled = sample.files.first()

        answer = manager.post(f"/resellers/sampled/{sampled.reference}/", sent)

        assert answer.status_code == 200 and says in answer.content
        sampled.refresh_from_db()
        assert not sampled.file_sha256

    def test_b2_a_body_too_large_is_refused_before_it_is_read(self, manager, sample):
        path = f"/resellers/sampled/{sample.files.first().reference}/"

        assert manager.post(path, upload(), CONTENT_LENGTH=str(10**9)).status_code == 413

    def test_after_the_judgement_no_file_is_taken(self, manager, sample):
        sampled = judge(hand_in(sample.files.first()))

        answer = manager.post(f"/resellers/sampled/{sampled.reference}/", upload("late"))

        assert b"looked at already" in answer.content and b'type="file"' not in answer.content
        former = sampled.file_sha256
        sampled.refresh_from_db()
        assert sampled.file_sha256 == former

    def test_a_binding_that_ended_shows_nothing(self, manager, sample, reseller):
        onboarding.end_binding(reseller.managers.get(), by=RITA, at=NOON)

        assert manager.post(f"/resellers/sampled/{sample.files.first().reference}/", upload()).status_code == 404
        assert b"No files are asked for" in manager.get("/resellers/samples/").content

    def test_the_list_costs_the_same_for_many(self, manager, sample, reseller):
        manager.get("/resellers/samples/")
        with CaptureQueriesContext(connection) as few:
            manager.get("/resellers/samples/")
        for _ in range(4):
            sampling.conclude(Sample.objects.running().get(), by=CARLA, at=timezone.now() + timedelta(days=20))
            sampling.draw(reseller, by=RITA, at=timezone.now())
        with CaptureQueriesContext(connection) as many:
            manager.get("/resellers/samples/")

        assert len(many) == len(few)

    @pytest.mark.parametrize("path", ["samples/", "samples/SMP-2222-2222/", "sampled/SPF-2222-2222/", "counts/"])
    def test_staff_are_sent_to_their_own_pages(self, rita, path):
        assert rita.get(f"/resellers/{path}").headers["Location"] == "/admin/"

    def test_no_page_of_a_manager_tells_of_a_hit(self, manager, sample, reseller):
        hit = make_roster_hit(reseller)

        for path in ("", "samples/", f"samples/{sample.reference}/", "counts/", "findings/"):
            page = manager.get(f"/resellers/{path}").content.decode()
            assert hit.reference not in page and "VOLKOV" not in page
        assert manager.get(f"/admin/resellers/rosterhit/{hit.pk}/change/").status_code == 403


class TestStaffPages:
    def page(self, record) -> str:
        return f"/admin/resellers/{record._meta.model_name}/{record.pk}/"

    def test_the_desk_draws_repeats_judges_concludes_and_makes_a_finding(self, rita, reseller):
        rita.post(f"{self.page(reseller)}do/draw-sample/", {"size": "2", "seed": "s33d"})
        sample = Sample.objects.get()
        one, two = sample.files.order_by("place")
        hand_in(one), hand_in(two)

        told = rita.post(f"{self.page(sample)}do/replay/", follow=True).content.decode()
        assert "Draw repeated: the same 2 customers." in told
        seen = {"seen": one.file_sha256}
        rita.post(f"{self.page(one)}do/judge/", {"result": "fail", "reasons": ["expired"], "words": "x", **seen})
        rita.post(f"{self.page(two)}do/judge/", {"result": "pass", "seen": ""})
        done = rita.post(f"{self.page(sample)}do/conclude/", follow=True).content.decode()
        assert "1 of 2 failed" in done and "50.0%" in done and "9.5%" in done and "<svg" in done and "Wilson" in done
        form = rita.get(f"{self.page(sample)}do/make-finding/").content.decode()
        assert f"Sample {sample.reference}: 1 of 2 files were not in order" in form
        initial = {"kind": "not_carried_out", "source": "sample", "evidence": "E", "demand": "D"}
        known = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
        rita.post(f"{self.page(sample)}do/make-finding/", {**initial, "knowledge_at": known})

        sample.refresh_from_db()
        assert sample.finding == Finding.objects.get()
        page = rita.get(f"{self.page(reseller)}change/").content.decode()
        assert "50.0%" in page and "90.5%" in page and sample.reference in page

    @pytest.mark.parametrize("size", ["0", "-3", "99", "abc"])
    def test_a_size_that_cannot_be_is_said_at_the_form(self, rita, reseller, size):
        answer = rita.post(f"{self.page(reseller)}do/draw-sample/", {"size": size})

        assert answer.status_code == 200 and b"There is a problem" in answer.content and not Sample.objects.exists()

    def test_a_file_is_downloaded_with_an_event_by_who_may(self, rita, sample):
        sampled = hand_in(sample.files.first())
        path = f"/admin/resellers/sampledfile/{sampled.pk}/original/"
        assert path in rita.get(f"{self.page(sampled)}change/").content.decode()

        answer = rita.get(path)

        assert answer.content == png_bytes("proof") and "attachment" in answer.headers["Content-Disposition"]
        assert "downloaded the file" in rita.get(f"{self.page(sampled)}change/").content.decode()
        missing = sample.files.filter(file_sha256="").first()
        assert rita.get(f"/admin/resellers/sampledfile/{missing.pk}/original/").status_code == 404
        rita.force_login(person("aud", "auditor"))
        assert rita.get(path).status_code == 403

    def test_name_and_words_are_dots_for_who_does_not_work_on_it(self, client, sample):
        sampled = judge(hand_in(sample.files.first()), "fail", ["expired"], words="Canarywords")
        client.force_login(person("aud", "auditor"))

        page = client.get(f"{self.page(sampled)}change/").content.decode()

        assert "Canarywords" not in page and "proof.png" not in page and "expired" in page

    def test_two_people_judge_a_hit_by_buttons(self, client, analyst_user, lead_user, reseller):
        hit = make_roster_hit(reseller)
        client.force_login(analyst_user)
        assert "4 Jul 1970" in client.get(f"{self.page(hit)}change/").content.decode()
        client.post(f"{self.page(hit)}do/propose-match/", {"reason": "The same day."})
        client.force_login(lead_user)
        assert b"Hits on downstream customers to sign" in client.get("/admin/").content
        signing.press(client, f"{self.page(hit)}do/agree/")

        hit.refresh_from_db()
        assert hit.status == "confirmed"
        client.force_login(person("aud", "auditor"))
        page = client.get(f"{self.page(hit)}change/").content.decode()
        assert "4 Jul 1970" not in page and "Boris Volkov" in page

    def test_who_may_not_know_of_hits_gets_no_page(self, client, senior_user, reseller):
        hit = make_roster_hit(reseller)
        client.force_login(senior_user)

        assert client.get(f"{self.page(hit)}change/").status_code == 403
        page = client.get(f"{self.page(reseller)}change/").content.decode()
        assert hit.reference not in page and "VOLKOV" not in page


class TestCounts:
    def test_staff_count_all_or_one_as_of_a_day_and_take_a_file(self, rita, reseller):
        make_entry(make_reseller(), country="IT")
        path, day = "/admin/resellers/reseller/counts/", {"on": "2026-03-02"}

        everybody = rita.get(path, day).content.decode()
        one = rita.get(path, {**day, "reseller": reseller.reference.lower()}).content.decode()
        before = rita.get(path, {"on": "2026-03-01"}).content.decode()
        file = b"".join(rita.get(f"{path}file/", day).streaming_content).decode()

        assert "Italy" in everybody and "<svg" in everybody and "All countries" in everybody
        assert "Italy" not in one and "Germany" in one and "Nobody was on a roster" in before
        assert file.splitlines()[1:] == [
            "2026-03-02,all resellers,FR,France,2,1,1,0,2", "2026-03-02,all resellers,DE,Germany,1,1,0,0,1",
            "2026-03-02,all resellers,IT,Italy,1,1,0,0,1",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "asked", [{"on": "2999-01-01"}, {"on": "x"}, {"on": ""}, {"reseller": "RSL-0000-0000"}, {"reseller": "<b>"}]
    )
    def test_what_cannot_be_is_said_at_the_form(self, rita, reseller, asked):
        for path in ("", "file/"):
            page = rita.get(f"/admin/resellers/reseller/counts/{path}", asked)
            assert page.status_code == 200 and b"There is a problem" in page.content and b"<b>" not in page.content

    def test_a_manager_counts_their_own(self, manager, reseller):
        make_entry(make_reseller(), country="IT")

        page = manager.get("/resellers/counts/", {"on": "2026-03-02"}).content.decode()

        assert "Germany" in page and "France" in page and "Italy" not in page
        assert "No customer stood" in manager.get("/resellers/counts/", {"on": "2026-03-01"}).content.decode()

    def test_th1_another_resellers_counts_are_no_page(self, manager, reseller):
        other = make_reseller()
        asked = [manager.get("/resellers/counts/", {"reseller": name}).status_code
                 for name in (reseller.reference, other.reference, "RSL-0000-0000", "<")]  # fmt: skip

        assert asked == [200, 404, 404, 404]

    @pytest.mark.parametrize("on", ["x", "2999-01-01", "", "2026-02-30"])
    def test_a_wrong_day_is_said_at_the_form(self, manager, reseller, on):
        page = manager.get("/resellers/counts/", {"on": on})

        assert page.status_code == 200 and b"There is a problem" in page.content

    def test_the_queries_do_not_grow(self, manager, reseller, reseller_manager_user):
        manager.get("/resellers/counts/")
        with CaptureQueriesContext(connection) as few:
            manager.get("/resellers/counts/")
        for _ in range(3):
            other = make_roster(4)
            onboarding.bind_manager(other, user=reseller_manager_user, by=RITA, at=NOON)
        with CaptureQueriesContext(connection) as many:
            manager.get("/resellers/counts/")

        assert len(many) == len(few)
