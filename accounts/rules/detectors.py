"""The red-flag catalogue (regulation 3.12; requirements R82, R83). Each function's docstring is what staff read.

No flag decides anything: it says where to look. Facts come in as plain values; evidence goes out as codes,
counts and references, never as values of personal data.
"""

from accounts.rules import access_detectors
from accounts.rules.documents import expired_on
from accounts.rules.flags import AccountFacts, Detector, Flag


def confirmed_list_hit(facts: AccountFacts) -> Flag | None:
    """The party, an owner or a wallet is on a sanctions list, and two people have confirmed it.

    Block the account and start the report on blocked property; do not tell the customer why.

    Innocent: hardly ever, for two people compared both sides; a name taken off the list meanwhile.

    Source: 31 CFR 578.201 and 501.603, in force.
    """
    if not facts.confirmed_hits:
        return None
    sentence = _counted(len(facts.confirmed_hits), "sanctions hit is confirmed", "sanctions hits are confirmed")
    return Flag("confirmed_list_hit", sentence, {"hits": list(facts.confirmed_hits)})


def possible_list_hit(facts: AccountFacts) -> Flag | None:
    """A name, number, wallet or e-mail address resembles an entry of a sanctions list, and nobody has judged it yet.

    Open the hit, compare it with the entry, and confirm or dismiss it with a second person.

    Innocent: most often somebody of a like name; common names resemble many entries.

    Source: 31 CFR part 578, in force; how often we screen is our own policy.
    """
    if not facts.possible_hits:
        return None
    sentence = _counted(len(facts.possible_hits), "sanctions hit waits", "sanctions hits wait") + " for a decision"
    return Flag("possible_list_hit", sentence, {"hits": list(facts.possible_hits)})


def country_conflict(facts: AccountFacts) -> Flag | None:
    """Identity document, payment and address point to countries that have none in common.

    Ask for the reason before anything else. A conflict without a plausible reason is worth a case.

    Innocent: people move and keep their passport and their bank; groups pay centrally.

    Source: our own catalogue; the sources of data are requirements R11, R14, R26.
    """
    sources = {
        "document": facts.document_countries,
        "payment": facts.payment_countries,
        "address": facts.address_countries,
    }
    known = {name: countries for name, countries in sources.items() if countries}
    names = list(known)
    apart = [
        (one, other) for place, one in enumerate(names) for other in names[place + 1 :] if not known[one] & known[other]
    ]
    if not apart:
        return None
    pairs = "; ".join(f"{one} and {other}" for one, other in apart)
    evidence = {name: sorted(countries) for name, countries in known.items()}
    return Flag("country_conflict", f"These name different countries: {pairs}.", evidence)


def anonymised_access_only(facts: AccountFacts) -> Flag | None:
    """Every access from a public address came through VPN, hosting, Tor, proxy or relay ranges.

    An address does not show who somebody is: this flag never decides alone. Look at it together with payment and
    documents. Too few accesses raise no flag, unless the account is in use under watch because an identity could not
    be verified.

    Innocent: many honest people use a VPN, and many machines that work for a customer stand in a hosting range.

    Source: our own catalogue, after the 2025 guidance of the Bureau of Industry and Security on masked end use.
    """
    total, limits = facts.access_total, facts.limits
    least = limits.watched_least_accesses if facts.is_watched else limits.least_accesses
    if total < max(1, least) or facts.access_anonymised_total < total:
        return None
    kinds = {kind: count for kind, count in sorted(facts.access_anonymised.items()) if count}
    sentence = f"All {total} accesses from public addresses came through {', '.join(kinds) or 'anonymising'} ranges."
    return Flag("anonymised_access_only", sentence, {"accesses": total, "kinds": kinds})


def expired_document(facts: AccountFacts) -> Flag | None:
    """Documents were on file, and the last valid one has expired.

    Ask for a new document and open a new verification; the old result stays as it was.

    Innocent: time passes for everybody; the new document only was not handed in yet.

    Source: requirement R26, modelled on the bank rule 31 CFR 1020.220; the event trigger is our own policy (R46).
    """
    expired = [each.reference for each in facts.documents if expired_on(each.expires_on, facts.on)]
    if not expired or len(expired) < len(facts.documents):
        return None
    return Flag("expired_document", "No document on file is still valid.", {"documents": expired})


def reverification_overdue(facts: AccountFacts) -> Flag | None:
    """The periodic look at this customer is overdue.

    Finish the open verification, or limit the account until it is finished.

    Innocent: the question went to an address nobody reads any more, or the answer waits with us.

    Source: proposed 7.302 (R45); the interval is our own policy.
    """
    days = facts.reverification_overdue_days
    if days <= 0:
        return None
    plural = "day" if days == 1 else "days"
    return Flag("reverification_overdue", f"Re-verification is overdue by {days} {plural}.", {"days": days})


def watch_overdue(facts: AccountFacts) -> Flag | None:
    """An account is in use under watch because an identity could not be verified, and nobody looked again in time.

    Try again to verify; then propose that it stays under watch, is limited or is closed.

    Innocent: the delay is ours and says nothing of the customer.

    Source: proposed 7.302 (R40, R45); the interval is our own policy.
    """
    days = facts.watch_overdue_days
    if days <= 0:
        return None
    plural = "day" if days == 1 else "days"
    return Flag("watch_overdue", f"The look at the watched account is overdue by {days} {plural}.", {"days": days})


