"""Keys: made once, recognised anew at each request, dead with their owner's role; never a second signature."""

from datetime import timedelta

import pytest
from django.apps import apps

from accounts.flows import restrictions, screening
from cases.flows import decisions
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.api import keys
from kyc_portal.api.models import ApiKey
from kyc_portal.api.scopes import SCOPES
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff import people
from kyc_portal.staff.roles import ROLES
from tests.builders import make_account, make_hit, make_open_account
from tests.cases.builders import approve_seen, make_bundle, make_case
from tests.conftest import NOON, person
from tests.kyc_portal.api.builders import make_key

pytestmark = pytest.mark.django_db
HERE = "192.0.2.7"


def refused(text: str, *, source=HERE, at=NOON) -> str:
    with pytest.raises(keys.NotRecognised) as caught:
        keys.recognise(text, source=source, at=at)
    return caught.value.why


class TestCreate:
    def test_the_text_is_recognised_and_stands_in_no_row(self):
        key = make_key()

        assert keys.recognise(key.text, source=HERE, at=NOON) == key
        secret = key.text.split("_", 2)[2]  # which may have that sign in it, too
        for model in apps.get_models():
            assert secret not in repr(list(model._base_manager.values_list())), model
        assert ApiKey.objects.get().text == ""

    def test_its_secret_has_256_bits_and_no_two_are_alike(self):
        secrets = {make_key().text[len("kyc_") + 9 :] for _ in range(20)}

        assert len(secrets) == 20 and {len(secret) for secret in secrets} == {43}  # 43 letters of 6 bits

    def test_it_leaves_a_grave_event_without_the_secret(self, administrator):
        key = keys.create_key(
            owner=person("owen", "reviewer"), name="Shipper", scopes=["access_logs.write"], networks=[], days=1,
            by=administrator, at=NOON,
        )  # fmt: skip

        event = AuditEvent.objects.get(verb="api.key_created")
        assert event.facts == {
            "key": key.reference, "owner": "owen", "scopes": "access_logs.write", "until": "2026-03-03",
        }  # fmt: skip
        assert key.text[13:].encode() not in bytes(event.canonical)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"scopes": []}, "at least one scope"),
            ({"scopes": ["nonsense"]}, "at least one scope"),
            ({"scopes": ["audit.read"]}, "owen may not fetch the newest checkpoint"),
            ({"days": 0}, "1 to 180 days"),
            ({"days": 181}, "1 to 180 days"),
            ({"networks": ["192.0.2.1/24"]}, "One of the networks is none"),
            ({"networks": ["anywhere"]}, "One of the networks is none"),
            ({"networks": ["192.0.2.0/24"] * 21}, "at most 20 networks"),
        ],
    )
    def test_it_refuses(self, changes, sentence):
        with pytest.raises(keys.BadKey, match=sentence):
            make_key(**changes)

        assert not ApiKey.objects.exists()

    def test_a_name_is_free_again_once_its_key_is_dead(self, administrator):
        first = make_key(name="shipper")
        with pytest.raises(keys.BadKey, match=first.reference):
            make_key(name="shipper")
        keys.revoke_key(first, by=administrator, at=NOON)

        assert make_key(name="shipper").pk != first.pk

    def test_an_owner_who_left_owns_no_new_key(self, administrator):
        owner = people.leave(person("otto", "reviewer"), by=administrator, at=NOON)

        with pytest.raises(keys.BadKey, match="may not"):
            make_key(owner)


