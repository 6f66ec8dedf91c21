"""Moves of an account (regulation section 4)."""

import pytest

from accounts.rules.onboarding import CHOICES, MOVES, AccountStatus

ALLOWED = {
    "prospect": {"data_requested", "verifying", "active", "refused", "blocked"},
    "data_requested": {"verifying", "active", "refused", "blocked"},
    "verifying": {"active", "refused", "blocked"},
    "active": {"closed", "blocked"},
    "blocked": {"active", "closed", "refused"},
    "closed": {"active"},
    "refused": {"prospect"},
}


class TestMoves:
    @pytest.mark.parametrize("old", list(AccountStatus))
    @pytest.mark.parametrize("new", list(AccountStatus))
    def test_each_pair_of_states(self, old, new):
        assert MOVES.allows(old, new) is (new.value in ALLOWED[old.value])

    def test_every_account_begins_as_a_prospect(self):
        assert MOVES.states[0] == AccountStatus.PROSPECT


class TestAccountStatus:
    def test_every_state_has_its_own_words(self):
        assert len({label for _, label in CHOICES}) == len(AccountStatus)
        assert AccountStatus.REFUSED.label == "not opened"

    def test_values_fit_a_database_and_compare_as_text(self):
        assert AccountStatus("active") == "active"

    @pytest.mark.parametrize("status", list(AccountStatus))
    def test_r48_active_and_blocked_accounts_count_as_open(self, status):
        assert status.is_open is (status.value in {"active", "blocked"})
