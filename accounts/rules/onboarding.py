"""The states of an account and the moves between them (regulation section 4; requirements R7, R38-R41)."""

from enum import StrEnum

from kyc_portal.policy.lifecycle import Lifecycle


class AccountStatus(StrEnum):
    """Where an account stands; models store the value and show the label."""

    PROSPECT = "prospect"
    DATA_REQUESTED = "data_requested"
    VERIFYING = "verifying"
    ACTIVE = "active"
    BLOCKED = "blocked"
    REFUSED = "refused"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """The words staff read."""
        return LABELS[self]

    @property
    def is_open(self) -> bool:
        """Whether the customer has, or had without a closing day, access: such an account is never purged (R48)."""
        return self in (AccountStatus.ACTIVE, AccountStatus.BLOCKED)


LABELS = {
    AccountStatus.PROSPECT: "prospect",
    AccountStatus.DATA_REQUESTED: "data requested",
    AccountStatus.VERIFYING: "being verified",
    AccountStatus.ACTIVE: "active",
    AccountStatus.BLOCKED: "blocked",
    AccountStatus.REFUSED: "not opened",
    AccountStatus.CLOSED: "closed",
}

CHOICES = [(status.value, status.label) for status in AccountStatus]

MOVES = Lifecycle(
    {
        AccountStatus.PROSPECT: [
            AccountStatus.DATA_REQUESTED,
            AccountStatus.VERIFYING,
            AccountStatus.ACTIVE,
            AccountStatus.REFUSED,
            AccountStatus.BLOCKED,
        ],
        AccountStatus.DATA_REQUESTED: [
            AccountStatus.VERIFYING,
            AccountStatus.ACTIVE,
            AccountStatus.REFUSED,
            AccountStatus.BLOCKED,
        ],
        AccountStatus.VERIFYING: [AccountStatus.ACTIVE, AccountStatus.REFUSED, AccountStatus.BLOCKED],
        AccountStatus.ACTIVE: [AccountStatus.CLOSED, AccountStatus.BLOCKED],
        AccountStatus.BLOCKED: [AccountStatus.ACTIVE, AccountStatus.CLOSED, AccountStatus.REFUSED],
        AccountStatus.REFUSED: [AccountStatus.PROSPECT],
        AccountStatus.CLOSED: [AccountStatus.ACTIVE],
    },
    LABELS,
)
