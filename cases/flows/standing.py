"""On what a bundle rests, and whether that still carries it (requirements R111, R113): asked again at every step.

A request is locked before the bundles that rest on it, so a challenge between two steps is read by the second.
"""

from cases.flows import legal_requests
from cases.models import Bundle, Case, LegalRequest, VoluntaryDisclosure
from cases.rules.disclosure import Ground
from cases.rules.stages import IN_ORDER, STANDS_STILL, LegalRequestState
from cases.rules.voluntary import VOLUNTARY, VoluntaryState, is_voluntary
from kyc_portal.refusal import Refusal


class StandsStill(Refusal):
    """What the bundle rests on is in dispute, has fallen, or was taken back."""


class NoLawfulGround(Refusal):
    """Nothing orders us to hand over, and nobody has chosen and approved a lawful ground with its facts."""


def found_for(case: Case, ground: str, *, named: str = "") -> tuple[LegalRequest | None, VoluntaryDisclosure | None]:
    """The request, and for a voluntary ground the approved choice, on which a bundle of this case may rest.

    Raises NotOnFile, SeveralRequests, NoLawfulGround, and StandsStill while a request on that ground is challenged.
    """
    if not is_voluntary(ground):
        return legal_requests.in_order_for(case, ground, named=named), None
    chosen = VoluntaryDisclosure.objects.standing().filter(case=case, ground=ground).order_by("-answered_at").first()
    if chosen is None:
        raise NoLawfulGround(
            f"{case.reference} has no approved ground “{Ground(ground).label}”. Choose it on the case's page, write "
            f"down its facts ({VOLUNTARY[Ground(ground)].facts.rstrip('.').lower()}), and have a second person approve."
        )
    asked = case.legal_requests.filter(ground=ground)
    if named or asked.filter(state__in=IN_ORDER).exists():
        return legal_requests.in_order_for(case, ground, named=named), chosen
    if dispute := asked.challenged().first():
        raise StandsStill(f"{dispute.reference} is challenged. Nothing goes on until the challenge has ended.")
    return None, chosen


def require_stands(bundle: Bundle, *, in_order: bool = False) -> None:
    """Lock what the bundle rests on, before the bundle itself, and raise StandsStill unless it still carries it.

    `in_order`: the request must be among those on which something new may begin (raises NotOnFile).
    """
    if bundle.voluntary_id is not None:
        chosen = VoluntaryDisclosure.objects.select_for_update(of=("self",)).get(pk=bundle.voluntary_id)
        if chosen.state != VoluntaryState.APPROVED:
            raise StandsStill(f"The ground {chosen.reference} was {chosen.get_state_display()}. Set the bundle aside.")
    if bundle.request_id is None:
        return
    request = legal_requests.locked(LegalRequest(pk=bundle.request_id))
    if request.state == LegalRequestState.CHALLENGED:
        raise StandsStill(
            f"{request.reference} is challenged: nothing that rests on it is approved, built or handed over until the "
            "challenge has ended. What is on file stays preserved."
        )
    if in_order and request.state not in IN_ORDER:
        raise legal_requests.not_on_file(bundle.case, bundle.ground)
    if request.state in STANDS_STILL:
        raise StandsStill(f"{request.reference} is {request.get_state_display()}. Set the bundle aside.")
    if bundle.scope != scope_of(request):
        raise StandsStill(f"The scope of {request.reference} was narrowed since. Collect anew within it.")


def scope_of(request: LegalRequest | None) -> dict:
    """The scope as it is kept with a bundle."""
    if request is None:
        return {}
    days = (request.scope_from, request.scope_through)
    return {
        "kinds": request.scope_kinds, "accounts": request.scope_accounts,
        "from": days[0].isoformat() if days[0] else "", "through": days[1].isoformat() if days[1] else "",
    }  # fmt: skip
