"""The waiting work on customers on the first page."""

from accounts.models import Account, Verification
from kyc_portal.staff.site import Tile

ACCOUNTS, VERIFICATIONS = "admin:accounts_account_changelist", "admin:accounts_verification_changelist"

TILES = (
    Tile(
        "Prospects waiting", "Customers to be let in or refused.", "accounts.activate",
        lambda user, today: Account.objects.waiting(), ACCOUNTS, "waiting=opening",
    ),
    Tile(
        "Verifications open", "Identities somebody is looking at.", "accounts.verify",
        lambda user, today: Verification.objects.unfinished(), VERIFICATIONS, "waiting=unfinished",
    ),
    Tile(
        "Reviews due", "Customers to be asked for proof again.", "accounts.verify",
        lambda user, today: Account.objects.due_for_review(today), ACCOUNTS, "waiting=review",
    ),
    Tile(
        "Reviews unanswered", "Customers who let the day to answer pass.", "accounts.verify",
        lambda user, today: Account.objects.review_unanswered(today), ACCOUNTS, "waiting=unanswered", "warning",
    ),
)  # fmt: skip
