"""A special measure from the determination to the lapse, through the doors people use (R91-R97, T17)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.flows import activation, identification, restrictions
from cases import tasks
from cases.models import SpecialMeasure
from kyc_portal.notices.models import Notice
from kyc_portal.records import audit
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from kyc_portal.work import queue
from resellers.models import DownstreamCustomer, Reseller
from tests import signing
from tests.bad_input.doors import logged_in
from tests.builders import make_company, make_ready_account
from tests.cases.builders import make_open_account
from tests.cases.measures import BEGINS, EXPIRES, FROM_THERE, hit_of, noon_of
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DETERMINED = {
    "kind": "jurisdiction", "country": "BY", "action": "prohibit", "strength": "overridable", "title": "Belarus",
    "source": "91 FR 12345", "text": "No account of a foreign person there may be kept.", "determined_on": "2026-03-02",
}  # fmt: skip


@pytest.fixture
def on_day(monkeypatch):
    """Lets everybody's pages be of another day."""

    def on_day(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    on_day(NOON)
    return on_day


def do(user, record, name, **data) -> str:
    """Press a button as the person's browser does; gives the page that follows."""
    url = reverse(f"admin:cases_{record._meta.model_name}_do", args=[record.pk, name])
    return signing.press(logged_in(user), url, **data).content.decode()


def page_of(user, record) -> str:
    return logged_in(user).get(url_of(record)).content.decode()


def bases(account) -> list[str]:
    return list(account.restrictions.in_force().order_by("applied_at").values_list("basis", flat=True))


def scheduler(at) -> None:
    """What the beat table does on that day."""
    for task in (tasks.compute_measure_hits, tasks.bring_measures_into_effect, tasks.lift_expired_measures):
        task(at=at.isoformat())


def test_a_measure_by_jurisdiction_from_determination_to_lapse(
    on_day, counsel_user, second_counsel_user, analyst_user, lead_user
):
    resident, moved, elsewhere = (make_open_account(addresses=place) for place in (FROM_THERE, FROM_THERE, ()))
    owned, sold, prospect = make_company(), make_open_account(), make_ready_account(addresses=FROM_THERE)
    owned.status, owned.opened_at = "active", NOON
    owned.save(update_fields=["status", "opened_at"])
    identification.add_owner(owned.party, owner=resident.party, percent=Decimal(40), by=SCHEDULER, at=NOON)
    seller = Reseller.objects.create(account=make_open_account(addresses=FROM_THERE), added_at=NOON)
    DownstreamCustomer.objects.create(reseller=seller, account=sold, added_at=NOON)

    # Day 0: one of legal records the determination, another confirms it; a worker looks who is hit.
    logged_in(counsel_user).post(reverse("admin:cases_specialmeasure_add"), DETERMINED)
    measure = SpecialMeasure.objects.get()
    assert "Ask a colleague" in do(counsel_user, measure, "confirm")
    assert "29 Aug 2026" in do(second_counsel_user, measure, "confirm")
    queue.run_due(NOON, by=SCHEDULER)
    do(counsel_user, measure, "note-factor", factor="cooperation", note="Requests stay unanswered.")

    # During the wait two people find that one customer moved, and one that whom the reseller serves is not meant.
    waiting = NOON + timedelta(days=100)
    on_day(waiting)
    assert "waits for a second person" in do(
        analyst_user, hit_of(measure, moved), "judge", judgement="not", why="not_located"
    )
    do(lead_user, hit_of(measure, moved), "agree")
    do(analyst_user, hit_of(measure, sold), "judge", judgement="not", why="not_theirs")
    dry_run = logged_in(lead_user).get(reverse("admin:cases_specialmeasure_dry_run", args=[measure.pk]))
    restricted = (resident, owned, seller.account)
    assert "Accounts that would be suspended" in dry_run.content.decode()
    assert all(account.reference in dry_run.content.decode() for account in restricted)
    scheduler(noon_of(BEGINS) - timedelta(days=1))
    assert not any(bases(account) for account in (*restricted, moved, sold, elsewhere))

    # Day 180: it takes effect by itself, on whom the dry run named and nobody else.
    begun = noon_of(BEGINS)
    on_day(begun)
    scheduler(begun)
    assert [bases(account) for account in restricted] == [[measure.reference]] * 3
    assert not any(bases(account) for account in (moved, sold, elsewhere))
    assert "No account of a foreign person there may be kept." in page_of(analyst_user, resident)
    words = Notice.objects.filter(key=str(resident.pk)).order_by("-queued_at").first().context.reveal()
    assert "rules that apply to us" in words and measure.reference not in words
    with pytest.raises(activation.NotReady, match=measure.reference):
        activation.activate(prospect, by=lead_user.as_actor, at=begun)

    # An authority asks to keep one account in use for a month; afterwards the measure restricts it again.
    days = {"from_on": "2026-09-01", "to_on": "2026-09-30"}
    do(counsel_user, hit_of(measure, resident), "propose-override", ground="requested", **days)
    do(second_counsel_user, hit_of(measure, resident), "agree-override")
    scheduler(begun + timedelta(days=3))
    assert bases(resident) == []
    scheduler(begun + timedelta(days=40))
    assert bases(resident) == [measure.reference]

    # Day 365 of the effect, and one extension; then it expires, and nothing is lifted before a lead has looked.
    on_day(noon_of(EXPIRES))
    assert "28 Aug 2028" in do(counsel_user, measure, "extend")
    restrictions.restrict_by_hand(
        owned, level="limited", reason="use_unexplained", by=lead_user.as_actor, at=noon_of(EXPIRES)
    )
    over = noon_of(EXPIRES) + timedelta(days=366)
    on_day(over)
    scheduler(over)
    measure.refresh_from_db()
    assert measure.state == "over" and bases(resident) == [measure.reference]
    assert "cannot be extended" not in do(lead_user, measure, "review")
    scheduler(over)

    measure.refresh_from_db()
    assert measure.state == "closed"
    assert bases(resident) == bases(seller.account) == [] and bases(owned) == ["by hand: use_unexplained"]
    told = [event.verb.removeprefix("cases.measure_") for event in reversed(audit.history_of(measure))]
    order = ["recorded", "confirmed", "weighed", "in_effect", "extended", "over", "reviewed", "closed"]
    assert [verb for verb in told if verb in order] == order
