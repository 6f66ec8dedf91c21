"""The pages of access and of links: who may open them, what they say, what they cost, what is refused."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.admin import access_page, account_sections, graph_page
from accounts.flows.access_seen import seen_of
from accounts.flows.links import Node, Tie
from accounts.models import Account
from accounts.rules.links import Shared
from kyc_portal.records.models import IdentityView
from kyc_portal.staff.policy_table import page_named
from kyc_portal.staff.sections import Table, for_viewer
from tests.accounts import access_days, ties
from tests.accounts.access_days import LAST, day_of
from tests.builders import make_account, make_party
from tests.conftest import person
from tests.kyc_portal.staff.test_pictures import SVG, parsed

pytestmark = pytest.mark.django_db
HOSTILE = '</text><script>alert(1)</script>"'


@pytest.fixture
def analyst_client(client, analyst_user):
    client.force_login(analyst_user)
    return client


def access_of(account, days=""):
    return reverse("accounts:access", args=[account.pk]) + (f"?days={days}" if days else "")


def links_of(account):
    return reverse("accounts:links", args=[account.party_id])


def queries_of(client, url) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as ran:
        assert client.get(url).status_code == 200
    return len(ran)


class TestRights:
    @pytest.mark.parametrize("name", ["accounts:access", "accounts:links"])
    @pytest.mark.parametrize(
        ("role", "may"),
        [("reviewer", True), ("auditor", True), ("reseller manager", False), ("senior manager", False),
         ("administrator", False)],
    )  # fmt: skip
    def test_they_open_to_who_sees_the_records(self, client, name, role, may):
        account = make_account()
        user = person("somebody", role)
        client.force_login(user)

        url = access_of(account) if name == "accounts:access" else links_of(account)

        assert client.get(url).status_code == (200 if may else 403)
        assert page_named(name).opens_to(user, "GET") is may
        assert not page_named(name).opens_to(user, "POST")

    def test_who_may_not_see_access_records_finds_neither_section_nor_door(self, client):
        account = make_account()
        shown = [account_sections.access_countries(account), account_sections.access_days(account)]

        assert access_page.with_door(shown, account, person("cleo", "senior manager")) == []
        first, second = access_page.with_door(shown, account, person("ana", "reviewer"))
        assert (first.url, second.url) == (access_of(account), "")

    def test_a_look_is_counted(self, analyst_client):
        account = make_account()
        analyst_client.get(access_of(account))
        analyst_client.get(links_of(account))

        assert IdentityView.objects.count() == 2

    @pytest.mark.parametrize(("role", "url"), [("reviewer", True), ("administrator", False)])
    def test_a_section_keeps_its_door_only_for_who_may_open_it(self, role, url):
        section = Table("links", "Links", [], [], url=links_of(make_account()), url_label="Show as a graph")

        assert bool(for_viewer(section, person("somebody", role)).url) is url


class TestAccess:
    def test_it_shows_map_days_networks_and_hours_of_the_window(self, analyst_client):
        account = make_account()
        access_days.write([
            day_of(account), day_of(account, country="FR", anonymiser="vpn", count=3, hours=(2,)),
            day_of(account, LAST - timedelta(days=40), country="CN", count=7),
            day_of(account, LAST - timedelta(days=1), kind="admin", count=2, hours=(10,)),
            day_of(account, LAST - timedelta(days=2), public=False, count=4),
        ])  # fmt: skip

        seen = seen_of(account, 30)
        page = analyst_client.get(access_of(account, "30")).content.decode()

        assert [(each.name, each.count, each.hidden) for each in seen.countries] == [("DE", 7, 0), ("FR", 3, 3)]
        assert [(day.accesses, day.acts) for day in seen.days] == [(4, 0), (0, 2), (8, 0)]
        assert seen.days[-1].hours == 1 << 2 | 1 << 9 | 1 << 17 and seen.days[-1].hidden == 3
        assert "12 accesses and 2 administrative acts from 30 Jan 2026 to 28 Feb 2026" in page
        assert 'id="country-FR"' in page and 'id="country-CN"' not in page
        assert "An address does not show who somebody is" in page
        assert seen_of(account).since == LAST - timedelta(days=40)

    def test_it_never_reads_records_and_costs_the_same_for_a_day_and_a_year(self, analyst_client):
        few, many = make_account(), make_account()
        access_days.write([day_of(few)])
        access_days.a_year_of(many, ("DE", "CN", "US", "RU", "BR"))
        for days in access_page.WINDOWS:
            assert queries_of(analyst_client, access_of(few, days)) == queries_of(analyst_client, access_of(many, days))
        with CaptureQueriesContext(connection) as ran:
            analyst_client.get(access_of(many, "all"))

        assert not [each for each in ran.captured_queries if "accounts_accessrecord" in each["sql"]]
        assert len([each for each in ran.captured_queries if "accounts_accessday" in each["sql"]]) == 4

    def test_hours_stand_in_the_zone_of_who_looks(self, client):
        user = person("ines", "reviewer")
        user.time_zone = "Asia/Kolkata"
        user.save(update_fields=["time_zone"])
        client.force_login(user)
        account = make_account()
        access_days.write([day_of(account, hours=(3,))])

        page = client.get(access_of(account)).content.decode()

        assert "Your zone is Asia/Kolkata (UTC+5:30 on 28 Feb 2026)" in page
        assert "08:30: 1 day<" in page

    def test_the_lists_knew_neither_country_nor_network(self, analyst_client):
        account = make_account()
        access_days.write([day_of(account, country="", network="")])

        page = analyst_client.get(access_of(account)).content.decode()

        assert "unknown" in page and page.count('<a class="tile-seen') == 0

    def test_a_hostile_network_name_stays_text(self, analyst_client):
        account = make_account()
        access_days.write([day_of(account, network=HOSTILE)])

        assert "<script>alert" not in analyst_client.get(access_of(account)).content.decode()

    @pytest.mark.parametrize("days", ["31", "everything"])
    def test_t15_another_window_is_refused_in_one_sentence(self, analyst_client, days):
        answer = analyst_client.get(access_of(make_account(), days))

        assert answer.status_code == 400 and "There is no such window" in answer.content.decode()

    def test_without_any_access_it_says_what_to_do(self, analyst_client):
        page = analyst_client.get(access_of(make_account())).content.decode()

        assert "import_access_log" in page and reverse("admin:accounts_accessbatch_changelist") in page


class TestLinks:
    def test_it_shows_who_shares_what_and_how_rare_that_is(self, analyst_client):
        made = ties.a_campaign(3)
        ties.remembered(made[1].party, "ACC-0LD0-0007")
        Account.objects.filter(pk=made[2].pk).update(status="active")

        page = analyst_client.get(links_of(made[0])).content.decode()

        assert "payment card, 3 holders (few hold it)" in page
        assert "nobody else holds it" in page and "ACC-0LD0-0007" in page and "old reference" in page
        for account in made:
            assert reverse("admin:accounts_party_change", args=[account.party_id]) in page

    def test_its_queries_do_not_grow_with_its_nodes(self, analyst_client):
        small, large = ties.a_campaign(2), make_account(legal_name="Large")
        for n in range(12):
            ties.tie("card", f"tok_9999{n:08d}", large.party, make_party())

        assert queries_of(analyst_client, links_of(large)) <= queries_of(analyst_client, links_of(small[0])) + 1

    def test_a_hostile_name_stays_text(self, analyst_client):
        one, other = make_account(), make_account(legal_name=HOSTILE)
        ties.tie("card", "tok_400000000001", one.party, other.party)

        page = analyst_client.get(links_of(one)).content.decode()

        assert "<script>alert" not in page and page.count("&lt;script&gt;alert(1)") >= 3

    def test_nobody_tied_says_so(self, analyst_client):
        assert "Nothing ties them to anybody" in analyst_client.get(links_of(make_account())).content.decode()


def graph_with(count, tie_pairs, **changes):
    nodes = [Node(n, f"PTY-{n:04d}", f"Customer {n}", "active", False) for n in range(count)]
    told = [Tie(a, b, (Shared("card", 2),), 0.85, "") for a, b in tie_pairs]
    return graph_page.graph_of(nodes, told)


class TestGraph:
    def test_more_than_forty_are_counted_not_drawn(self):
        graph = graph_with(60, [(0, n) for n in range(1, 60)])

        assert graph.svg.count("data-node=") == 41 and len(graph.table.rows) == 41
        assert graph.notes[0].startswith("And 19 more further away")

    def test_ties_without_a_lane_are_in_the_table(self):
        graph = graph_with(15, [(a, b) for b in range(15) for a in range(b)])

        (note,) = graph.notes
        assert note.endswith("found no room in the picture; the table has all.")
        assert "".join(str(row[-1]) for row in graph.table.rows).count("<li>") == 15 * 14 / 2

    @given(
        st.lists(st.text(max_size=80), min_size=2, max_size=12),
        st.lists(st.tuples(*[st.integers(0, 11)] * 2), max_size=40),
    )
    def test_whatever_the_names_and_ties_no_two_labels_meet(self, names, pairs):
        nodes = [Node(n, f"PTY-{n:04d}", name, "active", False) for n, name in enumerate(names)]
        told = [Tie(a, b, (Shared("card", 3),), (a + b) / 22, "") for a, b in pairs if a < b < len(names)]

        graph = graph_page.graph_of(nodes, told)

        drawn = [node for node in parsed(graph.svg).iter() if node.get("data-node")]
        assert [node.get("data-node") for node in drawn] == [str(n) for n in range(len(names))]
        below = 0.0
        for node in drawn:
            room = next(part for part in node.iter() if part.get("class") == "graph-room")
            top, height = float(room.get("y")), float(room.get("height"))
            lines = [float(text.get("y")) for text in node.iter(f"{SVG}text")]
            assert below <= top and top < min(lines) and max(lines) < top + height
            below = top + height

    @pytest.mark.parametrize(
        ("state", "restricted", "shape"),
        [
            ("active", False, "open"), ("active (blocked)", True, "restricted"), ("closed", False, "closed"),
            ("closed (terms broken)", True, "closed"), ("not opened", True, "refused"), ("prospect", False, ""),
            ("no account of its own", False, "owner"),
        ],
    )  # fmt: skip
    def test_each_state_has_its_shape(self, state, restricted, shape):
        party = make_party()
        assert graph_page.shape_of(Node(party.pk, party.reference, "X", state, restricted, party)) == shape
        assert graph_page.shape_of(Node(party.pk, "ACC-1", "ACC-1", state, True)) == "remembered"