def mrz_check_failed(facts: AccountFacts) -> Flag | None:
    """A check digit in the machine-readable zone of a document is wrong.

    Compare with the picture first. A wrong digit that is really printed there is a sign of forgery.

    Innocent: most often it is a typing or reading error; a few issuers print wrong digits.

    Source: ICAO Doc 9303; our own catalogue.
    """
    failed = {each.reference: list(each.failed_checks) for each in facts.documents if each.failed_checks}
    if not failed:
        return None
    sentence = _counted(len(failed), "document has a wrong check digit", "documents have wrong check digits")
    return Flag("mrz_check_failed", sentence + " in the machine-readable zone.", {"documents": failed})


def near_threshold_owners(facts: AccountFacts) -> Flag | None:
    """Several owners hold just less than the share at which owners must be named.

    Ask how the shares came about and whether the holders act together: shares cut to size are a known way
    of staying unnamed.

    Innocent: four equal founders who later gave a little to somebody else.

    Source: our own catalogue, beside the ownership threshold of the regime in force.
    """
    if facts.owner_threshold is None:
        return None
    floor = facts.owner_threshold - facts.limits.near_threshold_points
    near = sum(1 for percent in facts.owner_percents if floor <= percent < facts.owner_threshold)
    if near < facts.limits.near_threshold_owners:
        return None
    sentence = f"{near} owners hold just less than {facts.owner_threshold.normalize():f} %."
    return Flag("near_threshold_owners", sentence, {"owners": near, "threshold": str(facts.owner_threshold)})


def seen_before(facts: AccountFacts) -> Flag | None:
    """The customer, or somebody who owns a part of it, shares rare values with one we closed for cause, restricted or
    refused.

    Open the tie, look at what is shared and how rare it is, and say whether they are the same. Shared values are no
    proof.

    Innocent: people share flats, offices, telephones and banks; a number or a device is handed on.

    Source: our own catalogue, after the reports on actors who come back on fresh infrastructure; the weights are own
    policy.
    """
    if not facts.seen_before:
        return None
    earlier = list(dict.fromkeys(each.earlier for each in facts.seen_before))
    outcomes = list(dict.fromkeys(each.outcome for each in facts.seen_before))
    kinds = list(dict.fromkeys(kind for each in facts.seen_before for kind in each.kinds))
    sentence = f"Shares what is rare with {', '.join(earlier[:5])}, shut out earlier ({_words(outcomes[:5])})."
    ties = [each.tie for each in facts.seen_before]
    return Flag("seen_before", sentence, {"ties": ties, "earlier": earlier, "outcomes": outcomes, "kinds": kinds})


def _words(codes: list[str]) -> str:
    return ", ".join(code.replace("_", " ") for code in codes)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


LISTS, DOCUMENTS, IDENTITY, USE = "warnings from lists", "suspicious documents", "suspicious identity", "unusual use"
LISTED = ("list_match_confirmed", "owned_by_listed")
BORROWED = ("identity_not_verified", "false_documents", "details_compromised")

DETECTORS = (
    Detector("confirmed_list_hit", "Confirmed list hit", LISTS, ("confirmed_hits",), confirmed_list_hit, LISTED),
    Detector(
        "possible_list_hit", "Possible list hit", LISTS, ("possible_hits",), possible_list_hit, LISTED,
        ("screening_possible_score",),
    ),
    Detector(
        "country_conflict", "Countries do not agree", IDENTITY,
        ("document_countries", "payment_countries", "address_countries"), country_conflict,
        (*BORROWED, "payment_mismatch", "unusual_use", "evasion"),
    ),
    Detector(
        "anonymised_access_only", "Access only through anonymising ranges", USE,
        ("access_total", "access_anonymised", "access_anonymised_total", "is_watched"), anonymised_access_only,
        ("masked_access", *access_detectors.EVASION), ("anonymised_access_least_records", "watch_least_records"),
    ),
    *access_detectors.DETECTORS,
    Detector(
        "expired_document", "Documents expired", DOCUMENTS, ("documents",), expired_document,
        ("identity_not_verified", "reverification_overdue"), ("document_grace_days",),
    ),
    Detector(
        "reverification_overdue", "Re-verification overdue", IDENTITY, ("reverification_overdue_days",),
        reverification_overdue, ("reverification_overdue", "identity_not_verified"),
        ("reverification_answer_days", "reverification_grace_days"),
    ),
    Detector(
        "watch_overdue", "Watch overdue", IDENTITY, ("watch_overdue_days",), watch_overdue,
        ("identity_not_verified",), ("watch_look_days",),
    ),
    Detector(
        "mrz_check_failed", "Wrong check digit", DOCUMENTS, ("documents",), mrz_check_failed,
        ("false_documents", "identity_not_verified"),
    ),
    Detector(
        "near_threshold_owners", "Owners just below the threshold", IDENTITY, ("owner_percents", "owner_threshold"),
        near_threshold_owners, ("owners_undisclosed",),
        ("owner_share_percent", "near_threshold_points", "near_threshold_owners"),
    ),
    Detector(
        "seen_before", "Seen before", IDENTITY, ("seen_before",), seen_before, access_detectors.EVASION,
        ("link_flag_percent", "link_stop_percent"),
    ),
)  # fmt: skip

BY_CODE = {detector.code: detector for detector in DETECTORS}


def run(facts: AccountFacts) -> tuple[Flag, ...]:
    """Return the flags that are up for one account, in the order of the catalogue."""
    return tuple(flag for detector in DETECTORS if (flag := detector.function(facts)) is not None)
