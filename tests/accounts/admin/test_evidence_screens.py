import pytest
from django.contrib.admin import site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.flows import access_log, address_ranges, parties, screening, signals, watchlists
from accounts.models import AccessBatch, AccessRecord, AddressRangeSnapshot, RiskSignal, ScreeningHit, WatchlistSnapshot
from accounts.models.screening import HitStatus
from accounts.rules.new_parties import NewAddress
from accounts.tiles import HITS, SIGNALS, TILES
from kyc_portal.records.refs import SCHEDULER
from tests import signing
from tests.accounts.lists import VOLKOV, WORKS, write_list
from tests.accounts.logs import event, jsonl
from tests.builders import make_account, make_hit
from tests.conftest import NOON

MODELS = (WatchlistSnapshot, ScreeningHit, AccessBatch, AccessRecord, AddressRangeSnapshot, RiskSignal)


def list_url(model):
    return reverse(f"admin:accounts_{model._meta.model_name}_changelist")


def page_url(record):
    return reverse(f"admin:accounts_{record._meta.model_name}_change", args=[record.pk])


def do_url(record, name):
    return reverse(f"admin:accounts_{record._meta.model_name}_do", args=[record.pk, name])


@pytest.fixture
def as_analyst(client, analyst_user):
    client.force_login(analyst_user)
    return client


@pytest.fixture
def as_lead(client, lead_user):
    client.force_login(lead_user)
    return client


@pytest.fixture
def hit(db, tmp_path):
    watchlists.load_snapshot("ofac-sdn", write_list(tmp_path / "list", VOLKOV, WORKS), by=SCHEDULER, at=NOON)
    account = make_account(legal_name="Boris Volkov", citizenship="RU")
    screening.screen_party(account.party, by=SCHEDULER, at=NOON)
    return account.party.hits.get()


def grow(tmp_path, count, start=0):
    """`count` rows of everything these screens list."""
    for number in range(start, start + count):
        account = make_account()
        make_hit(account.party)
        signals.run_detectors(account, by=SCHEDULER, at=NOON)
        lines = jsonl(event(number), event(1000 + number, kind="other"))
        access_log.import_access_lines(
            account, lines, format="jsonl", file_name="log.txt", keep_good_rows=True, by=SCHEDULER, at=NOON
        )
        path = tmp_path / f"{number}.txt"
        path.write_text(f"9.9.{number}.0/24\n")
        address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON)
        WatchlistSnapshot.objects.create(
            list_name=f"list {number}", sha256=str(number), loaded_at=NOON, loaded_by="x", entry_count=0, alias_count=0
        )


class TestLists:
    def test_a_list_costs_the_same_with_few_and_many_rows(self, as_lead, tmp_path):
        counts = []
        for start, count in ((0, 3), (3, 27)):
            grow(tmp_path, count, start)
            counts.append({model: self.queries_of(as_lead, model) for model in MODELS})

        few, many = counts
        assert few == many
        assert max(many.values()) <= 12

    def queries_of(self, client, model):
        client.get(list_url(model))  # what is read once per process
        with CaptureQueriesContext(connection) as seen:
            assert client.get(list_url(model)).status_code == 200
        return len(seen)

    @pytest.mark.parametrize("model", MODELS)
    def test_a_page_opens_and_says_what_happened(self, as_lead, tmp_path, model):
        grow(tmp_path, 2)

        response = as_lead.get(page_url(model.objects.first()))

        assert response.status_code == 200

    @pytest.mark.parametrize("model", MODELS)
    def test_nobody_changes_or_deletes_here(self, as_lead, rf, lead_user, model):
        request = rf.get("/")
        request.user = lead_user

        admin = site.get_model_admin(model)

        assert not admin.has_delete_permission(request) and not admin.has_change_permission(request)
        assert not admin.has_add_permission(request)

    @pytest.mark.parametrize("model", [model for model in MODELS if model is not AddressRangeSnapshot])
    def test_those_without_the_right_see_nothing(self, client, administrator_user, model):
        client.force_login(administrator_user)

        assert client.get(list_url(model)).status_code == 403

    @pytest.mark.parametrize("model", MODELS)
    def test_every_choice_of_every_filter_works(self, as_lead, tmp_path, model):
        grow(tmp_path, 1)

        for each in site.get_model_admin(model).list_filter:
            for value in each.options:
                assert as_lead.get(list_url(model), {each.parameter_name: value}).status_code == 200

    def test_records_of_one_account_are_listed_by_a_link(self, as_lead, tmp_path):
        grow(tmp_path, 2)
        first, other = AccessRecord.objects.order_by("pk")

        response = as_lead.get(list_url(AccessRecord), {"account__id__exact": str(first.account_id)})

        assert [row.pk for row in response.context["cl"].result_list] == [first.pk] != [other.pk]


