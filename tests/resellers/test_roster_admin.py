"""The desk's screens of rosters: what is where, who is known elsewhere, and the same cost however long they are."""

import pytest

from tests.builders import make_entry, make_reseller
from tests.conftest import NOON, person
from tests.resellers.rosters import read, row, take_in

pytestmark = pytest.mark.django_db
UPLOADS, ENTRIES = "/admin/resellers/rosterupload/", "/admin/resellers/rosterentry/"
PAGES = ("", "?force=now", "?shared=others", "?country=DE", "?q=Customer")


@pytest.fixture
def rita(client, reseller_desk_user):
    client.force_login(reseller_desk_user)
    return client


def shown(client, path: str) -> str:
    answer = client.get(path, follow=True)
    assert answer.status_code == 200, path
    return answer.content.decode()


class TestUploads:
    def test_the_page_says_what_came_of_its_rows(self, rita):
        reseller = make_reseller(legal_name="Nordlicht Hosting")
        upload = read(reseller, row("1"), row("2", country="XX"))

        page = shown(rita, f"{UPLOADS}{upload.pk}/change/")

        for words in ("Nordlicht Hosting", "1 bad rows", "Column country is no country code", "remy", upload.sha256):
            assert words in page

    def test_lists_and_pages_cost_the_same_for_many_rows(self, rita, django_assert_max_num_queries):
        reseller = make_reseller()
        upload = take_in(reseller, *(row(str(number)) for number in range(60)))

        for path in [UPLOADS, *(ENTRIES + end for end in PAGES)]:
            with django_assert_max_num_queries(12):
                shown(rita, path)
        with django_assert_max_num_queries(25):
            shown(rita, f"{UPLOADS}{upload.pk}/change/")


class TestEntries:
    def test_it_is_found_by_number_beginning_of_the_name_and_address(self, rita):
        reseller = make_reseller()
        take_in(
            reseller, row("C-7", name="Zephyr 100% Trading", email="ops+1@zephyr.example"), row("C-8", name="Other")
        )

        for term in ("C-7", "zephyr 100%"):
            page = shown(rita, f"{ENTRIES}?q={term.replace('%', '%25').replace('+', '%2B')}")
            assert "Zephyr 100% Trading" in page and ">Other<" not in page, term
        for term in ("%25", "_", "rading", "x@", "' OR 1=1--"):
            assert "Zephyr" not in shown(rita, f"{ENTRIES}?q={term}"), term

    def test_the_page_names_versions_and_other_resellers(self, rita):
        reseller, other = make_reseller(), make_reseller(legal_name="Suedwind Hosting")
        make_entry(other, "X-1", name="ZEPHYR trading")
        take_in(reseller, row("C-7", name="Old Name"))
        take_in(reseller, row("C-7", name="Zephyr Trading"), row("C-9", name="Zephyr  Trading"), at=NOON.replace(day=3))
        entry = reseller.entries.in_force().get(number="C-7")

        page = shown(rita, f"{ENTRIES}{entry.pk}/change/")

        for words in ("Suedwind Hosting", "ZEPHYR trading", "Old Name", "stated anew", "Zephyr  Trading"):
            assert words in page

    def test_sealed_values_are_dots_for_who_may_not_read_them(self, client, rita):
        reseller = make_reseller()
        take_in(reseller, row("1", kind="individual", email="maria@canary.example", birth_date="1985-05-17"))
        path = f"{ENTRIES}{reseller.entries.get().pk}/change/"

        page = shown(rita, path)
        client.force_login(person("ana", "reviewer"))
        seen = shown(client, path)

        assert "maria@canary.example" not in page and "1985" not in page
        assert "maria@canary.example" in seen

    def test_nothing_can_be_added_changed_or_deleted(self, rita):
        reseller = make_reseller()
        take_in(reseller, row("1"))

        for path in (UPLOADS, ENTRIES):
            assert rita.get(f"{path}add/").status_code in (403, 404, 405)
        assert rita.post(f"{ENTRIES}{reseller.entries.get().pk}/change/", {"name": "x"}).status_code in (403, 405)

    @pytest.mark.parametrize("path", [UPLOADS, ENTRIES])
    def test_a_reseller_manager_gets_nowhere_here(self, client, reseller_manager_user, path):
        client.force_login(reseller_manager_user)

        assert client.get(path).status_code in (302, 403, 404)
