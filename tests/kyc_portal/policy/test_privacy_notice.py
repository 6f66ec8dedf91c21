"""The privacy notice as dated versions (R23)."""

from datetime import date, timedelta

import pytest

from accounts.flows import intake
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.policy.models import PrivacyNoticeVersion
from kyc_portal.policy.privacy_notice import EmptyNotice, NoNotice, approve_notice, notice_on
from kyc_portal.records.refs import SCHEDULER
from tests.builders import new_person
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = NOON.date()


class TestVersions:
    def test_the_first_is_shipped(self):
        assert (notice_on(DAY).number, notice_on(DAY).approved_by) == (1, "shipped")

    def test_r23_the_one_in_force_that_day_counts(self, compliance):
        approve_notice(text="Second.", effective_from=DAY, by=compliance, at=NOON)
        approve_notice(text="Later.", effective_from=DAY + timedelta(days=1), by=compliance, at=NOON)

        told = [notice_on(DAY + timedelta(days=days)).text for days in (-1, 0, 1)]

        assert told[1:] == ["Second.", "Later."] and told[0].startswith("Before we open")

    @pytest.mark.parametrize("text", ["", " \n\t"])
    def test_one_without_text_is_refused(self, compliance, text):
        with pytest.raises(EmptyNotice, match="Paste the approved wording"):
            approve_notice(text=text, effective_from=DAY, by=compliance, at=NOON)

        assert PrivacyNoticeVersion.objects.count() == 1

    def test_before_the_first_there_is_none(self):
        with pytest.raises(NoNotice, match="in force on 1999-12-31"):
            notice_on(date(1999, 12, 31))

    def test_r23_a_new_customer_is_told_its_words_and_keeps_its_number(self, compliance):
        approve_notice(text="Second wording.", effective_from=DAY, by=compliance, at=NOON)

        account = intake.open_prospect(new_person(), source="test", by=SCHEDULER, at=NOON)

        _, body = wording_of(Notice.objects.get(kind="privacy_notice", key=str(account.pk)))
        assert account.notice_version == "2" and "Second wording." in body and "version 2" in body

    def test_compliance_approves_one_on_its_page(self, client, compliance_user, lead_user):
        form = {"text": "From the page.", "effective_from": "2026-03-02"}
        client.force_login(lead_user)
        assert client.post("/admin/policy/privacynoticeversion/add/", form).status_code == 403

        client.force_login(compliance_user)
        assert client.post("/admin/policy/privacynoticeversion/add/", form).status_code == 302
        version = PrivacyNoticeVersion.objects.get(number=2)
        assert b"From the page." in client.get(f"/admin/policy/privacynoticeversion/{version.pk}/change/").content
