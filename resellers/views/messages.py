"""What the provider's desk wrote to a reseller's managers, and that it is read (R62)."""

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from kyc_portal.refusal import Refusal
from resellers.flows import messages as flow
from resellers.models import ResellerMessage

MOST_SHOWN = 100


def own(request):
    """The newest messages, unread ones first."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = ResellerMessage.objects.visible_to(request.user).select_related("reseller").order_by("-sent_at", "pk")
    shown = sorted(rows[:MOST_SHOWN], key=lambda message: message.read_at is not None)
    context = {"title": "Messages", "rows": shown, "crumbs": [{"label": "Messages"}]}
    return render(request, "resellers/messages.html", context)


def one(request, reference):
    """One message, and the button that says it is read."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = ResellerMessage.objects.visible_to(request.user).select_related("reseller__account")
    message = rows.filter(reference=reference).first()
    if message is None:
        raise Http404
    if request.method == "POST":
        try:
            flow.mark_read(message, by=request.user.as_actor, at=timezone.now())
            messages.success(request, f"{message.reference} is marked as read.")
        except Refusal as refusal:
            messages.info(request, str(refusal))
        return HttpResponseRedirect(reverse("resellers:messages"))
    context = {
        "title": message.subject_line, "message": message, "text": message.text.reveal(),
        "reseller": message.reseller.reference,
        "crumbs": [{"label": "Messages", "url": reverse("resellers:messages")}, {"label": message.reference}],
    }  # fmt: skip
    return render(request, "resellers/message.html", context)
