"""What is usual of an account's accesses, for its page (R18, R46); how it is counted stands in rules/profile.py."""

from decimal import Decimal

from accounts.flows import profiles
from accounts.flows.account_file import AccountFile
from accounts.rules.profile import Profile
from kyc_portal.staff.pictures import accesses_in_words, counted
from kyc_portal.staff.sections import Facts

TOO_LITTLE = "too little to say"
MOST_SPELLS = 5


def usual_use(file: AccountFile) -> Facts:
    """Usual places, networks and hours, what hides, quiet spells, and on how much it all rests; one query."""
    regime = file.regime
    found = profiles.profile(file.account, on=file.on, regime=regime)
    hidden = found.anonymised_percent
    rows = [
        ("Rests on", f"{accesses_in_words(found.records)} on {counted(found.days, 'day', 'days')}"),
        ("Usual countries", _shares(found, found.countries)),
        ("Usual networks", _shares(found, found.networks)),
        ("Usual hours, UTC", _hours(found)),
        ("Through anonymisers", "" if hidden is None else f"{hidden:f} % of {found.public:,} from public addresses"),
        ("Quiet spells", _spells(found)),
    ]
    note = (
        f"The last {regime.whole('access_profile_days')} days ({regime.cite('access_profile_days')}). Countries and "
        "networks count only what no anonymiser hides. An address does not show who somebody is."
    )
    return Facts("usual-use", "What is usual", rows, note=note)


def _shares(found: Profile, shares: tuple[tuple[str, Decimal], ...]) -> str:
    if not found.is_enough:
        return TOO_LITTLE
    return ", ".join(f"{name} {share:f} %" for name, share in shares) or "none is known"


def _hours(found: Profile) -> str:
    """Hours that follow one another as one span: "8 to 12, 14 to 17"."""
    if not found.is_enough:
        return TOO_LITTLE
    spans: list[list[int]] = []
    for hour in found.hours:
        if spans and spans[-1][1] == hour - 1:
            spans[-1][1] = hour
        else:
            spans.append([hour, hour])
    return ", ".join(f"{first} to {last + 1}" for first, last in spans)


def _spells(found: Profile) -> str:
    told = [f"{spell.days} days until {spell.woke_on}" for spell in reversed(found.quiet)]
    return "; ".join(told[:MOST_SPELLS]) or "none"
