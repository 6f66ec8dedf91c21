import re

import pytest

from accounts.rules.onboarding import AccountStatus
from accounts.rules.refusals import refusal_reason
from cases.rules.outcomes import (
    APPEAL_WINDOW,
    OUTCOMES,
    REASONS,
    AccountEffect,
    OutcomeCode,
    UnfitOutcome,
    consequence_of,
    outcomes_for,
)

PAIRS = [(outcome, reason.code) for reason in REASONS.values() for outcome in OutcomeCode if outcome in reason.outcomes]


class TestTables:
    def test_every_outcome_has_a_row_and_can_be_reached_by_some_reason(self):
        assert list(OUTCOMES) == list(OutcomeCode)
        assert {outcome for outcome, _ in PAIRS} == set(OutcomeCode)
        assert [outcome.value for outcome in OutcomeCode] == [
            "no_action",
            "watch",
            "limit",
            "suspend",
            "close",
            "block",
        ]

    def test_every_effect_belongs_to_one_outcome(self):
        assert [outcome.effect for outcome in OUTCOMES.values()] == list(AccountEffect)

    def test_every_reason_allows_something(self):
        assert all(reason.outcomes for reason in REASONS.values())

    def test_only_what_rests_on_a_list_may_block(self):
        assert {reason for outcome, reason in PAIRS if outcome == "block"} == {
            "list_match_confirmed",
            "owned_by_listed",
        }


class TestConsequence:
    @pytest.mark.parametrize(
        ("outcome", "reason", "effect", "countersigned", "grave", "appeal"),
        [
            ("no_action", "concern_cleared", "nothing", False, False, None),
            ("watch", "masked_access", "monitored", False, False, None),
            ("limit", "identity_not_verified", "limited", False, False, APPEAL_WINDOW),
            ("suspend", "malicious_use", "suspended", True, True, APPEAL_WINDOW),
            ("close", "false_documents", "closed", True, True, APPEAL_WINDOW),
            ("block", "list_match_confirmed", "blocked", True, True, APPEAL_WINDOW),
            ("no_action", "list_match_dismissed", "nothing", True, False, None),
        ],
    )
    def test_it_says_what_follows(self, outcome, reason, effect, countersigned, grave, appeal):
        consequence = consequence_of(outcome, reason)

        assert consequence.effect == effect
        assert consequence.must_be_countersigned is countersigned
        assert consequence.is_grave is grave
        assert consequence.appeal_window == appeal
        assert consequence.rests_on_list is reason.startswith("list_")

    @pytest.mark.parametrize(("outcome", "reason"), PAIRS)
    def test_whoever_is_restricted_reads_why_and_may_object(self, outcome, reason):
        consequence = consequence_of(outcome, reason)

        assert (consequence.public_wording is None) == (outcome in ("no_action", "watch"))
        assert (consequence.appeal_window is None) == (consequence.public_wording is None)
        assert consequence.must_be_countersigned or not consequence.is_grave

    @pytest.mark.parametrize(("outcome", "reason"), PAIRS)
    def test_a_list_hit_is_never_told(self, outcome, reason):
        wording = consequence_of(outcome, reason).public_wording or ""

        assert not re.search(r"(?i)\b(list|sanction|match|hit|screen|block|freez|ofac|owner)", wording)
        assert REASONS[reason].title not in wording

    def test_a_list_hit_cannot_be_guessed_from_the_words(self):
        told = {REASONS[reason].public_wording for _, reason in PAIRS if not REASONS[reason].rests_on_list}

        assert all(reason.public_wording in told for reason in REASONS.values() if reason.rests_on_list)
        blocked = consequence_of("block", "list_match_confirmed")
        suspended = consequence_of("suspend", "special_measure")
        assert (blocked.public_wording, blocked.appeal_window) == (suspended.public_wording, suspended.appeal_window)


class TestNeverOpened:
    @pytest.mark.parametrize(("outcome", "reason"), [pair for pair in PAIRS if pair[0] == "close"])
    def test_nothing_is_told_of_lists_misuse_or_earlier_accounts(self, outcome, reason):
        told = consequence_of(outcome, reason).told("prospect")

        assert told.startswith("We cannot open your account. ")
        assert not re.search(r"(?i)\b(list|sanction|match|hit|screen|earlier|restrict|used|misuse|abuse|evas)", told)

    def test_misuse_evasion_and_lists_read_the_same_as_what_is_no_fault(self):
        codes = ("listed", "measure", "evasion", "malicious_use", "abuse_reported", "own_policy")

        assert len({refusal_reason(code).told for code in codes}) == 1

    @pytest.mark.parametrize("status", ["active", "blocked", "closed"])
    def test_what_was_open_reads_that_it_is_closed(self, status):
        consequence = consequence_of("close", "evasion")

        assert consequence.told(status) == consequence.public_wording
        assert consequence_of("limit", "unusual_use").told("prospect").startswith("You cannot add")


class TestRefusals:
    def test_an_unfit_outcome_is_refused_and_the_fit_ones_named(self):
        with pytest.raises(UnfitOutcome) as refusal:
            consequence_of("watch", "list_match_confirmed")

        assert str(refusal.value) == (
            "This outcome does not fit the reason “Confirmed match on a sanctions list”. Choose one of: "
            "“suspend the account”, “close the account”, “block the account and its property”."
        )

    @pytest.mark.parametrize("outcome", ["", "delete", None, "SUSPEND"])
    def test_an_unknown_outcome_is_refused(self, outcome):
        with pytest.raises(UnfitOutcome, match="does not fit"):
            consequence_of(outcome, "malicious_use")

    def test_an_unknown_reason_is_refused_and_the_known_ones_named(self):
        with pytest.raises(UnfitOutcome, match="Choose one of: list_match_confirmed, "):
            consequence_of("suspend", "dislike")


class TestOutcomesFor:
    @pytest.mark.parametrize(
        ("status", "possible"),
        [
            ("prospect", "no_action watch close block"),
            ("data_requested", "no_action watch close block"),
            ("verifying", "no_action watch close block"),
            ("active", "no_action watch limit suspend close block"),
            ("blocked", "no_action watch limit suspend close block"),
            ("refused", "no_action watch"),
            ("closed", "no_action watch"),
        ],
    )
    def test_only_what_the_state_of_the_account_allows(self, status, possible):
        assert [code.value for code in outcomes_for([status])] == possible.split()

    def test_of_several_accounts_one_is_enough(self):
        assert outcomes_for(["closed", "active"]) == list(OutcomeCode)

    def test_without_an_account_there_is_none(self):
        assert outcomes_for([]) == []


class TestIsTold:
    def test_the_customer_reads_no_reason_whose_outcomes_are_never_told(self):
        untold = {code for code, reason in REASONS.items() if not reason.is_told}

        assert untold == {"list_match_dismissed", "concern_cleared"}


class TestWhatIsNamed:
    """An error offers what the form has for this account, and nothing else."""

    @pytest.mark.parametrize("status", [each.value for each in AccountStatus])
    @pytest.mark.parametrize("reason", list(REASONS))
    def test_only_what_the_account_can_have(self, reason, status):
        unfit = next(code for code in OutcomeCode if code not in REASONS[reason].outcomes)

        with pytest.raises(UnfitOutcome) as refused:
            consequence_of(unfit, reason, status)

        offered = set(outcomes_for([status])) & REASONS[reason].outcomes
        assert set(re.findall("“([^”]+)”", str(refused.value))[1:]) == {code.label for code in offered}
        assert offered or "choose another reason" in str(refused.value)
