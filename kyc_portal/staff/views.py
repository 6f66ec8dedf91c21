"""The way in for everybody, and the health page."""

from django.db import Error
from django.http import JsonResponse
from django.shortcuts import redirect

from kyc_portal.records import triggers


def start(request):
    """Staff go to their waiting work, a reseller's manager to their own customers."""
    return redirect("admin:index" if request.user.is_staff else "resellers:overview")


def health(request):
    """200 while the database answers and the audit trail is guarded, 503 otherwise; no versions, no names."""
    try:
        missing = triggers.missing()
    except Error:
        return JsonResponse({"database": "does not answer"}, status=503)
    if missing:
        return JsonResponse({"database": "ok", "audit trail": "unguarded"}, status=503)
    return JsonResponse({"database": "ok", "audit trail": "guarded"})
