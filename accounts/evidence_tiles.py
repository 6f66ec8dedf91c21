"""Waiting work that lists, hits and red flags bring, for the first page."""

from accounts.models import RiskSignal, ScreeningHit
from kyc_portal.staff.site import Tile

HITS, SIGNALS = "admin:accounts_screeninghit_changelist", "admin:accounts_risksignal_changelist"


def tiles() -> list[Tile]:
    """Hits to judge, hits that await a second person, red flags nobody has answered."""
    return [
        Tile(
            "Hits to judge",
            "Compare the customer with the list entry and propose a judgement.",
            "accounts.judge_hit",
            lambda *, user, today: ScreeningHit.objects.to_propose(),
            HITS,
            "judgement=open",
            tone="danger",
        ),
        Tile(
            "Hits awaiting a second person",
            "A colleague proposed a judgement; agree or return it.",
            "accounts.second_hit",
            lambda *, user, today: ScreeningHit.objects.awaiting_second(user),
            HITS,
            "judgement=second",
            tone="warning",
        ),
        Tile(
            "Open red flags",
            "Raised and not answered yet.",
            "accounts.view_risksignal",
            lambda *, user, today: RiskSignal.objects.open(),
            SIGNALS,
            "answer=open",
            tone="warning",
        ),
    ]
