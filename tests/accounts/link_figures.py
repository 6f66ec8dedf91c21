"""The figures of links as shipped, without a database."""

from dataclasses import replace

from accounts.rules.links import WORDS, LinkFigures
from kyc_portal.policy.link_figures import LINKS

_SHIPPED = {name: float(value) for name, value, *_ in LINKS}


def link_figures(**changes) -> LinkFigures:
    """The shipped figures; keywords override."""
    weights = {kind: _SHIPPED[f"link_weight_{kind}"] / 100 for kind in WORDS}
    keep, flag, stop = (_SHIPPED[f"link_{name}_percent"] / 100 for name in ("keep", "flag", "stop"))
    return replace(LinkFigures(weights, int(_SHIPPED["link_most_holders"]), keep, flag, stop), **changes)
