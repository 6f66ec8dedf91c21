"""What the page of an account is made of; a fixed number of queries, whatever the account holds."""

from datetime import UTC, timedelta

from django.urls import reverse

from accounts.admin import ownership_sections
from accounts.admin.identity import sealed, title_of
from accounts.flows import access_days as roll_ups
from accounts.flows import rating
from accounts.flows.account_file import AccountFile
from accounts.models import Account, Screening
from accounts.models.party import AddressKind
from accounts.models.restriction import Level
from accounts.models.screening import HitStatus
from accounts.rules.detectors import BY_CODE
from accounts.rules.documents import expired_on
from accounts.rules.elements import FALL_BACKS, address_relied_on
from accounts.rules.hit_order import evidence_in_words
from accounts.rules.parties import PartyKind
from accounts.rules.verifying import VerificationStatus
from kyc_portal.policy.models import StatementKind, StatementVersion
from kyc_portal.staff.pictures import accesses_in_words
from kyc_portal.staff.sections import Badge, Bars, Facts, Link, Strip, Table, Tree

MOST_ROWS = 30
MOST_COUNTRIES = 12
STRIP_DAYS = 90
NOT_RATED = "Rated when the account is opened."

VERIFICATION_TONES = {
    VerificationStatus.IN_PROGRESS: "info",
    VerificationStatus.VERIFIED: "good",
    VerificationStatus.FAILED: "warning",
    VerificationStatus.ESCALATED: "warning",
    VerificationStatus.UNVERIFIABLE: "danger",
}
LEVEL_TONES = {Level.LIMITED: "warning", Level.SUSPENDED: "danger", Level.BLOCKED: "danger"}
HIT_TONES = {HitStatus.CONFIRMED: "danger", HitStatus.DISMISSED: "good", HitStatus.REPLACED: ""}


def who(file: AccountFile, user) -> Facts:
    """The customer, with every sealed value as dots."""
    party = file.account.party
    contacts = [
        (contact.get_kind_display().capitalize(), sealed(contact, "value", contact.get_kind_display(), user))
        for contact in file.contact_points
    ]
    places = [
        (address.get_kind_display().capitalize(), address.country.name)
        for address in file.addresses
        if address.party_id == party.pk
    ]
    rows = [
        ("Legal name", Link(party.legal_name, party)),
        ("Kind", party.get_kind_display()),
        ("Status", party.get_us_status_display()),
        ("Citizenship", party.citizenship.name),
        ("Country of formation", party.formation_country.name),
        ("Birth date", sealed(party, "birth_date", "birth date", user)),
        ("National number", sealed(party, "national_id", "national number", user)),
        ("Register number", sealed(party, "registration_number", "register number", user)),
        *contacts,
        *places,
        ("Address that counts", _stand_in(file)),
    ]
    return Facts("who", "Who", [(label, value) for label, value in rows if value not in ("", None)])


def _stand_in(file: AccountFile) -> str:
    """R12: that a box or somebody else's address stands in; nothing when there is one of their own, or none at all."""
    party = file.account.party
    kind = address_relied_on(party.kind, {each.kind for each in file.addresses if each.party_id == party.pk})
    label = AddressKind(kind).label if kind in FALL_BACKS else ""
    return f"The {label} stands in: no street address of their own is known." if label else ""


def account_facts(account: Account) -> Facts:
    rows = [
        ("Customer number", account.external_key),
        ("Product", account.product),
        ("Sells our services on", account.is_reseller),
        ("Came by", account.source),
        ("On file since", account.created_at),
        ("Opened", account.opened_at),
        ("Closed", account.closed_at),
        ("Last access", account.last_access_at),
        ("Risk", f"{account.get_risk_tier_display()} ({account.risk_score} of 100)" if account.is_rated else NOT_RATED),
        ("Next review", account.next_review_on),
        ("Proof asked for", account.review_asked_on),
        ("Answer by", account.review_answer_by),
    ]
    return Facts("account", "Account", rows)


def owners(file: AccountFile, user) -> list[Tree | Table]:
    """The owners as a tree with everybody in it beside; who counts and why; what blocked persons hold."""
    if file.account.party.kind == PartyKind.INDIVIDUAL and not file.above.stakes:
        return []
    table = ownership_sections.holders(file.above, file.verified(), user)
    listed = [hit.party_id for hit in file.current_hits if hit.status == HitStatus.CONFIRMED]
    tree = ownership_sections.owner_tree(file.above, table, user)
    if not file.above.stakes:
        return [tree]
    return [
        tree,
        ownership_sections.beneficial(file.above, user),
        ownership_sections.blocked(file.above, user, listed),
    ]


def certifications(account: Account, user) -> list[Table]:
    """The signed lists of owners; nothing for an individual."""
    if account.party.kind == PartyKind.INDIVIDUAL:
        return []
    rows, wordings = [], {str(each.number): each for each in StatementVersion.objects.filter(kind=StatementKind.OWNERS)}
    for row in account.ownership_certifications.order_by("-recorded_at", "pk")[:MOST_ROWS]:
        row.account = account
        text = Link(row.text_version, wordings[row.text_version]) if row.text_version in wordings else row.text_version
        state = Badge(row.get_broken_why_display(), "warning") if row.broken_at else Badge("holds", "good")
        rows.append([row.signed_on, sealed(row, "signed_by", "signer", user), text, state, row.recorded_by])
    head = ["Signed", "By", "Text", "State", "Recorded by"]
    empty = "Nobody has signed the list of owners."
    return [Table("certifications", "Certification of owners", head, rows, empty=empty)]


