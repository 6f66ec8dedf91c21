"""What kinds of special measure there are, where one stands, and how its hits are judged (R91-R97, proposed rule)."""

from cases.rules.wording import Worded
from kyc_portal.policy.lifecycle import Lifecycle


class MeasureKind(Worded):
    """The two types of the proposed 15 CFR 7.307 (E.O. 13984, section 2)."""

    JURISDICTION = "jurisdiction", "by jurisdiction"
    PERSON = "person", "by person"


class Action(Worded):
    """What the determination demands of an account."""

    PROHIBIT = "prohibit", "prohibit the account"
    CONDITION = "condition", "allow the account on terms only"


class Strength(Worded):
    """Whether anything may take an account out of a measure."""

    ABSOLUTE = "absolute", "cannot be overridden"
    OVERRIDABLE = "overridable", "can be overridden on a ground, for days"


class MeasureState(Worded):
    """Where a measure stands."""

    RECORDED = "recorded", "recorded"
    CONFIRMED = "confirmed", "confirmed, waiting"
    IN_EFFECT = "in_effect", "in effect"
    OVER = "over", "over, to be reviewed"
    REVIEWED = "reviewed", "reviewed, being lifted"
    CLOSED = "closed", "closed"
    WITHDRAWN = "withdrawn", "withdrawn"


LIVE = (MeasureState.RECORDED, MeasureState.CONFIRMED, MeasureState.IN_EFFECT)
MEASURE_MOVES = {
    MeasureState.RECORDED: (MeasureState.CONFIRMED, MeasureState.WITHDRAWN),
    MeasureState.CONFIRMED: (MeasureState.IN_EFFECT, MeasureState.WITHDRAWN),
    MeasureState.IN_EFFECT: (MeasureState.OVER,),
    MeasureState.OVER: (MeasureState.REVIEWED,),
    MeasureState.REVIEWED: (MeasureState.CLOSED,),
    MeasureState.CLOSED: (),
    MeasureState.WITHDRAWN: (),
}
MEASURE_LIFECYCLE = Lifecycle(MEASURE_MOVES, dict(MeasureState.choices()))


class EndedWhy(Worded):
    """Why a measure ends before its last day."""

    REVOKED = "revoked", "the authority revoked it"
    REPLACED = "replaced", "another measure takes its place"
    MISTAKEN = "mistaken", "it was recorded by mistake"


class Judgement(Worded):
    """What people found about one hit."""

    OPEN = "open", "not judged"
    APPLIES = "applies", "the measure applies"
    NOT = "not", "the measure does not apply"
    TERMS_MET = "terms_met", "its terms are met"


FREES = (Judgement.NOT, Judgement.TERMS_MET)


class JudgedWhy(Worded):
    """On what a judgement rests."""

    LOCATED = "located", "it is located there"
    USED_THERE = "used_there", "the product is used there"
    NAMED = "named", "it is the person named, or theirs"
    NOT_LOCATED = "not_located", "it is not located there: moved, or entered wrongly"
    PASSING = "passing", "what was seen comes from travel or from somebody else's network"
    NOT_THEIRS = "not_theirs", "the owners named do not make it theirs"
    ANOTHER = "another", "it is another person"
    PROOF = "proof", "proof of the terms is on file"


FITTING = {
    Judgement.APPLIES: (JudgedWhy.LOCATED, JudgedWhy.USED_THERE, JudgedWhy.NAMED),
    Judgement.NOT: (JudgedWhy.NOT_LOCATED, JudgedWhy.PASSING, JudgedWhy.NOT_THEIRS, JudgedWhy.ANOTHER),
    Judgement.TERMS_MET: (JudgedWhy.PROOF,),
}


class OverrideState(Worded):
    """Where an override stands between its two signatures and its end."""

    PROPOSED = "proposed", "proposed"
    AGREED = "agreed", "agreed"
    DECLINED = "declined", "declined"
    ENDED = "ended", "ended"


class OverrideGround(Worded):
    """Why an account is taken out of a measure that allows it."""

    AUTHORISED = "authorised", "the authority allowed this account in writing"
    REQUESTED = "requested", "an authority asked in writing to keep it in use"
    SAFETY = "safety", "people's safety depends on it"
    WIND_DOWN = "wind_down", "the customer is moving its data away"


class FactorCode(Worded):
    """What the order asks to weigh (E.O. 13984, section 2(b) and (c); R96)."""

    ACTORS_BUYING = "actors_buying", "malicious actors obtain U.S. products there"
    SOURCE = "source", "how much malicious activity comes from there"
    COOPERATION = "cooperation", "legal assistance and experience of cooperation"
    ABUSE = "abuse", "how the person used products for abuse"
    OFFERINGS = "offerings", "products the person offers for abuse"
    LEGITIMATE = "legitimate", "share of legitimate use"
    MILDER = "milder", "whether milder steps are enough"
    BURDEN = "burden", "burden on providers in competition"


FACTORS = {
    MeasureKind.JURISDICTION: (
        FactorCode.ACTORS_BUYING,
        FactorCode.SOURCE,
        FactorCode.COOPERATION,
        FactorCode.BURDEN,
    ),
    MeasureKind.PERSON: (
        FactorCode.ABUSE,
        FactorCode.OFFERINGS,
        FactorCode.LEGITIMATE,
        FactorCode.MILDER,
        FactorCode.BURDEN,
    ),
}