class TestHitPage:
    def test_it_shows_both_sides_and_the_reasons(self, as_analyst, hit):
        text = as_analyst.get(page_url(hit)).content.decode()

        assert "Boris Volkov" in text and "VOLKOV, Boris Igorevich" in text and "04 Jul 1970" in text
        assert "strong" in text and hit.reasons[0].split("“")[0] in text

    def test_its_page_costs_the_same_however_much_is_on_file(self, as_analyst, hit):
        as_analyst.get(page_url(hit))
        counts = []
        for number in range(2):
            with CaptureQueriesContext(connection) as seen:
                as_analyst.get(page_url(hit))
            counts.append(len(seen))
            for place in range(10):
                address = NewAddress(kind="business", lines=f"{place} Side Street", region="", country="FR")
                parties.add_address(hit.party, address=address, by=SCHEDULER, at=NOON)
                make_hit(hit.party, entry_uid=hit.entry_uid, compared=f"{number}{place}")

        assert counts[0] == counts[1]

    def test_two_people_judge_by_its_buttons(self, client, analyst_user, lead_user, hit):
        client.force_login(analyst_user)
        client.post(do_url(hit, "propose-match"), {"reason": "Name and country agree."})
        client.force_login(lead_user)
        signing.press(client, do_url(hit, "agree"))

        hit.refresh_from_db()
        assert (hit.status, hit.proposed_by, hit.judged_by) == (HitStatus.CONFIRMED, "ana", "lea")

    def test_who_proposed_is_told_to_ask_a_colleague(self, as_lead, hit):
        as_lead.post(do_url(hit, "propose-no-match"), {"reason": "Another man."})

        response = signing.press(as_lead, do_url(hit, "agree"))

        hit.refresh_from_db()
        assert "Ask a colleague" in response.content.decode()
        assert hit.status == HitStatus.DISMISS_PROPOSED

    def test_the_second_signature_needs_its_right(self, as_analyst, hit):
        assert as_analyst.post(do_url(hit, "agree")).status_code == 403

    def test_a_proposal_can_be_returned(self, as_lead, hit, analyst):
        screening.confirm_hit(hit, reason="All agrees.", by=analyst, at=NOON)

        as_lead.post(do_url(hit, "return-hit"))

        hit.refresh_from_db()
        assert hit.status == HitStatus.OPEN

    def test_markup_in_names_is_inert(self, as_analyst, tmp_path):
        account = make_account(legal_name="<script>alert(1)</script> Volkov")
        hit = make_hit(account.party, entry_name="<img src=x onerror=alert(1)>")

        text = as_analyst.get(page_url(hit)).content.decode()

        assert "<script>alert" not in text and "<img src=x" not in text


class TestSignalPages:
    def test_the_catalogue_is_not_for_everybody(self, client, administrator_user):
        client.force_login(administrator_user)

        assert client.get(reverse("admin:accounts_risksignal_catalogue")).status_code == 403

    def test_a_flag_leads_to_its_hits(self, as_analyst, hit):
        text = as_analyst.get(page_url(RiskSignal.objects.get())).content.decode()

        assert page_url(hit) in text and hit.reference in text


class TestTiles:
    def test_each_leads_to_a_filter_that_shows_the_same(self, as_lead, lead_user, analyst, tmp_path, hit):
        grow(tmp_path, 2)
        screening.dismiss_hit(hit, reason="Another man.", by=analyst, at=NOON)

        for tile in [tile for tile in TILES if tile.url in (HITS, SIGNALS)]:
            name, value = tile.query.split("=")
            listed = as_lead.get(reverse(tile.url), {name: value}).context["cl"].result_list
            rows = tile.rows(user=lead_user, today=NOON.date())
            assert {row.pk for row in listed} == {row.pk for row in rows} != set()

    def test_nobody_is_shown_what_only_others_can_do(self, hit, lead, lead_user):
        screening.dismiss_hit(hit, reason="Another man.", by=lead, at=NOON)

        second = next(tile for tile in TILES if tile.title == "Hits awaiting a second person")

        assert not second.rows(user=lead_user, today=NOON.date()).exists()
