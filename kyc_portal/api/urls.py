from django.urls import path, re_path

from kyc_portal.api import access, access_logs, endpoints, verifier, views

app_name = "api"
urlpatterns = [
    path("v1/key", views.whoami, name="key"),
    path("v1/access-logs/<str:format>", access_logs.hand_in, name="access-logs"),
    path("v1/access-batches/<str:reference>/refused", access_logs.refused_lines, name="refused-lines"),
    path("v1/abuse-reports", views.abuse_report, name="abuse-reports"),
    path("v1/accounts/<str:reference>/missing", views.missing, name="missing"),
    path("v1/accounts/<str:reference>/access", access.answer, name="access"),
    path("v1/audit/checkpoint", views.checkpoint, name="checkpoint"),
    path("v1/verifier-answers", verifier.answers, name="verifier-answers"),
    re_path("", endpoints.nothing_here, name="nothing-here"),
]
