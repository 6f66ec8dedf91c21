"""How long policy is kept."""

from kyc_portal.policy.models import (
    CipVersion,
    Citation,
    Deadline,
    Holiday,
    PrivacyNoticeVersion,
    Product,
    RegimeNumber,
    RegimeProfile,
    StatementVersion,
)
from kyc_portal.records.retention import RetentionRule, register

register(
    RetentionRule(
        code="policy",
        title="Regimes, citations, products, the provider's CIP and privacy notice",
        covers=(
            RegimeProfile,
            RegimeNumber,
            Citation,
            CipVersion,
            PrivacyNoticeVersion,
            StatementVersion,
            Holiday,
            Product,
        ),
        why="Kept for good: every verification and every link points to the text it was done under.",
    ),
    RetentionRule(
        code="clocks",
        title="Clocks",
        covers=(Deadline,),
        why="Go with the record they count for.",
        comes_and_goes=True,
    ),
)
