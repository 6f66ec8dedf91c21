"""The customer's own page: opened once by a link, held by one browser for a time (trust.md TH7, requirement R23).

No address but the link's holds a secret, no page tells what is on file, and none tells of lists, cases, risk or staff.
"""

import functools

from django import forms
from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from accounts.flows import confirming, customer_entries, customer_links, objections
from accounts.flows.customer_entries import CannotTell
from accounts.flows.customer_links import LinkRefused
from accounts.models import CustomerLink, Objection, OwnershipStake
from accounts.models.party import ConfirmedHow, ContactKind
from accounts.rules.asked import OTHER_STATE, STATES
from accounts.views.customer_forms import FORMS, CodeForm, ObjectionForm
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.privacy_notice import notice_on
from kyc_portal.policy.statements import statement_on
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff import throttling
from kyc_portal.staff.typed import is_sound

COOKIE, SALT, PATH, DOOR = "customer", "accounts.customer", "/me/", "customer"


def guarded(view):
    """No copy is kept anywhere, and no other page learns the address: a link's address opens something.

    The policy is not “no-referrer”, with which browsers say “Origin: null” and a form of ours could not be told from
    one of another site.
    """

    @functools.wraps(view)
    def answer(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return answer


def _session(request) -> CustomerLink | None:
    """The link this browser opened, while its session lasts."""
    key, _, secret = request.get_signed_cookie(COOKIE, default="", salt=SALT).partition(":")
    return customer_links.session_of(key, secret, at=timezone.now()) if secret else None


def with_session(view):
    """Let in whoever opened the link with this browser; everybody else reads how to get a new one."""

    @guarded
    @functools.wraps(view)
    def answer(request, *args, **kwargs):
        link = _session(request)
        if link is None:
            return _closed(request)
        try:
            return view(request, link, *args, **kwargs)
        except CannotTell as refusal:
            return _page(request, "gone", status=409, link=link, sentence=str(refusal))

    return answer


def _page(request, name: str, status: int = 200, **context):
    return render(request, f"customer/{name}.html", {"provider": settings.PROVIDER_NAME, **context}, status=status)


def _sent(request) -> tuple:
    """What a form is bound to."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _closed(request):
    """The same words for a link that was used, is over, was taken back or never was."""
    return _page(request, "closed", status=404, is_lost=request.method == "POST")


def _slow(request):
    return _page(request, "slow", status=429, minutes=int(settings.AXES_COOLOFF_TIME.total_seconds() // 60))


@guarded
def link(request, token):
    """Ask before the link is used, because programs look at links in mails too; the notice is shown here (R23)."""
    held = _session(request)
    if held is not None and held.token_sha256 == customer_links.hashed(token):
        return redirect("customer:start")  # a second tab of the browser that opened it
    notice = notice_on(legal_day(timezone.now()))
    if request.method != "POST" or request.POST.get("notice") != str(notice.number):
        return _page(request, "link", notice=notice)
    if throttling.is_shut(request, DOOR):
        return _slow(request)
    try:
        session = customer_links.open_once(token, notice=notice, at=timezone.now())
    except LinkRefused:
        throttling.count_failure(request, DOOR)
        return _page(request, "closed", status=404)
    return _holding(session)


def _holding(session: customer_links.Session) -> HttpResponseRedirect:
    """Lead to the page with the cookie that alone opens it; the link's address is left behind."""
    response = redirect("customer:start")
    length = session.link.session_until - session.link.used_at
    response.set_signed_cookie(
        COOKIE, f"{session.link.pk}:{session.secret}", salt=SALT, max_age=int(length.total_seconds()), path=PATH,
        secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


@with_session
def start(request, link):
    """What is asked, why, until when, and where things stand."""
    now, account = timezone.now(), link.account
    asked = customer_entries.asked_of(link, at=now)
    waits = Objection.objects.open().filter(account=link.account).first()
    return _page(
        request, "start", link=link, account=account, asked=asked, objection=waits,
        is_open=customer_links.is_asked(link), state=STATES.get(link.account.status, OTHER_STATE),
        notice=notice_on(legal_day(now)),
        unconfirmed=[each for each in account.party.contact_points.order_by("added_at", "pk") if not each.is_confirmed],
    )  # fmt: skip


@with_session
def part(request, link, key):
    """The form of one thing that is asked for."""
    asked = next((each for each in customer_entries.asked_of(link, at=timezone.now()) if each.key == key), None)
    if asked is None:
        return _page(request, "gone", status=404, link=link)
    form = FORMS[asked.part.code](*_sent(request), asked=asked)
    if request.method == "POST" and is_sound(form):
        given = {name: value for name, value in form.cleaned_data.items() if name != "confirmed"}
        try:
            customer_entries.take(link, key, given, by=customer_links.as_customer(link), at=timezone.now())
            return HttpResponseRedirect(f"{reverse('customer:start')}#asked")
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    owners = OwnershipStake.objects.held_on(legal_day(timezone.now())).filter(owned=asked.party).select_related("owner")
    signing = {}
    if asked.part.code == "owners_certification":
        signing = {"owners": owners, "statement": statement_on(StatementKind.OWNERS, legal_day(timezone.now()))}
    return _page(request, "part", link=link, asked=asked, form=form, **signing)


@guarded
def confirm(request, token):
    """Confirm an e-mail address by the link that was sent there; opening it shows a button, which programs leave."""
    if request.method != "POST":
        return _page(request, "confirm")
    if throttling.is_shut(request, DOOR):
        return _slow(request)
    try:
        confirming.confirm(token, at=timezone.now())
    except LinkRefused:
        throttling.count_failure(request, DOOR)
        return _page(request, "closed", status=404)
    return _page(request, "confirmed")


@with_session
def contact(request, link, key):
    """Have a link sent to an e-mail address of one's own, or enter the code that was read out on the telephone."""
    points = {str(each.pk): each for each in link.account.party.contact_points.all() if not each.is_confirmed}
    point = points.get(key)
    if point is None:
        return _page(request, "gone", status=404, link=link)
    is_phone = point.kind == ContactKind.PHONE
    form, by, now = (
        (CodeForm if is_phone else forms.Form)(*_sent(request)),
        customer_links.as_customer(link),
        timezone.now(),
    )
    is_sent = False
    if request.method == "POST" and is_sound(form):
        try:
            if is_phone:
                confirming.enter_code(point, form.cleaned_data["code"], how=ConfirmedHow.CODE, by=by, at=now)
                return redirect("customer:start")
            confirming.ask(point, by=by, at=now)
            is_sent = True
        except Refusal as refusal:
            form.add_error("code" if is_phone else None, str(refusal))
    return _page(request, "contact", link=link, form=form, point=point, is_phone=is_phone, is_sent=is_sent)


@with_session
def objection(request, link):
    """Say what is wrong; it becomes a piece of work for somebody who took no part in it."""
    form = ObjectionForm(*_sent(request))
    if request.method == "POST" and is_sound(form):
        by, now = customer_links.as_customer(link), timezone.now()
        try:
            objections.raise_objection(link, text=form.cleaned_data["text"], by=by, at=now)
            return redirect("customer:start")
        except Refusal as refusal:
            form.add_error("text", str(refusal))
    return _page(request, "objection", link=link, form=form)


@with_session
def done(request, link):
    """Everything is handed in, the customer says."""
    try:
        customer_entries.hand_in(link, by=customer_links.as_customer(link), at=timezone.now())
    except Refusal as refusal:
        return _page(request, "gone", status=409, link=link, sentence=str(refusal))
    return redirect("customer:start")


@with_session
def leave(request, link):
    """End the session at once."""
    customer_links.leave(link, by=customer_links.as_customer(link), at=timezone.now())
    response = _page(request, "left")
    response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return response
