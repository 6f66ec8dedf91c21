"""A decision keeps what was seen, signed by a hash, and is replayed against what is on file now."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.flows import restrictions
from accounts.models import Account
from cases.flows import bulk, decisions, evidence, review
from cases.flows.replay import replay
from cases.models import AbuseReport, Decision
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records import audit
from tests.cases import reports
from tests.cases.builders import make_case, make_open_account, make_signal
from tests.cases.measures import FROM_THERE, hit_of, make_in_effect
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture
def decision(analyst_user) -> Decision:
    case = make_case(worked_by=analyst_user)
    account = case.subjects.get().account
    return decisions.propose(
        case, account=account, outcome="limit", reason="unusual_use", by=analyst_user.as_actor, at=NOON
    )


def became(decision) -> dict[str, str]:
    return {line.kind: line.verdict for line in replay(decision, on=TODAY).lines}


def sentences(decision) -> str:
    return " ".join(sentence for sentence, _ in replay(decision, on=TODAY).sentences)


class TestKept:
    def test_measures_account_and_rules_are_kept_and_nothing_personal(self, analyst_user, lead):
        case = make_case(worked_by=analyst_user)
        account = case.subjects.get().account
        standing = restrictions.limit(account, reason="own", public_wording="Wait.", basis="own", by=lead, at=NOON)

        made = decisions.propose(
            case, account=account, outcome="suspend", reason="unusual_use", by=analyst_user.as_actor, at=NOON
        )

        assert made.rests_on["restrictions"] == [{"reference": standing.reference, "level": "limited", "basis": "own"}]
        assert made.rests_on["account"][0]["status"] == "active"
        assert made.rests_on["rules"][0]["signatures"] == 2 and made.rests_on["rules"][0]["appeal_days"] == 30
        assert account.party.legal_name not in str(made.rests_on)

    def test_r95_the_measures_in_force_are_kept_with_how_their_hits_were_judged(self, lead):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect()

        seen = evidence.seen_by_reviewer(account, on=measure.effective_on)["measures"]
        before = evidence.seen_by_reviewer(account, on=NOON.date())["measures"]

        hit = hit_of(measure, account)
        assert seen == [
            {"reference": hit.reference, "measure": measure.reference, "judgement": "open", "action": "prohibit"}
        ]
        assert before == []

    def test_t24_the_abuse_reports_of_its_own_case_are_kept(self, analyst_user, analyst):
        account = make_open_account()
        reports.allocate(account)
        mine, other = reports.take_in(), reports.take_in()
        case = review.take(mine.case, user=analyst_user, at=NOON)
        AbuseReport.objects.filter(pk=other.pk).update(case=make_case(make_open_account()))

        made = decisions.propose(case, account=account, outcome="limit", reason="unusual_use", by=analyst, at=NOON)
        AbuseReport.objects.filter(pk=other.pk).update(case=case)

        assert made.rests_on["reports"] == [{"reference": mine.reference, "sha256": mine.sha256}]
        assert mine.reference in audit.history_of(made)[0].facts["rests_on"]
        lines = {line.reference: line.verdict for line in replay(made, on=TODAY).lines if line.kind == "reports"}
        assert lines == {mine.reference: "same", other.reference: "new since then"}

    def test_the_hash_stands_in_the_trail(self, decision):
        event = audit.history_of(decision).get(verb="cases.in_effect")

        assert event.facts["digest"] == decision.seen_sha256 == evidence.digest_of(decision.rests_on)
        assert decision.account.reference not in event.facts["rests_on"]

    def test_many_at_once_keep_the_same(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        bulk.decide([case.pk], outcome="no_action", reason="concern_cleared", user=analyst_user, by=analyst, at=NOON)

        made = Decision.objects.get()
        assert made.seen_sha256 == evidence.digest_of(made.rests_on)
        assert replay(made, on=TODAY).is_intact

    def test_a_further_kind_is_one_row(self, decision, monkeypatch):
        row = {"reference": "NTC-1", "kind": "closed"}
        monkeypatch.setattr(evidence, "FURTHER", list(evidence.FURTHER))
        monkeypatch.setattr(evidence, "TITLES", dict(evidence.TITLES))
        further = evidence.Evidence("notices", "Notices seen", lambda accounts, on: {a.pk: [row] for a in accounts})

        evidence.add_evidence(further)
        evidence.add_evidence(further)

        assert evidence.seen_by_reviewer(decision.account, on=TODAY)["notices"] == [row]
        assert (len(evidence.FURTHER), evidence.TITLES["notices"]) == (4, "Notices seen")


class TestReplay:
    def test_at_once_everything_is_the_same(self, decision):
        assert became(decision) == {"signals": "same", "account": "same"}
        assert replay(decision, on=TODAY).is_intact
        assert "its hash is the one in the audit trail" in sentences(decision)
        assert "The same signatures, effect, words and days to appeal would follow." in sentences(decision)

    def test_what_changed_stands_first(self, decision, lead):
        newer = make_signal(decision.account, "expired_document")
        own = restrictions.limit(decision.account, reason="o", public_wording="W.", basis="own", by=lead, at=NOON)
        Account.objects.filter(pk=decision.account_id).update(status="closed", closed_at=NOON)

        lines = replay(decision, on=TODAY).lines

        told = {line.reference: line.verdict for line in lines}
        assert told[newer.reference] == told[own.reference] == "new since then"
        assert (told[decision.account.reference], lines[-1].verdict) == ("changed", "same")
        assert "It could not be done to the account as it stands now." in sentences(decision)

    def test_what_was_kept_and_changed_since_is_noticed(self, decision):
        forged = {**decision.rests_on, "signals": []}
        Decision.objects.filter(pk=decision.pk).update(
            rests_on=forged,
            seen_sha256=evidence.digest_of(forged),  # whoever forges one forges both
        )
        decision.refresh_from_db()

        assert replay(decision, on=TODAY).is_intact is False
        assert "was changed after the decision" in sentences(decision)

    def test_another_policy_is_told(self, decision):
        RegimeNumber.objects.filter(name="appeal_window_days").update(value=14)

        assert "The rules changed since: appeal days 30 then, 14 now." in sentences(decision)

    def test_one_from_before_hashes_says_so(self, analyst_user):
        case = make_case(worked_by=analyst_user)
        old = Decision.objects.create(
            case=case, account=case.subjects.get().account, outcome="watch", reason="unusual_use", rests_on={},
            proposed_at=NOON - timedelta(days=1), proposed_by="ana", proposed_by_key=str(analyst_user.pk),
        )  # fmt: skip

        assert replay(old, on=TODAY).is_intact is None
        assert "kept without a hash" in sentences(old) and "What the rules said then was not kept." in sentences(old)

    def test_the_command_tells_it(self, decision):
        out = io.StringIO()
        call_command("replay_decision", decision.reference.lower(), stdout=out)

        assert f"{decision.reference}: limit the account" in out.getvalue()
        assert f"Account seen {decision.account.reference}: " in out.getvalue()
        with pytest.raises(CommandError, match="No decision has this reference"):
            call_command("replay_decision", "DEC-NONE", stdout=out)
