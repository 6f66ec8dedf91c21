"""Break-glass: taken with a reason for some hours, marked in all that is done, told to the auditors, never more."""

from datetime import timedelta
from itertools import product

import pytest
from django.core import mail
from django.utils import timezone

from accounts.flows import screening
from cases.flows import decisions
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.api import keys
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import deliver_queued, wording_of
from kyc_portal.records import acting
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import breakglass, people
from kyc_portal.staff.models import BreakGlass
from kyc_portal.staff.roles import ROLES, SEPARATED, holds_by_role
from kyc_portal.staff.tasks import tell_of_break_glass
from tests.builders import make_account, make_hit
from tests.cases.builders import make_case, make_request
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
SCREEN = "/admin/staff/breakglass/"
OF_TWO = {
    "cases.decide", "cases.collect_bundle", "cases.approve_bundle", "accounts.second_hit", "accounts.judge_hit",
    "accounts.restrict", "records.release_hold", "records.purge",
}  # fmt: skip


def take(user, *, what="legal_matters", reason="cannot_wait", about=None, hours=2, at=NOON) -> BreakGlass:
    return breakglass.take(
        what=what, reason=reason, about=about or make_account(), hours=hours, by=user.as_actor, at=at
    )


def take_now(user, **changes) -> BreakGlass:
    return take(user, at=timezone.now(), **changes)


def may(user, permission: str, glass: BreakGlass | None) -> bool:
    """Whether a request of this person, marked for this access or not marked, has the permission."""
    fresh = type(user).objects.get(pk=user.pk)
    with acting.within_request(breakglass.request_id(glass)):
        return fresh.has_perm(permission)


class TestTable:
    """What can be taken, by whom: checked against the roles, so that a new row cannot open too much."""

    TAKEN = [(what, role) for what, each in breakglass.SETS.items() for role in each.roles]

    def test_every_set_has_its_words_and_its_row(self):
        assert set(breakglass.SETS) == set(breakglass.Further)

    @pytest.mark.parametrize("what", breakglass.SETS)
    def test_it_holds_nothing_that_takes_two_or_belongs_to_auditors_and_administrators(self, what):
        permissions = set(breakglass.SETS[what].permissions)
        acts = {name for name in permissions if ".view_" not in name}

        assert not permissions & OF_TWO
        assert not {name for name in permissions if name.startswith(("staff.", "work.", "api.", "policy."))}
        assert not acts & (set(ROLES["administrator"]) | set(ROLES["auditor"]) - {"accounts.download_document"})

    @pytest.mark.parametrize(("what", "role"), TAKEN)
    def test_separation_of_duties_is_kept(self, what, role):
        """An act may be taken only if a role that could lie with the same person has it."""
        assert role in ("lead reviewer", "legal", "compliance") and "staff.take_breakglass" in ROLES[role]
        for permission in breakglass.SETS[what].permissions:
            holders = {each for each, permissions in ROLES.items() if permission in permissions}
            apart = {
                each for one, others in SEPARATED for each in holders
                if (role in one and each in others) or (role in others and each in one)
            }  # fmt: skip
            assert holders - apart or ".view_" in permission, permission

    @pytest.mark.parametrize(("what", "role"), TAKEN)
    def test_each_gives_something_the_role_does_not(self, what, role):
        assert set(breakglass.SETS[what].permissions) - set(ROLES[role])


class TestTake:
    def test_it_is_told_with_codes_and_references_only(self, lead_user):
        account = make_account()

        glass = take(lead_user, about=account)

        event = AuditEvent.objects.get(verb="staff.glass_taken")
        assert event.facts == {
            "what": "legal_matters", "reason": "cannot_wait", "rests_on": account.reference,
            "until": "2026-03-02 14:00 UTC",
        }  # fmt: skip
        assert (event.about_key, glass.ends_at) == (str(glass.pk), NOON + timedelta(hours=2))

    @pytest.mark.parametrize(("what", "role"), list(product(breakglass.SETS, ROLES)))
    def test_only_the_roles_of_the_table_may(self, what, role):
        user = person("paul", role)

        if role in breakglass.SETS[what].roles:
            assert take(user, what=what)
        else:
            with pytest.raises(breakglass.NotTaken, match="Your role may not"):
                take(user, what=what)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"hours": 0}, "for 1 to 4 hours"), ({"hours": 5}, "for 1 to 4 hours"), ({"what": "all"}, "Choose what"),
            ({"reason": "because"}, "Choose what"),
        ],
    )  # fmt: skip
    def test_it_refuses(self, lead_user, changes, sentence):
        with pytest.raises(breakglass.NotTaken, match=sentence):
            take(lead_user, **changes)

    def test_the_most_hours_are_a_setting(self, lead_user, settings):
        settings.BREAK_GLASS_HOURS = 1

        with pytest.raises(breakglass.NotTaken, match="for 1 to 1 hours"):
            take(lead_user, hours=2)

    def test_one_at_a_time(self, compliance_user):
        take(compliance_user)

        with pytest.raises(breakglass.NotTaken, match="until 14:00 UTC"):
            take(compliance_user, what="unmasking")
        assert take(compliance_user, what="unmasking", at=NOON + timedelta(hours=2))

    def test_two_at_once_take_one(self, lead_user, in_threads, triggers_lifted_for_flush):
        account = make_account()

        answers = in_threads(*[lambda: take(lead_user, about=account)] * 2)

        assert sorted(type(answer).__name__ for answer in answers) == ["BreakGlass", "NotTaken"]

    def test_nobody_but_a_person_and_none_for_what_they_have(self, lead_user):
        key = keys.ApiKey(owner=lead_user).as_actor
        with pytest.raises(breakglass.NotTaken, match="under your own name"):
            breakglass.take(what="legal_matters", reason="harm", about=make_account(), hours=1, by=key, at=NOON)
        lead_user.groups.add(*person("carl", "legal").groups.all())
        with pytest.raises(breakglass.NotTaken, match="includes this already"):
            take(lead_user)

    def test_the_record_must_be_one_they_may_see(self, lead_user, counsel):
        with pytest.raises(breakglass.NotTaken, match="your role may see"):
            take(lead_user, about=make_request(by=counsel))


