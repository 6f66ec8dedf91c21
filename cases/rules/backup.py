"""A backup copy under an order (requirement R112; 18 U.S.C. 2704): its states and when it may go."""

from cases.rules.wording import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class BackupState(Worded):
    """Where a backup copy stands."""

    ORDERED = "ordered", "ordered"
    MADE = "made", "made"
    CONFIRMED = "confirmed", "confirmed to the authority"
    RELEASED = "released", "let go"


class ReleasedWhy(Worded):
    """Why a backup copy is kept no longer."""

    DELIVERED = "delivered", "it was delivered"
    ENDED = "ended", "the proceedings ended"


BACKUP_MOVES = {
    BackupState.ORDERED: (BackupState.MADE,),
    BackupState.MADE: (BackupState.CONFIRMED,),
    BackupState.CONFIRMED: (BackupState.RELEASED,),
    BackupState.RELEASED: (),
}
BACKUP_LIFECYCLE = Lifecycle(BACKUP_MOVES, dict(BackupState.choices()))
