"""The policy table for readers: as JSON for programs, as a page for people (docs/access.md)."""

from kyc_portal.staff import policy_table
from kyc_portal.staff.policy_rows import ANYBODY_HERE, EVERYBODY, Act, Page
from kyc_portal.staff.roles import ROLES

SECRETS = policy_table.SECRET_SECTIONS
OUTSIDE = "reseller manager"
NOBODY = "nobody"


def roles_let_in(who: str, besides: str = "") -> list[str]:
    """The roles that a cell of the table lets in."""
    if who in (EVERYBODY, ANYBODY_HERE):
        return list(ROLES)
    if who == policy_table.ANY_STAFF:
        return [role for role in ROLES if role != OUTSIDE]
    wanted = set(who.split())
    return [role for role, held in ROLES.items() if wanted & set(held) and (not besides or besides in held)]


def _page(page: Page) -> dict:
    asked = {"GET": page.get, "HEAD": page.get if page.has_head else "", "POST": page.post}
    cells = {method: who for method, who in asked.items() if who}
    return {
        method: {"who": who, "besides": page.besides, "roles": roles_let_in(who, page.besides)}
        for method, who in cells.items()
    }


def _act(act: Act) -> dict:
    return {
        "states": act.states.split(), "in_lists": act.many, "roles": roles_let_in(act.rights),
        "roles_by_kind": {kind: roles_let_in(rights) for kind, rights in act.by_kind.items()},
    }  # fmt: skip


def as_plain() -> dict:
    """The whole table with the roles each cell means, in plain types."""
    return {
        "roles": {role: list(rights) for role, rights in ROLES.items()},
        "addresses": {name: _page(page) for name, page in sorted(policy_table.every_page().items())},
        "buttons": {
            label: {name: _act(act) for name, act in screen.acts.items()}
            for label, screen in policy_table.SCREENS.items()
        },
        "hidden_rows": [
            {"of": label, "column": each.column, "value": each.value, "roles": roles_let_in(each.unless)}
            for label, screen in policy_table.SCREENS.items()
            for each in screen.hidden
        ],
        "sealed_columns": {name: roles_let_in(who) for name, who in policy_table.FIELDS.items()},
        "outsiders_see": list(policy_table.OUTSIDERS_SEE),
        "secret_sections": {name: roles_let_in(who) for name, who in policy_table.SECRET_SECTIONS.items()},
        "secret_events": {start: roles_let_in(who) for start, who in policy_table.SECRET_VERBS.items()},
    }


def _said(roles: list[str]) -> str:
    return ", ".join(roles) or NOBODY


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def as_page() -> str:
    """The table as a Markdown page."""
    lines = [
        "# Who may do what", "",
        "Written by `manage.py show_policy --page` from policy_table.py, policy_screens.py, roles.py; never by hand.",
        "What has no row is closed to everybody. Every other method than those named is answered with 405.", "",
        "## Records", "", _row("Record", "Seen by", "Added by"), _row("---", "---", "---"),
    ]  # fmt: skip
    for label, screen in policy_table.SCREENS.items():
        adds = _said(roles_let_in(screen.add)) if screen.add else "–"
        lines.append(_row(label, _said(roles_let_in(policy_table.right_to_see(label))), adds))
    lines += ["", "## Buttons", "", _row("Button", "Pressed by", "In the states"), _row("---", "---", "---")]
    for label, screen in policy_table.SCREENS.items():
        for name, act in screen.acts.items():
            kinds = [f"kind “{kind}”: {_said(roles_let_in(who))}" for kind, who in act.by_kind.items()]
            who = "; ".join([_said(roles_let_in(act.rights)), *kinds])
            lines.append(_row(f"{label}: {name}", who, act.states.replace(" ", ", ") or "any"))
    lines += ["", "## Other pages", "", _row("Page", "Read by", "Sent to by"), _row("---", "---", "---")]
    lines += [_row(name, *map(_cell, (page.get, page.post))) for name, page in policy_table.PAGES.items()]
    lines += ["", "## What is kept back", "", _row("What", "Shown to"), _row("---", "---")]
    lines += [_row(name, _said(roles_let_in(who))) for name, who in policy_table.FIELDS.items()]
    lines += [
        _row(f"rows of {label} whose {each.column} is {each.value}", _said(roles_let_in(each.unless)))
        for label, screen in policy_table.SCREENS.items()
        for each in screen.hidden
    ]
    lines += [_row(f"section “{name}” of any page", _said(roles_let_in(who))) for name, who in SECRETS.items()]
    lines += [_row(f"events “{start}…”", _said(roles_let_in(who))) for start, who in policy_table.SECRET_VERBS.items()]
    return "\n".join([*lines, ""])


def _cell(who: str) -> str:
    if not who:
        return "–"
    return who if " " in who or who == EVERYBODY else _said(roles_let_in(who))
