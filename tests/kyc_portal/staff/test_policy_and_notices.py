from datetime import date, timedelta

import pytest

from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import start_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import CipVersion, Deadline
from kyc_portal.records.keys import destroy_key
from kyc_portal.records.models import IdentityView
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_cip
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
CIPS, NOTICES = "/admin/policy/cipversion/", "/admin/notices/notice/"


class TestPolicy:
    def test_the_proposal_says_so_on_every_page_that_shows_it(self, as_role):
        staff = as_role("compliance")
        profile = regime_on(NOON.date()).figures["retention_years"]
        account = make_account()
        clock = start_clock(
            "cip of a reseller", account, figure="reseller_cip_days", regime=regime_on(NOON.date()), on=NOON.date(),
            by=SCHEDULER, at=NOON,
        )  # fmt: skip

        pages = [
            "/admin/policy/regimeprofile/", f"/admin/policy/regimeprofile/{profile.profile_id}/change/",
            "/admin/policy/citation/", f"/admin/policy/citation/{profile.citation_id}/change/",
            "/admin/policy/deadline/", f"/admin/policy/deadline/{clock.pk}/change/",
        ]  # fmt: skip

        for path in pages:
            assert "proposed" in staff.get(path).content.decode().partition("<main")[2].partition("</main>")[0], path

    def test_a_regimes_page_shows_each_figure_with_unit_source_and_mark(self, as_role):
        figure = regime_on(NOON.date()).figures["owner_share_percent"]

        page = as_role("compliance").get(f"/admin/policy/regimeprofile/{figure.profile_id}/change/").content.decode()

        for shown in ("owner share percent", "25 percent", "15 CFR 7.302 (89 FR 5698)", "read in a secondary text"):
            assert shown in page

    def test_clocks_are_filtered_by_how_near_they_are(self, as_role):
        regime = regime_on(NOON.date())
        today = date.today()
        for name, on in (("late", today - timedelta(days=40)), ("near", today - timedelta(days=12)), ("far", today)):
            start_clock(name, make_account(), figure="verify_days", regime=regime, on=on, by=SCHEDULER, at=NOON)
        Deadline.objects.filter(kind="verify by").delete()
        staff = as_role("compliance")

        def shown(choice):
            page = staff.get("/admin/policy/deadline/", {"due": choice}).content.decode()
            return {name for name in ("late", "near", "far") if f'field-kind">{name}<' in page}

        assert (shown("overdue"), shown("near"), shown("running")) == ({"late"}, {"near"}, {"late", "near", "far"})

    def test_compliance_approves_a_cip_and_its_text_is_shown_as_written(self, as_role):
        staff = as_role("compliance")
        form = {"title": "CIP 2", "text": "First line\n\n<b>Second</b> {{ 7|add:7 }}", "effective_from": "2026-04-01"}

        staff.post(f"{CIPS}add/", form)

        version = CipVersion.objects.get()
        page = staff.get(f"{CIPS}{version.pk}/change/").content.decode()
        assert version.approved_by == "some.compliance"
        assert "&lt;b&gt;Second&lt;/b&gt; {{ 7|add:7 }}" in page and version.sha256 in page

    def test_a_cip_without_text_is_refused(self, as_role):
        page = as_role("compliance").post(f"{CIPS}add/", {"title": "CIP", "text": " ", "effective_from": "2026-04-01"})

        assert b"There is a problem" in page.content and not CipVersion.objects.exists()

    @pytest.mark.parametrize("role", ["lead reviewer", "legal", "senior manager", "auditor"])
    def test_nobody_else_approves_one(self, as_role, role):
        version = make_cip()
        staff = as_role(role)

        assert staff.get(f"{CIPS}{version.pk}/change/").status_code == 200
        assert staff.post(f"{CIPS}add/", {"title": "x", "text": "y", "effective_from": "2026-04-01"}).status_code == 403
        assert CipVersion.objects.count() == 1


class TestNotices:
    def make_notice(self):
        account = make_account(legal_name="Secretname", email="secretmail@customer.example")
        return Notice.objects.get(label="accounts.account", key=str(account.pk))

    @pytest.mark.parametrize("role", ["lead reviewer", "legal"])
    def test_who_may_unmask_reads_wording_and_address_and_the_look_is_counted(self, as_role, role):
        notice = self.make_notice()

        page = as_role(role).get(f"{NOTICES}{notice.pk}/change/").content.decode()

        assert "Secretname" in page and "secretmail@customer.example" in page
        assert IdentityView.objects.get(about_key=str(notice.pk)).count == 1

    @pytest.mark.parametrize("role", ["compliance", "senior manager", "auditor"])
    def test_everybody_else_reads_dots(self, as_role, role):
        notice, staff = self.make_notice(), as_role(role)

        pages = staff.get(f"{NOTICES}{notice.pk}/change/").content + staff.get(NOTICES).content

        assert notice.reference.encode() in pages and "••••••".encode() in pages
        assert b"Secretname" not in pages and b"secretmail" not in pages

    def test_a_notice_of_a_person_whose_key_is_gone_says_so(self, as_role):
        notice = self.make_notice()
        destroy_key(notice.subject)

        page = as_role("legal").get(f"{NOTICES}{notice.pk}/change/")

        assert page.status_code == 200 and b"destroyed with the person" in page.content
