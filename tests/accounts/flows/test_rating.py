"""The tier of an account: by its flags, by hand for a time, never below a confirmed hit; and the next review."""

import re
from datetime import date, timedelta

import pytest

from accounts.flows import closing, parties, rating, reverification, screening, signals
from accounts.flows.parties import NewAddress
from accounts.models import RiskOverride
from accounts.rules.detectors import Flag
from accounts.tasks import end_tiers_set_by_hand
from kyc_portal.notices.models import Notice
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.refusal import Refusal
from tests.builders import make_account, make_hit, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 2)
OPENED = TODAY
MONTH = TODAY + timedelta(days=30)
CONFLICT = Flag("country_conflict", "These name different countries: document and payment.", {"document": ["DE"]})
LISTED = Flag("confirmed_list_hit", "1 sanctions hit is confirmed", {"hits": ["HIT-1"]})


def set_tier(account, tier, *, last_day=MONTH, reason="Known for years.", at=NOON):
    return rating.set_tier(account, tier=tier, reason=reason, last_day=last_day, by=SCHEDULER, at=at)


def raised(account, flag, at=NOON):
    return signals.raise_signal(account, flag, by=SCHEDULER, at=at)


def tier_of(account) -> tuple[str, int, date | None]:
    account.refresh_from_db()
    return account.risk_tier, account.risk_score, account.next_review_on


class TestByFlags:
    def test_r45_each_weight_is_a_figure_of_the_regime(self):
        account = make_open_account()
        RegimeNumber.objects.filter(name="weight_country_conflict").update(value=60)

        assert raised(account, CONFLICT).weight == 60

        assert tier_of(account) == ("high", 60, OPENED + timedelta(days=180))

    def test_every_shipped_weight_says_why(self):
        weights = RegimeNumber.objects.filter(name__startswith="weight_")

        assert weights.count() > 8
        assert all(figure.reason and figure.citation.code == "own" for figure in weights.select_related("citation"))


class TestByHand:
    def test_it_decides_tier_and_review_and_leaves_the_score(self):
        account = make_open_account()
        raised(account, CONFLICT)

        override = set_tier(account, "high")

        assert tier_of(account) == ("high", 30, OPENED + timedelta(days=180))
        event = AuditEvent.objects.get(verb="accounts.tier_set")
        assert event.facts == {"tier": "high", "last_day": "2026-04-01", "row": override.reference}

    def test_flags_that_come_later_do_not_change_it(self):
        account = make_open_account()
        set_tier(account, "high")

        raised(account, CONFLICT)

        assert tier_of(account)[:2] == ("high", 30)

    def test_a_new_one_replaces_the_former(self):
        account = make_open_account()
        former, later = set_tier(account, "high"), set_tier(account, "medium")

        former.refresh_from_db()
        assert former.ended_at == NOON and later.ended_at is None
        assert tier_of(account)[0] == "medium"

    def test_it_can_be_ended_before_its_day(self):
        account = make_open_account()
        set_tier(account, "high")

        rating.end_override(account, by=SCHEDULER, at=NOON)

        assert tier_of(account)[0] == "low"
        with pytest.raises(rating.NothingSet, match="not set by hand"):
            rating.end_override(account, by=SCHEDULER, at=NOON)

    def test_the_nightly_task_ends_it_after_its_last_day_and_not_before(self):
        account = make_open_account()
        set_tier(account, "high")

        told = [end_tiers_set_by_hand(at=(NOON + timedelta(days=days)).isoformat()) for days in (30, 31, 31)]

        assert [step["done"] for step in told] == [0, 1, 0]
        assert tier_of(account)[0] == "low"
        assert RiskOverride.objects.get().ended_at == NOON + timedelta(days=31)
        assert AuditEvent.objects.filter(verb="accounts.tier_ended").count() == 1

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"reason": "  "}, "Reason is empty"),
            ({"reason": "x" * 301}, "Reason"),
            ({"last_day": TODAY - timedelta(days=1)}, "is not between 2026-03-02 and 2026-08-29"),
            ({"last_day": TODAY + timedelta(days=181)}, r"within 180 days \(own policy\)"),
            ({"tier": "low"}, "of low risk already"),
        ],
    )
    def test_what_cannot_be_set_is_refused_with_a_sentence(self, changes, sentence):
        account = make_open_account()

        with pytest.raises(Refusal, match=sentence):
            set_tier(account, **{"tier": "high", **changes})

        assert not RiskOverride.objects.exists()

    def test_nobody_lowers_it_while_a_list_hit_is_confirmed(self):
        account = make_open_account()
        raised(account, LISTED)

        with pytest.raises(rating.TierNotSet, match="confirmed"):
            set_tier(account, "medium")

        assert tier_of(account)[0] == "high"

    def test_an_account_that_has_ended_has_none(self):
        account = make_open_account()
        closing.close_account(account, reason="customer_wish", by=SCHEDULER, at=NOON)

        with pytest.raises(rating.TierNotSet, match="has ended"):
            set_tier(account, "high")


class TestR46Triggers:
    """What happens to a customer in use brings the question for proof; once, until it is answered."""

    def test_another_country_is_a_change_of_location(self):
        account = make_open_account()
        known = account.party.addresses.first().country.code
        move(account, known)
        account.refresh_from_db()
        assert account.review_asked_on is None

        move(account, "FR")

        account.refresh_from_db()
        assert (account.review_asked_on, account.review_trigger) == (TODAY, "location_changed")

    def test_of_an_account_that_is_not_open_nothing_is_asked(self):
        account = make_account()

        move(account, "FR")

        account.refresh_from_db()
        assert account.review_asked_on is None

    def test_a_confirmed_hit_asks_and_a_dismissed_one_does_not(self, analyst, lead):
        account = make_open_account()
        judge(make_hit(account.party), analyst, lead, is_match=False)
        account.refresh_from_db()
        assert account.review_asked_on is None

        judge(make_hit(account.party), analyst, lead, is_match=True)

        account.refresh_from_db()
        assert account.review_trigger == "list_hit"

    def test_the_customer_reads_the_same_whatever_the_occasion(self):
        moved, other = make_open_account(), make_open_account()
        move(moved, "FR")
        reverification.request_after(other, trigger="list_hit", by=SCHEDULER, at=NOON)

        texts = {notice_of(account) for account in (moved, other)}

        assert len(texts) == 1


def move(account, country):
    address = NewAddress(kind="residence", lines="1 New Street", region="", country=country)
    parties.add_address(account.party, address=address, by=SCHEDULER, at=NOON)


def judge(hit, first, second, *, is_match):
    hit = screening.propose_judgement(hit, is_match=is_match, reason="Seen both.", by=first, at=NOON)
    screening.second_judgement(hit, agrees=True, shown=screening.digest_of(hit), by=second, at=NOON)


def notice_of(account) -> str:
    notice = Notice.objects.get(key=str(account.pk), kind="reverification_asked")
    text = notice.context.reveal().replace(account.party.legal_name, "NAME").replace(account.reference, "ACC")
    return re.sub(r"/me/link/[\w-]+", "/me/link/TOKEN", text)