def verifications(file: AccountFile) -> Table:
    rows = [
        [
            Link(each.reference, each),
            each.party.legal_name,
            Badge(each.get_status_display(), VERIFICATION_TONES[VerificationStatus(each.status)]),
            each.trigger.replace("_", " "),
            each.started_at,
            each.concluded_at,
        ]
        for each in file.verifications[:MOST_ROWS]
    ]
    head = ["Verification", "Who", "State", "Occasion", "Started", "Concluded"]
    return Table("verifications", "Verifications", head, rows, empty="No verification yet. Start one.")


def hits(file: AccountFile) -> Table:
    """The hits on the customer and the owners."""
    rows = [
        [
            Link(hit.reference, hit),
            hit.party.legal_name,
            hit.entry_name,
            hit.score,
            evidence_in_words(hit.evidence),
            Badge(hit.get_status_display(), HIT_TONES.get(HitStatus(hit.status), "warning")),
        ]
        for hit in file.hits[:MOST_ROWS]
    ]
    head = ["Hit", "Who", "List entry", "Score", "Among equal scores", "State"]
    seen = file.hits or Screening.objects.filter(party=file.account.party_id).exists()
    empty = "Nobody here resembles an entry of a watch list." if seen else "Nobody here was screened yet."
    return Table("hits", "Screening", head, rows, empty=empty)


def red_flags(account: Account) -> Table:
    rows = [
        [
            Link(signal.reference, signal),
            BY_CODE[signal.code].title if signal.code in BY_CODE else signal.code,
            signal.sentence,
            signal.known_at,
            Badge("open", "warning") if signal.answered_at is None else Badge(signal.answer, "good"),
        ]
        for signal in account.signals.order_by("-known_at", "pk")[:MOST_ROWS]
    ]
    return Table("signals", "Red flags", ["Flag", "What", "Why", "Known", "Answer"], rows, empty="No red flag is up.")


def tiers(file: AccountFile) -> Bars:
    """What each red flag that counts adds to the risk, where the tiers begin, and who has set one by hand."""
    account, regime = file.account, file.regime
    counted = rating.weighing(account, regime)
    titles = {code: detector.title for code, detector in BY_CODE.items()} | {rating.WATCHED: "Kept under watch"}
    rows = [(titles.get(code, code), weight, "") for code, weight in counted]
    note = NOT_RATED
    if account.is_rated:
        note = (
            f"Together {account.risk_score} of 100; weights combine like independent chances. Medium risk begins at "
            f"{regime.whole('medium_risk_score')}, high risk at {regime.whole('high_risk_score')} "
            f"({regime.cite('high_risk_score')})."
        )
    if override := account.tier_by_hand:
        note += (
            f" Set by hand to {override.get_tier_display()} through {override.last_day} by {override.set_by}: "
            f"{override.reason}"
        )
    head = ["Red flag", "Weight of 100"]
    return Bars("risk", "How the risk comes about", rows, head, empty="No red flag counts.", note=note)


def restrictions(file: AccountFile) -> Table:
    rows = [
        [
            Link(each.reference, each),
            Badge(each.get_level_display(), LEVEL_TONES[Level(each.level)] if each.lifted_at is None else ""),
            each.basis,
            each.public_wording,
            each.applied_at,
            each.until,
            f"by {each.lifted_by}" if each.lifted_at else "in force",
        ]
        for each in file.restrictions[:MOST_ROWS]
    ]
    head = ["Restriction", "Level", "Basis", "What the customer reads", "Since", "Until", "Lifted"]
    return Table("restrictions", "Restrictions", head, rows, empty="Use is not restricted.")


def documents(file: AccountFile) -> Table:
    rows = [
        [
            Link(document.reference, document),
            document.party.legal_name,
            title_of(document),
            document.country.name,
            Badge("expired", "danger") if expired_on(document.expires_on, file.on) else document.expires_on,
        ]
        for document in file.documents[:MOST_ROWS]
    ]
    head = ["Document", "Whose", "Kind", "Country", "Expires"]
    return Table("documents", "Documents", head, rows, empty="No document is on file. Add one on the party's page.")


def access_countries(account: Account) -> Bars:
    """Accesses from public addresses by country; what a place means is said beside it."""
    rows = [(country or "unknown", count, "") for country, count, _ in roll_ups.by_country(account)]
    share = roll_ups.totals(account)
    percent = round(100 * share.anonymised / share.public) if share.public else 0
    note = (
        f"{accesses_in_words(share.all)}, {share.public:,} of them from public addresses; {percent} % of those through "
        "anonymising ranges. An address does not show who somebody is."
    )
    return Bars(
        "access", "Access by country", rows[:MOST_COUNTRIES], ["Country", "Accesses"],
        empty="No access from a public address is known.", note=note if share.all else "",
    )  # fmt: skip


def access_days(account: Account) -> Strip:
    """Access by day over the last days in which there was any."""
    last = account.last_access_at
    since = last.astimezone(UTC).date() - timedelta(days=STRIP_DAYS - 1) if last else None
    days = roll_ups.by_day(account, since)[-STRIP_DAYS:]
    url = f"{reverse('admin:accounts_accessrecord_changelist')}?account__id__exact={account.pk}"
    rows = [[day, total, hidden] for day, total, hidden in reversed(days[-MOST_COUNTRIES:])]
    table = Table("access-table", "Last days", ["Day", "Accesses", "Anonymised"], rows, more_url=url) if rows else None
    return Strip("access-days", "Access over time", days, table, empty="No access record was taken in yet.")
