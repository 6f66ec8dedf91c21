"""Whom a measure hits, by which evidence, and what people find of it (R92, R95)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.flows import identification
from accounts.flows.address_alone import AddressAlone
from accounts.flows.texts import BadField
from accounts.models import AccessBatch, AccessRecord, Account, PaymentMethod, Restriction
from cases.flows import measure_effects, measure_evidence, measure_hits, measure_judging
from cases.models import MeasureHit, MeasureOverride
from cases.rules.measures import BadDates
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from resellers.models import DownstreamCustomer, Reseller
from tests.builders import make_company, make_entry
from tests.cases.builders import make_open_account, make_signal
from tests.cases.measures import (
    BEGINS,
    EXPIRES,
    FIRST,
    FROM_THERE,
    SECOND,
    hit_of,
    make_in_effect,
    make_measure,
    noon_of,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
BEGUN = noon_of(BEGINS)


def owns(owner, owned, percent, **more):
    identification.add_owner(
        owned.party, owner=owner.party, percent=Decimal(percent), by=SCHEDULER, at=NOON, **more
    )  # fmt: skip


def see(account, country="BY", count=1, **more):
    """Accesses from an address there."""
    batch = AccessBatch.objects.create(
        account=account, format="jsonl", file_name="a", sha256=f"{account.pk.int:064x}"[-64:], read_count=count,
        new_count=count, known_count=0, refused_count=0, imported_at=NOON, imported_by="test",
    )  # fmt: skip
    AccessRecord.objects.bulk_create(
        AccessRecord(
            account=account, batch=batch, at=datetime(2026, 2, 1 + n, tzinfo=UTC), kind="access", action="Login",
            address="178.124.0.1", source_system="console", event_id=f"e{n}", country=country, **more,
        )
        for n in range(count)
    )  # fmt: skip


def found_for(account, measure) -> list[str]:
    """The evidence of the stored hit, by code; the same as looking at this account alone finds."""
    hit = MeasureHit.objects.filter(measure=measure, account=account, gone_at__isnull=True).first()
    alone = measure_hits.evidence_for(account, measure, on=NOON.date())
    assert [each.as_row() for each in alone] == (hit.evidence if hit else [])
    return [row["code"] for row in hit.evidence] if hit else []


class TestEvidence:
    def test_place_citizenship_and_payment_each_say_what_they_are(self):
        resident, citizen = make_open_account(addresses=FROM_THERE), make_open_account(citizenship="BY")
        payer = make_open_account()
        PaymentMethod.objects.create(party=payer.party, kind="bank", country="BY", added_at=NOON)
        ended = make_open_account()
        PaymentMethod.objects.create(party=ended.party, kind="bank", country="BY", added_at=NOON, ended_at=NOON)
        company = make_company(formation_country="BY")

        measure = make_measure()

        assert found_for(resident, measure) == ["place"] and hit_of(measure, resident).decides
        assert found_for(citizen, measure) == ["citizenship"] and not hit_of(measure, citizen).decides
        assert found_for(payer, measure) == ["payment"] and not hit_of(measure, payer).decides
        assert found_for(company, measure) == ["place"]
        assert found_for(ended, measure) == []

    def test_us_persons_are_not_meant_by_place_and_addresses_of_kin_say_nothing(self):
        us = make_open_account(addresses=FROM_THERE)
        us.party.us_status = "us"
        us.party.save(update_fields=["us_status"])
        kin = make_open_account()
        kin.party.addresses.update(kind="next_of_kin", country="BY")

        measure = make_measure()

        assert found_for(us, measure) == found_for(kin, measure) == []

    def test_an_observed_address_alone_never_restricts_and_with_another_flag_a_person_may_judge_so(self):
        account = make_open_account()
        see(account, count=3)
        measure = make_in_effect()

        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)

        hit = hit_of(measure, account)
        assert hit.sentences == [
            "3 accesses came from public addresses in BY, the last on 2026-02-03; an address alone never restricts."
        ]
        assert not hit.decides and not Restriction.objects.exists()
        assert not measure_effects.forbids_opening(account, BEGUN)

        with pytest.raises(AddressAlone, match="No decision rests on an address alone"):
            measure_judging.judge(hit, judgement="applies", why="used_there", by=FIRST, at=BEGUN)
        assert hit_of(measure, account).judgement == "open" and not Restriction.objects.exists()
        make_signal(account, "country_conflict")
        measure_judging.judge(hit, judgement="applies", why="used_there", by=FIRST, at=BEGUN)

        assert Restriction.objects.get().basis == measure.reference
        assert measure_effects.forbids_opening(account, BEGUN)

    def test_behind_an_anonymiser_nobody_was_seen(self):
        account = make_open_account()
        see(account, anonymiser="vpn")

        assert found_for(account, make_measure()) == []

    def test_owners_by_share_and_by_control_through_companies_and_who_it_goes_through(self):
        resident = make_open_account(addresses=FROM_THERE)
        holding, works, led, small = make_company(), make_company(), make_company(), make_company()
        owns(resident, holding, 60)
        owns(holding, works, 50)
        owns(resident, led, 1, has_control=True)
        owns(resident, small, 24)

        measure = make_measure()

        assert found_for(works, measure) == found_for(holding, measure) == found_for(led, measure) == ["owner"]
        assert found_for(small, measure) == []
        (told,) = hit_of(measure, works).sentences
        assert told == (f"30 % of the customer is held by whom the measure hits, through {holding.party.reference}.")
        assert hit_of(measure, works).decides and hit_of(measure, led).decides

    def test_whether_owners_decide_is_policy(self):
        resident, works = make_open_account(addresses=FROM_THERE), make_company()
        owns(resident, works, 60)
        RegimeNumber.objects.filter(name="measure_decides_owner").update(value=0)

        assert not hit_of(make_measure(), works).decides

    def test_a_person_hits_the_companies_that_are_theirs(self):
        person, works = make_open_account(), make_company()
        owns(person, works, 25)
        measure = make_measure(kind="person", country="", party=person.party.reference)

        assert found_for(person, measure) == ["named"] and found_for(works, measure) == ["owner"]

    def test_resellers_and_whom_they_sell_to(self):
        seller = Reseller.objects.create(account=make_open_account(addresses=FROM_THERE), added_at=NOON)
        sold, direct = make_open_account(), make_open_account()
        DownstreamCustomer.objects.create(reseller=seller, account=sold, added_at=NOON)
        other = Reseller.objects.create(account=make_open_account(), added_at=NOON)
        make_entry(other, "C-1", country="BY")
        make_entry(other, "C-2", country="BY", account=direct)

        measure = make_measure()

        assert found_for(seller.account, measure) == ["place"]
        assert found_for(sold, measure) == ["sold_through"]
        assert found_for(other.account, measure) == ["roster"] and found_for(direct, measure) == ["roster"]
        assert hit_of(measure, other.account).sentences[0].startswith("2 of the customers stated")
        assert not hit_of(measure, sold).decides and not hit_of(measure, other.account).decides

    def test_a_person_on_a_roster_is_found_by_name(self):
        seller = Reseller.objects.create(account=make_open_account(), added_at=NOON)
        person = make_open_account(legal_name="Ivan Example")
        make_entry(seller, "C-1", name="IVAN  example")

        measure = make_measure(kind="person", country="", party=person.party.reference)

        assert found_for(seller.account, measure) == ["roster"]

    def test_the_pass_takes_as_many_queries_for_many_as_for_few(self, django_assert_max_num_queries):
        for _ in range(12):
            owns(make_open_account(addresses=FROM_THERE), make_company(), 40)
        measure = make_measure(confirmed=False)

        with django_assert_max_num_queries(20):
            assert len(measure_evidence.gather(measure, on=NOON.date())) == 24


class TestKeeping:
    def test_only_what_changed_is_written(self):
        make_open_account(addresses=FROM_THERE)
        measure = make_measure()
        written = MeasureHit.objects.get()
        later = NOON + timedelta(days=1)

        told = measure_hits.compute_hits(measure, by=SCHEDULER, at=later)

        assert vars(told) == {"hits": 1, "new": 0, "changed": 0, "gone": 0}
        assert MeasureHit.objects.get().changed_at == written.changed_at
        event = AuditEvent.objects.filter(verb="cases.measure_computed").order_by("-pk").first()
        assert event.facts["hits"] == 1

    def test_who_changed_is_looked_at_without_looking_at_everybody(self):
        measure = make_measure()
        account = make_open_account(addresses=FROM_THERE, at=NOON + timedelta(days=2))
        old = make_open_account(addresses=FROM_THERE, at=NOON - timedelta(days=2))
        Account.objects.filter(pk=old.pk).update(opened_at=NOON - timedelta(days=2))

        told = measure_hits.look_at_changed(measure, since=NOON, by=SCHEDULER, at=NOON + timedelta(days=3))

        assert told.new == 1 and hit_of(measure, account)
        assert not MeasureHit.objects.filter(account=old).exists()

    def test_a_hit_that_goes_is_let_go_before_the_effect_and_stays_restricted_after(self):
        moved, restricted = make_open_account(addresses=FROM_THERE), make_open_account(addresses=FROM_THERE)
        measure = make_measure()
        moved.party.addresses.update(country="DE")
        measure_hits.compute_hits(measure, by=SCHEDULER, at=NOON)
        assert hit_of(measure, moved).gone_at == NOON

        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)
        restricted.party.addresses.update(country="DE")
        measure_hits.compute_hits(measure, by=SCHEDULER, at=BEGUN)
        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)

        assert Restriction.objects.in_force().get().account == restricted
        measure_judging.judge(hit_of(measure, restricted), judgement="not", why="not_located", by=FIRST, at=BEGUN)
        assert Restriction.objects.in_force().exists()
        hit = hit_of(measure, restricted)
        measure_judging.agree(hit, shown=measure_judging.digest_of(hit), by=SECOND, at=BEGUN)
        assert not Restriction.objects.in_force().exists()

    def test_new_ties_open_a_judgement_again_and_more_of_the_same_does_not(self):
        account = make_open_account()
        see(account)
        measure = make_measure()
        measure_judging.judge(hit_of(measure, account), judgement="not", why="passing", by=FIRST, at=NOON)
        AccessRecord.objects.update(at=NOON)
        measure_hits.compute_hits(measure, by=SCHEDULER, at=NOON)
        assert hit_of(measure, account).judgement == "not"

        account.party.addresses.update(country="BY")
        measure_hits.compute_hits(measure, by=SCHEDULER, at=NOON)

        assert hit_of(measure, account).judgement == "open"


class TestJudging:
    def test_one_person_alone_frees_nobody_whom_the_measure_means(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect()

        hit = measure_judging.judge(hit_of(measure, account), judgement="not", why="another", by=FIRST, at=BEGUN)
        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)

        assert (hit.judgement, hit.proposal) == ("open", "not")
        assert Restriction.objects.in_force().exists()
        for who in (FIRST, SCHEDULER):
            with pytest.raises(SecondPersonNeeded):
                measure_judging.agree(hit, shown=measure_judging.digest_of(hit), by=who, at=BEGUN)
        measure_judging.agree(hit, shown=measure_judging.digest_of(hit), by=SECOND, at=BEGUN)
        assert not Restriction.objects.in_force().exists()
        with pytest.raises(measure_judging.NothingToAnswer):
            measure_judging.agree(hit, shown=measure_judging.digest_of(hit), by=SECOND, at=BEGUN)

    def test_what_is_sent_back_stands_as_before(self):
        account = make_open_account(citizenship="BY")
        measure = make_measure()
        hit = measure_judging.judge(hit_of(measure, account), judgement="applies", why="located", by=FIRST, at=NOON)
        measure_judging.judge(hit, judgement="not", why="not_located", by=FIRST, at=NOON)

        hit = measure_judging.send_back(hit, by=SECOND, at=NOON)

        assert (hit.judgement, hit.proposal) == ("applies", "")

    @pytest.mark.parametrize(
        ("judgement", "why", "words"),
        [
            ("maybe", "located", "Judgement is not known"),
            ("open", "located", "Judgement is not known"),
            ("applies", "proof", "does not fit"),
            ("not", "located", "does not fit"),
            ("terms_met", "proof", "has no terms"),
            ("not", "because", "Why"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, judgement, why, words):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_measure()

        with pytest.raises(BadField, match=words):
            measure_judging.judge(hit_of(measure, account), judgement=judgement, why=why, by=FIRST, at=NOON)


class TestOverrides:
    def make(self, account=None, **changes):
        account = account or make_open_account(addresses=FROM_THERE)
        return hit_of(make_in_effect(**changes), account)

    def propose(self, hit, first=0, last=30, **more):
        days = {"from_on": BEGINS + timedelta(first), "to_on": BEGINS + timedelta(last)}
        return measure_judging.propose_override(hit, **{"ground": "safety", "by": FIRST, "at": BEGUN, **days, **more})

    def test_on_its_days_the_measure_does_not_restrict_and_after_them_it_does_again(self):
        hit = self.make()
        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)
        self.propose(hit, 2, 4)
        measure_judging.agree_override(hit, shown=measure_judging.next_override(hit).reference, by=SECOND, at=BEGUN)
        standing = []

        for day in range(7):
            measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN + timedelta(days=day))
            standing.append(Restriction.objects.in_force().exists())

        assert standing == [True, True, False, False, False, True, True]

    def test_it_takes_two_and_is_in_force_at_once(self):
        hit = self.make()
        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)
        self.propose(hit)
        assert Restriction.objects.in_force().exists()
        with pytest.raises(SecondPersonNeeded):
            measure_judging.agree_override(hit, shown=measure_judging.next_override(hit).reference, by=FIRST, at=BEGUN)

        measure_judging.agree_override(hit, shown=measure_judging.next_override(hit).reference, by=SECOND, at=BEGUN)

        assert not Restriction.objects.in_force().exists()
        assert not measure_effects.forbids_opening(hit.account, BEGUN)

        measure_judging.end_override(hit, by=FIRST, at=BEGUN)

        assert Restriction.objects.in_force().exists()

    def test_overlapping_days_are_refused_until_the_first_is_declined(self):
        hit = self.make()
        first = self.propose(hit, 0, 30)

        with pytest.raises(BadDates, match=first.reference):
            self.propose(hit, 30, 60)
        self.propose(hit, 31, 60)
        measure_judging.decline_override(hit, shown=measure_judging.next_override(hit).reference, by=SECOND, at=BEGUN)

        self.propose(hit, 5, 30)
        assert MeasureOverride.objects.live().count() == 2

    def test_what_cannot_be_overridden_is_not(self):
        hit = self.make(strength="absolute")

        with pytest.raises(measure_judging.NotOverridable, match="nothing overrides"):
            self.propose(hit)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"ground": "kindness"}, BadField),
            ({"to_on": EXPIRES + timedelta(1)}, BadDates),
            ({"from_on": date(2026, 1, 1)}, BadDates),
            ({"to_on": BEGINS - timedelta(1)}, BadDates),
        ],
    )
    def test_bad_days_and_grounds_are_refused(self, changes, error):
        hit = self.make()

        with pytest.raises(error):
            self.propose(hit, **changes)

        assert not MeasureOverride.objects.exists()

    def test_without_a_proposal_there_is_nothing_to_answer(self):
        hit = self.make()

        for answer, shown in (
            (measure_judging.agree_override, {"shown": ""}), (measure_judging.decline_override, {"shown": ""}),
            (measure_judging.end_override, {}),
        ):  # fmt: skip
            with pytest.raises(measure_judging.NothingToAnswer):
                answer(hit, **shown, by=SECOND, at=BEGUN)