class TestRecognise:
    @pytest.mark.parametrize("text", ["", "kyc_", "x" * 10_000, "kyc_22222222_" + "a" * 43, "kyc_é", "\x00", "\ud800"])
    def test_what_is_no_key_is_unknown(self, text):
        make_key()

        assert refused(text) == "unknown"

    def test_every_other_secret_is_wrong(self):
        text = make_key().text

        for other in ("A" * 43, text[13:][::-1], make_key().text[13:]):
            assert refused(text[:13] + other) == "wrong_secret"
        assert refused(text + "=") == refused(text + "\n") == refused(text[:-1]) == "unknown"

    def test_it_runs_out_to_the_second(self):
        key = make_key(days=1)

        assert keys.recognise(key.text, source=HERE, at=NOON + timedelta(days=1, seconds=-1))
        assert refused(key.text, at=NOON + timedelta(days=1)) == "run_out"

    def test_it_is_dead_once_revoked(self, administrator):
        key = make_key()

        keys.revoke_key(key, by=administrator, at=NOON)

        assert refused(key.text) == "revoked"
        with pytest.raises(keys.AlreadyRevoked, match="revoked already"):
            keys.revoke_key(key, by=administrator, at=NOON)

    def test_it_dies_with_its_owners_role_and_when_they_leave(self, administrator):
        key, other = make_key(), make_key(person("otto", "reviewer"))

        people.change_roles(key.owner, ["compliance"], by=administrator, at=NOON)
        people.leave(other.owner, by=administrator, at=NOON)

        assert refused(key.text) == refused(other.text) == "owner_may_not"

    @pytest.mark.parametrize(
        ("source", "is_in"),
        [("192.0.2.7", True), ("192.0.3.7", False), ("2001:db8::1", True), ("2001:db9::1", False), ("", False)],
    )
    def test_networks_are_the_only_places(self, source, is_in):
        key = make_key(networks=["192.0.2.0/24", "2001:db8::/32"])

        if is_in:
            assert keys.recognise(key.text, source=source, at=NOON) == key
        else:
            assert refused(key.text, source=source) == "other_network"


class TestUse:
    def test_a_day_of_use_is_one_write_and_one_event(self):
        key = make_key()

        for hours in (0, 1, 2, 24, 0):
            keys.note_use(key, by=key.as_actor, at=NOON + timedelta(hours=hours))

        key.refresh_from_db()
        assert str(key.last_used_on) == "2026-03-03"
        event, later = AuditEvent.objects.filter(verb="api.key_used").order_by("id")
        assert (event.actor_kind, event.actor_label, event.actor_owner) == (
            "api_client",
            key.reference,
            str(key.owner_id),
        )
        assert later.facts == {"key": key.reference, "day": "2026-03-03"}


class TestTwoPeople:
    """What takes two people never takes a key, whoever owns it."""

    def test_a_key_judges_no_hit(self, analyst):
        hit = make_hit(make_account().party)
        hit = screening.propose_judgement(hit, is_match=True, reason="Same birth date.", by=analyst, at=NOON)

        with pytest.raises(screening.NotAPerson, match="judged by two people"):
            shown = screening.digest_of(hit)
            screening.second_judgement(hit, agrees=True, shown=shown, by=make_key().as_actor, at=NOON)

    def test_a_key_lifts_no_block(self, analyst):
        words = {"reason": "listed", "public_wording": "The law asks for it.", "basis": "test"}
        block = restrictions.block(make_open_account(), **words, by=analyst, at=NOON)

        with pytest.raises(SecondPersonNeeded, match="An API client cannot"):
            restrictions.lift(block, why="Delisted.", by=make_key().as_actor, at=NOON)

    def test_a_key_countersigns_nothing(self, analyst_user):
        case = make_case(worked_by=analyst_user)
        account = case.subjects.select_related("account").first().account
        reason = next(each.code for each in REASONS.values() if OutcomeCode.SUSPEND in each.outcomes)
        proposed = {"outcome": OutcomeCode.SUSPEND.value, "reason": reason}
        decision = decisions.propose(case, account=account, **proposed, by=analyst_user.as_actor, at=NOON)

        with pytest.raises(SecondPersonNeeded, match="An API client cannot"):
            decisions.countersign(decision, by=make_key().as_actor, at=NOON)

    def test_a_key_approves_no_bundle(self, counsel):
        bundle = make_bundle(make_case(), by=counsel)

        with pytest.raises(SecondPersonNeeded, match="An API client cannot"):
            approve_seen(bundle, by=make_key().as_actor, at=NOON)

    def test_no_scope_rests_on_an_act_of_two(self):
        of_two = {"cases.decide", "cases.approve_bundle", "accounts.second_hit", "accounts.restrict"}

        assert not of_two & {scope.permission for scope in SCOPES.values()}


def test_every_scope_rests_on_a_permission_some_role_has():
    for scope in SCOPES.values():
        assert any(scope.permission in permissions for permissions in ROLES.values()), scope
