"""What the pages of a manager share: for which reseller, under which binding, where a list goes on."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from resellers.models import Reseller, ResellerManager

PER_PAGE = 50


def chosen(own: list[Reseller], reference: str) -> Reseller | None:
    """The reseller asked for, or the first one; None for who is bound to none. Raises Http404 for any other."""
    if not reference:
        return own[0] if own else None
    for reseller in own:
        if reseller.reference == reference:
            return reseller
    raise Http404


def binding_of(user, reseller: Reseller) -> ResellerManager | None:
    """Under which this person may act now; the flow looks once more."""
    return reseller.managers.filter(user=user, ended_at__isnull=True).first()


def signed_too_late(request: HttpRequest, rows: QuerySet[Reseller]) -> HttpResponseRedirect | None:
    """Somebody sends a form for one of these resellers, to which they were bound when it was shown and no longer are.

    They are told so; whoever never was bound learns nothing, and the caller answers as to what does not exist.
    """
    ended = ResellerManager.objects.filter(user=request.user, reseller__in=rows, ended_at__isnull=False)
    if request.method != "POST" or not ended.exists():
        return None
    messages.error(
        request, "You are no longer bound to this reseller, so nothing was signed. If you still act for it, ask the "
        "provider's reseller desk to bind you again.",
    )  # fmt: skip
    return redirect("start")


@dataclass(frozen=True)
class Part:
    """One page of a list by key: its rows, and the references from which the earlier and the later ones go on."""

    rows: list
    before: str = ""
    after: str = ""


def part_of(rows: QuerySet, key: str, reference_of, *, after: str, before: str, begins: str) -> Part:
    """Up to PER_PAGE rows in the order of `key`: those beyond the key `begins`, or before it with `before`.

    One query whatever the length of the list; `reference_of(row)` names the row at which a page goes on.
    """
    backwards = bool(before)
    if begins:
        rows = rows.filter(**{f"{key}__{'lt' if backwards else 'gt'}": begins})
    found = list(rows.order_by(f"-{key}" if backwards else key)[: PER_PAGE + 1])
    has_more, shown = len(found) > PER_PAGE, found[:PER_PAGE]
    if backwards:
        shown.reverse()
    if not shown:
        return Part([])
    earlier, later = (has_more, bool(begins)) if backwards else (bool(begins), has_more)
    return Part(shown, reference_of(shown[0]) if earlier else "", reference_of(shown[-1]) if later else "")