class TestPermissions:
    def test_they_count_in_marked_requests_only(self, lead_user):
        glass = take_now(lead_user)

        assert may(lead_user, "cases.view_legalrequest", glass)
        assert not may(lead_user, "cases.view_legalrequest", None)
        assert not may(lead_user, "cases.handle_legal", glass)
        assert not holds_by_role(lead_user, "cases.view_legalrequest")

    def test_they_end_by_themselves_and_when_given_back(self, lead_user):
        ended = take(lead_user, at=timezone.now() - timedelta(hours=2, seconds=1))
        assert not may(lead_user, "cases.view_legalrequest", ended)

        glass = take_now(lead_user)
        breakglass.give_back(glass, by=lead_user.as_actor, at=timezone.now())
        assert not may(lead_user, "cases.view_legalrequest", glass)
        with pytest.raises(breakglass.NotInForce, match="has ended"):
            breakglass.give_back(glass, by=lead_user.as_actor, at=timezone.now())

    def test_they_end_with_the_role_and_with_the_person(self, lead_user, compliance_user, administrator_user):
        glass, other = take_now(lead_user), take_now(compliance_user)
        by = administrator_user.as_actor

        people.change_roles(lead_user, ["reviewer"], by=by, at=timezone.now())
        people.leave(compliance_user, by=by, at=timezone.now())

        assert not may(lead_user, "cases.view_legalrequest", glass)
        assert not may(compliance_user, "cases.view_legalrequest", other)

    def test_nobody_uses_or_gives_back_somebody_elses(self, lead_user):
        glass, other = take_now(lead_user), person("lou", "lead reviewer")

        assert not may(other, "cases.view_legalrequest", glass)
        with pytest.raises(breakglass.NotInForce):
            breakglass.give_back(glass, by=other.as_actor, at=timezone.now())

    def test_a_key_does_not_inherit_them(self, lead_user):
        glass = take_now(lead_user)

        with acting.within_request(breakglass.request_id(glass)), pytest.raises(keys.BadKey, match="may not"):
            keys.create_key(
                owner=lead_user, name="x", scopes=["audit.read"], networks=[], days=1, by=SCHEDULER, at=NOON
            )

    def test_nobody_countersigns_themselves_under_it(self, lead_user):
        case = make_case(worked_by=lead_user)
        account = case.subjects.select_related("account").first().account
        reason = next(each.code for each in REASONS.values() if OutcomeCode.SUSPEND in each.outcomes)
        lead, words = lead_user.as_actor, {"outcome": OutcomeCode.SUSPEND.value, "reason": reason}
        decision = decisions.propose(case, account=account, **words, by=lead, at=NOON)
        hit = make_hit(account.party)
        hit = screening.propose_judgement(hit, is_match=True, reason="Same birth date.", by=lead, at=NOON)

        with acting.within_request(breakglass.request_id(take_now(lead_user))):
            with pytest.raises(SecondPersonNeeded):
                decisions.countersign(decision, by=lead, at=NOON)
            with pytest.raises(SecondPersonNeeded):
                screening.second_judgement(hit, agrees=True, shown=screening.digest_of(hit), by=lead, at=NOON)


