"""The waiting work on customers on the first page."""

from accounts.models import (
    Account,
    CouldNotVerify,
    Objection,
    PrivacyRequest,
    RiskSignal,
    ScreeningHit,
    SeenBefore,
    Verification,
)
from kyc_portal.staff.site import Tile

ACCOUNTS, VERIFICATIONS = "admin:accounts_account_changelist", "admin:accounts_verification_changelist"
HITS, SIGNALS = "admin:accounts_screeninghit_changelist", "admin:accounts_risksignal_changelist"
OUTCOMES = "admin:accounts_couldnotverify_changelist"
OBJECTIONS = "admin:accounts_objection_changelist"
PRIVACY = "admin:accounts_privacyrequest_changelist"

TILES = (
    Tile(
        "Answers from customers", "Customers handed in what was asked; look at it and start the verification.",
        "accounts.verify", lambda user, today: Account.objects.handed_in(), ACCOUNTS, "waiting=handed_in",
    ),
    Tile(
        "Objections", "Customers do not agree; somebody who took no part answers.", "accounts.verify",
        lambda user, today: Objection.objects.open().plain(), OBJECTIONS, "answer=objection", "warning",
    ),
    Tile(
        "Prospects waiting", "Customers to be let in or refused.", "accounts.activate",
        lambda user, today: Account.objects.waiting(), ACCOUNTS, "waiting=opening",
    ),
    Tile(
        "Verifications open", "Identities somebody is looking at.", "accounts.verify",
        lambda user, today: Verification.objects.unfinished(), VERIFICATIONS, "waiting=unfinished",
    ),
    Tile(
        "Could not verify: to decide", "Attempts have failed; say what follows for the account.", "accounts.verify",
        lambda user, today: Verification.objects.undecided(), VERIFICATIONS, "waiting=undecided", "warning",
    ),
    Tile(
        "Could not verify: second signature", "A colleague proposed what follows; agree or decline.", "accounts.close",
        lambda user, today: CouldNotVerify.objects.awaiting_second(user), OUTCOMES, "waiting=second", "warning",
    ),
    Tile(
        "Could not verify: to look at again", "Watched accounts whose day has come, limits that ran out.",
        "accounts.verify", lambda user, today: CouldNotVerify.objects.look_due(today), OUTCOMES, "waiting=look",
        "warning",
    ),
    Tile(
        "Redress to answer", "People who could not be verified ask us to look again.", "accounts.answer_redress",
        lambda user, today: Objection.objects.open().redress(), OBJECTIONS, "answer=redress", "warning",
    ),
    Tile(
        "Reviews due", "Customers to be asked for proof again.", "accounts.verify",
        lambda user, today: Account.objects.due_for_review(today), ACCOUNTS, "waiting=review",
    ),
    Tile(
        "Reviews unanswered", "Customers who let the day to answer pass.", "accounts.verify",
        lambda user, today: Account.objects.review_unanswered(today), ACCOUNTS, "waiting=unanswered", "warning",
    ),
    Tile(
        "Hits to judge", "Compare the customer with the list entry and propose a judgement.", "accounts.judge_hit",
        lambda user, today: ScreeningHit.objects.to_propose(), HITS, "judgement=open", "danger",
    ),
    Tile(
        "Hits awaiting a second person", "A colleague proposed a judgement; agree or return it.", "accounts.second_hit",
        lambda user, today: ScreeningHit.objects.awaiting_second(user), HITS, "judgement=second", "warning",
    ),
    Tile(
        "Open red flags", "Raised and not answered yet.", "accounts.view_risksignal",
        lambda user, today: RiskSignal.objects.open(), SIGNALS, "answer=open", "warning",
    ),
    Tile(
        "Seen before: to judge", "Customers share rare values with whom we shut out; say whether they are the same.",
        "accounts.verify", lambda user, today: SeenBefore.objects.to_judge(),
        "admin:accounts_seenbefore_changelist", "judgement=open", "warning",
    ),
    Tile(
        "Privacy requests", "People ask about their data; find it and prepare the answer.", "accounts.handle_privacy",
        lambda user, today: PrivacyRequest.objects.to_prepare(), PRIVACY, "waiting=prepare", "warning",
    ),
    Tile(
        "Privacy answers awaiting a second person", "A colleague prepared an answer; agree or send it back.",
        "accounts.answer_privacy", lambda user, today: PrivacyRequest.objects.to_answer(user), PRIVACY,
        "waiting=answer", "warning",
    ),
)  # fmt: skip