class TestPages:
    FORM = {"what": "legal_matters", "reason": "cannot_wait", "hours": "1"}

    def test_taken_used_and_given_back(self, client, lead_user, counsel):
        request, account = make_request(by=counsel), make_account()
        path = f"/admin/cases/legalrequest/{request.pk}/change/"
        client.force_login(lead_user)
        assert client.get(path).status_code == 403

        page = client.post(f"{SCREEN}add/", self.FORM | {"about": account.reference}, follow=True).content.decode()
        glass = BreakGlass.objects.get()
        assert "You may now read legal requests, bundles and holds" in page and "Sealed as entr" in page
        opened = client.get(path)
        assert opened.status_code == 200 and b"Give it back now" in opened.content
        client.get(f"/admin/accounts/account/{account.pk}/change/")
        done = breakglass.acts_of(glass)
        assert {event.about_key for event in done} - {str(glass.pk)} == {str(request.pk), str(account.pk)}, (
            "reading too"
        )

        told = client.post(f"{SCREEN}{glass.pk}/do/give-back/", follow=True).content.decode()
        assert f"{glass.reference} is given back." in told and "Give it back now" not in told
        assert client.get(path).status_code == 403

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [({"about": "ACC-2222-2222"}, "No record has the reference"), ({"hours": "9"}, "less than or equal to 4"),
         ({"what": "unmasking"}, "It is for compliance")],
    )  # fmt: skip
    def test_what_is_refused_is_said_at_the_form(self, client, lead_user, changes, sentence):
        client.force_login(lead_user)

        page = client.post(f"{SCREEN}add/", self.FORM | {"about": make_account().reference} | changes)

        assert sentence in page.content.decode() and not BreakGlass.objects.exists()

    @pytest.mark.parametrize("role", ["reviewer", "reseller desk", "senior manager", "administrator", "auditor"])
    def test_other_roles_are_not_offered_it(self, as_role, role):
        assert as_role(role).get(f"{SCREEN}add/").status_code == 403

    def test_one_sees_ones_own_only(self, client, lead_user, compliance_user):
        glass = take_now(compliance_user)
        client.force_login(lead_user)

        assert client.get(f"{SCREEN}{glass.pk}/change/").status_code in (302, 404)
        assert client.get(SCREEN).context["cl"].result_count == 0
        assert client.post(f"{SCREEN}{glass.pk}/do/give-back/").status_code in (403, 404)

    def test_an_auditor_sees_what_was_done_and_signs_once(self, client, lead_user, auditor_user):
        glass, account = take_now(lead_user), make_account()
        client.force_login(lead_user)
        client.get(f"/admin/accounts/account/{account.pk}/change/")
        client.force_login(auditor_user)
        path = f"{SCREEN}{glass.pk}/do/note-review/"
        assert "still in force" in client.post(path).content.decode()
        breakglass.give_back(glass, by=lead_user.as_actor, at=timezone.now())

        assert account.reference in client.get(f"{SCREEN}{glass.pk}/change/").content.decode()
        assert client.get(f"{SCREEN}?state=to_review").context["cl"].result_count == 1
        client.post(path)

        glass.refresh_from_db()
        assert (glass.reviewed_by, glass.reviewed_at is None) == ("audrey", False)
        assert "audrey has looked at" in client.post(path).content.decode()
        assert client.get(f"{SCREEN}?state=to_review").context["cl"].result_count == 0

    def test_nobody_signs_their_own(self, client, lead_user):
        glass = take(lead_user)
        client.force_login(lead_user)

        assert client.post(f"{SCREEN}{glass.pk}/do/note-review/").status_code == 403


class TestDigest:
    AFTER = (NOON + timedelta(days=1)).isoformat()

    def test_each_auditor_is_told_once_without_personal_data(self, client, lead_user, auditor_user):
        person("aude", "auditor")
        account = make_account(legal_name="Xavier Unusual")
        glass = take(lead_user, about=account)
        with acting.within_request(breakglass.request_id(glass)):
            screening.propose_judgement(
                make_hit(account.party), is_match=True, reason="Same.", by=lead_user.as_actor, at=NOON
            )
        done = breakglass.acts_of(glass).count()
        mail.outbox.clear()

        assert tell_of_break_glass.run(at=self.AFTER) == {"accesses": 1, "auditors": 2}
        assert tell_of_break_glass.run(at=self.AFTER) == {"accesses": 0, "auditors": 0}
        deliver_queued(at=NOON + timedelta(days=1))

        line = (
            f"{glass.reference}: lea, legal_matters, cannot_wait, {account.reference}, 2026-03-02 12:00 to "
            f"2026-03-02 14:00 UTC, {done} events"
        )
        told = [message for message in mail.outbox if "break-glass" in message.subject]
        assert sorted(message.to[0] for message in told) == ["aude@provider.example", "audrey@provider.example"]
        assert done > 0 and all(f"- {line}\n" in message.body for message in told)
        assert not any("Unusual" in message.body for message in told)

    def test_what_is_still_in_force_waits(self, lead_user, auditor_user):
        take(lead_user)

        assert tell_of_break_glass.run(at=(NOON + timedelta(hours=1)).isoformat())["accesses"] == 0
        assert tell_of_break_glass.run(at=self.AFTER)["accesses"] == 1

    def test_without_an_auditor_it_stays_to_be_told(self, lead_user):
        take(lead_user)
        assert tell_of_break_glass.run(at=self.AFTER) == {"accesses": 0, "auditors": 0}

        person("audrey", "auditor")
        assert tell_of_break_glass.run(at=self.AFTER) == {"accesses": 1, "auditors": 1}

    def test_the_notice_can_be_read_by_who_may_and_is_sealed(self, lead_user, auditor_user):
        take(lead_user)
        tell_of_break_glass.run(at=self.AFTER)

        notice = Notice.objects.get(kind="break_glass_digest")
        assert "lea, legal_matters" in wording_of(notice)[1]
        assert (notice.label, notice.key) == ("staff.staffmember", str(auditor_user.pk))
